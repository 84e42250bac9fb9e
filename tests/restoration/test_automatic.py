"""The whole way from a damaged picture to a restored one: it helps, it does no harm, and it can be done again."""

from __future__ import annotations

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
import skimage.data
from scipy.ndimage import gaussian_filter

import anew
from anew.degradations.geometry import tilt
from anew.diagnosis.finding import Finding
from anew.errors import InvalidPlan
from anew.images import Picture
from anew.restoration.automatic import explain, restore, run_plan
from anew.restoration.checks import check_relit
from anew.restoration.plan import Plan, Step, make_plan
from anew.restoration.recipe import decode_mask, encode_mask, mask_hash, read_recipe, version_changes
from anew.restoration.relighting.curve import relight_curve
from anew.restoration.replay import replay


def psnr(image: np.ndarray, clean: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((image.clip(0, 1) - clean) ** 2, dtype=np.float64)))


@pytest.fixture(scope="module")
def clean() -> np.ndarray:
    return (skimage.data.astronaut()[::2, ::2] / 255).astype(np.float32)


@pytest.fixture(scope="module")
def noisy(clean: np.ndarray) -> Picture:
    noise = np.random.default_rng(0).standard_normal(clean.shape)
    return Picture((np.rint((clean + 0.08 * noise).clip(0, 1) * 255) / 255).astype(np.float32))


def hole_plan(mask: np.ndarray, **changes: object) -> Plan:
    return Plan(steps=(Step(kind="holes", task="inpaint", mask=encode_mask(mask)),), **changes)


def test_noisy_photo_becomes_better(noisy: Picture, clean: np.ndarray) -> None:
    restored = restore(noisy)
    assert [s.kind for s in restored.steps if s.kept] == ["noise"]
    assert psnr(restored.picture.pixels, clean) > psnr(noisy.pixels, clean) + 4
    assert "noise: denoise by" in explain(restored)


@pytest.mark.parametrize("strength", [0.1, 0.5])
def test_noise_is_taken_away_in_part(strength: float, noisy: Picture, clean: np.ndarray) -> None:
    whole, part = restore(noisy), restore(noisy, strength=strength)
    assert part.steps[0].kept, part.steps[0].reason
    blend = noisy.pixels + np.float32(strength) * (whole.picture.pixels - noisy.pixels)
    np.testing.assert_allclose(part.picture.pixels, blend, atol=1e-5)
    assert psnr(noisy.pixels, clean) < psnr(part.picture.pixels, clean) < psnr(whole.picture.pixels, clean)
    assert float(part.uncertainty.mean()) > float(whole.uncertainty.mean())


@pytest.mark.parametrize("law", ["grains", "photons"])
def test_noise_is_removed_by_its_own_law(law: str, clean: np.ndarray) -> None:
    """Better than the denoiser for white noise, even when that is told the true level."""
    rng = np.random.default_rng(1)
    if law == "grains":
        kernel = np.outer([1, 2, 1], [1, 2, 1]) / 6  # of unit energy
        noise = cv2.filter2D(rng.standard_normal(clean.shape), -1, kernel) * 20 / 255
        damaged, level = clean + noise, 20 / 255
    else:
        gain = 0.015
        damaged, level = rng.poisson(clean / gain) * gain, float(np.sqrt(gain * clean.mean()))
    pixels = (np.rint(damaged.clip(0, 1) * 255) / 255).astype(np.float32)
    restored = restore(Picture(pixels))
    noise_step = next(s for s in restored.steps if s.kind == "noise")
    assert noise_step.kept, noise_step.reason
    assert noise_step.method == ("camera" if law == "grains" else "poisson-gaussian")
    white = anew.denoise(pixels, level)
    assert psnr(restored.picture.pixels, clean) > psnr(white, clean) + (0.5 if law == "grains" else 0.1)
    assert psnr(restored.picture.pixels, clean) > psnr(pixels, clean) + 4
    again = replay(Picture(pixels), restored.recipe or "")
    np.testing.assert_array_equal(again.pixels, restored.picture.pixels)


@pytest.mark.parametrize("name", ["astronaut", "camera", "coffee", "chelsea", "page", "horse"])
def test_clean_picture_comes_back_as_the_very_same_object(name: str) -> None:
    pixels = np.atleast_3d(getattr(skimage.data, name)())
    picture = Picture((pixels / pixels.max()).astype(np.float32))
    restored = restore(picture)
    assert restored.picture is picture, explain(restored)
    assert not restored.changed
    assert restored.recipe is None
    assert not restored.uncertainty.any()
    assert "returned as it was" in explain(restored)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 3), (1, 9, 3), (2, 3, 1), (17, 5, 3)])
def test_smallest_pictures_come_through(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).random(shape, np.float32)
    restored = restore(Picture(image))
    assert restored.picture.pixels.shape == shape
    assert restored.uncertainty.shape == shape[:2]


def test_holes_are_filled_and_all_else_stays_bit_for_bit(clean: np.ndarray) -> None:
    mask = np.zeros(clean.shape[:2], bool)
    mask[40:60, 100:130] = True
    damaged = clean.copy()
    damaged[mask] = 0
    restored = restore(damaged, plan=hole_plan(mask))
    np.testing.assert_array_equal(restored.picture.pixels[~mask], clean[~mask])
    assert psnr(restored.picture.pixels, clean) > psnr(damaged, clean) + 5
    assert restored.uncertainty[mask].min() > 0
    assert restored.uncertainty[~mask].max() == 0


def test_held_out_pixels_are_filled_as_the_plan_says(clean: np.ndarray) -> None:
    mask = np.zeros(clean.shape[:2], bool)
    mask[40:60, 100:130] = True

    def held_out_error(radius: float) -> float:
        step = hole_plan(mask).steps[0].model_copy(update={"method": "telea", "parameters": {"radius": radius}})
        return run_plan(Picture(clean), Plan(steps=(step,))).steps[0].check["held_out_error"]

    assert held_out_error(1.0) != held_out_error(20.0)


def test_values_that_are_no_numbers_are_filled_first(clean: np.ndarray) -> None:
    mask = np.zeros(clean.shape[:2], bool)
    mask[5:9, 5:9] = True
    damaged = clean.copy()
    damaged[mask] = np.nan
    assert np.isfinite(restore(damaged, plan=hole_plan(mask)).picture.pixels).all()
    unfilled = restore(damaged, plan=Plan(steps=(Step(kind="noise", task="denoise", method="median"),)))
    assert not unfilled.changed
    assert "no numbers" in unfilled.steps[0].reason


def test_strength(noisy: Picture, clean: np.ndarray) -> None:
    assert restore(noisy, strength=0).picture is noisy
    mask = np.zeros(clean.shape[:2], bool)
    mask[40:60, 100:130] = True
    full = restore(Picture(clean), plan=hole_plan(mask)).picture.pixels
    half = restore(Picture(clean), plan=hole_plan(mask, strength=0.5)).picture.pixels
    np.testing.assert_allclose(half, (full + clean) / 2, atol=1e-6)


@pytest.mark.parametrize("nothing", [np.nan, np.inf, 1e7])
def test_what_has_no_value_is_filled_wholly_at_any_strength(nothing: float, clean: np.ndarray) -> None:
    damaged = clean.copy()
    damaged[40:60, 100:130] = nothing
    full, half = (restore(damaged, only=["holes"], strength=strength) for strength in (1.0, 0.5))
    assert half.changed
    np.testing.assert_array_equal(half.picture.pixels, full.picture.pixels)


@pytest.mark.parametrize("damage", ["scratch", "blur"])
def test_of_a_repair_in_part_the_damage_that_it_leaves_is_uncertain(damage: str, clean: np.ndarray) -> None:
    place = np.s_[40:60, 100:130] if damage == "scratch" else np.s_[:]
    if damage == "scratch":
        damaged, mask = clean.copy(), np.zeros(clean.shape[:2], bool)
        mask[place], damaged[place] = True, 0
        steps = hole_plan(mask).steps
    else:
        damaged = gaussian_filter(clean, (1.5, 1.5, 0)).astype(np.float32)
        steps = (Step(kind="blur", task="deblur", method="tv", parameters={"blur": "gaussian", "width": 1.5}),)
    restored = run_plan(Picture(damaged), Plan(steps=steps, strength=0.1), check=False)
    error = np.sqrt(np.mean((restored.picture.pixels - clean)[place] ** 2))
    assert 0.7 * error < np.sqrt(np.mean(restored.uncertainty[place] ** 2)) < 1.4 * error


def test_a_harmful_step_is_dropped(noisy: Picture) -> None:
    absurd = Plan(steps=(Step(kind="noise", task="denoise", method="gaussian", parameters={"sigma": 3.0}),))
    turned = Plan(steps=(Step(kind="tilt", task="unwarp", method="tilt", parameters={"angle": 50.0}),))
    for plan in (absurd, turned):
        restored = restore(noisy, plan=plan)
        assert restored.picture is noisy
        assert [s.kept for s in restored.steps] == [False]
        assert "left alone" in explain(restored)


def test_a_wrong_parameter_names_the_step(noisy: Picture) -> None:
    plan = Plan(steps=(Step(kind="noise", task="denoise", parameters={"sigma": "much"}),))
    with pytest.raises(InvalidPlan, match=r"step 1 \(denoise by auto\): sigma must be a finite number, got 'much'"):
        restore(noisy, plan=plan)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"offset": 3}, "offset must be two whole numbers, row and column, got 3"),
        ({"offset": [1, 2, 3]}, r"offset must be two whole numbers, row and column, got \[1, 2, 3\]"),
        ({"offset": [0.5, 0]}, "offset must be whole, got 0.5"),
        ({"quality": 50.5}, "quality must be whole, got 50.5"),
    ],
)
def test_what_a_plan_says_of_the_blocks_is_whole(parameters: dict, message: str, noisy: Picture) -> None:
    step = Step(kind="jpeg", task="deblock", method="sa-filter", parameters={"quality": 50, **parameters})
    with pytest.raises(InvalidPlan, match=rf"step 1 \(deblock by sa-filter\): {message}"):
        run_plan(noisy, Plan(steps=(step,)))


@pytest.mark.parametrize("how", [{"compressed": True}, {"clipped": [True, True]}])
@pytest.mark.parametrize("check", [True, False])
def test_of_no_noise_nothing_is_taken(how: dict, check: bool, noisy: Picture) -> None:
    step = Step(kind="noise", task="denoise", method="bm3d", parameters={"sigma": 0, **how})
    assert not run_plan(noisy, Plan(steps=(step,)), check=check).changed


def test_alpha_stays_beside_the_pixels(noisy: Picture) -> None:
    alpha = np.linspace(0.2, 1, noisy.pixels[:, :, 0].size, dtype=np.float32).reshape(noisy.pixels.shape[:2])
    restored = restore(Picture(noisy.pixels, alpha), only=["noise"])
    assert restored.changed
    np.testing.assert_array_equal(restored.picture.alpha, alpha)


@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_holes_become_opaque_where_they_are_filled(strength: float, clean: np.ndarray) -> None:
    mask = np.zeros(clean.shape[:2], bool)
    mask[40:44, 100:130] = True
    cut_out = Picture(clean, np.where(mask, np.float32(0.2), np.float32(0.9)))
    filled = run_plan(cut_out, hole_plan(mask, strength=strength), check=False).picture
    np.testing.assert_array_equal(filled.alpha, np.where(mask, np.float32(strength), np.float32(0.9)))


def test_what_was_invented_stays_as_unsure_when_it_is_denoised(noisy: Picture) -> None:
    mask = np.zeros(noisy.pixels.shape[:2], bool)
    mask[40:60, 100:130] = True
    filling = hole_plan(mask).steps
    denoising = (Step(kind="noise", task="denoise", method="tv", parameters={"sigma": 0.08}),)
    filled, both = (run_plan(noisy, Plan(steps=s), check=False).uncertainty for s in (filling, filling + denoising))
    assert (both[mask] > filled[mask]).all()
    assert both[~mask].min() > 0


def test_what_is_turned_is_rimmed_by_no_clear_colour() -> None:
    y, x = np.mgrid[:120, :160]
    disk = np.hypot(x - 80, y - 60) < 50
    pixels = np.where(disk[:, :, None], np.float32([0.8, 0.2, 0.2]), np.float32(0))
    turn = Plan(steps=(Step(kind="tilt", task="unwarp", method="tilt", parameters={"angle": 3.0}),))
    turned = run_plan(Picture(pixels, disk.astype(np.float32)), turn, check=False).picture
    assert turned.alpha is not None
    seen = turned.alpha > 0.01
    assert 0 < seen.mean() < 1
    np.testing.assert_allclose(turned.pixels[seen], np.broadcast_to([0.8, 0.2, 0.2], (seen.sum(), 3)), atol=1e-6)


def test_replay_gives_identical_pixels(noisy: Picture, clean: np.ndarray) -> None:
    mask = np.zeros(clean.shape[:2], bool)
    mask[40:44, 20:200] = True
    damaged = noisy.pixels.copy()
    damaged[mask] = 1
    picture = Picture(damaged)
    steps = (*hole_plan(mask).steps, Step(kind="noise", task="denoise"))
    restored = restore(picture, plan=Plan(steps=steps))
    assert [s.kept for s in restored.steps] == [True, True]
    assert restored.recipe is not None
    np.testing.assert_array_equal(replay(picture, restored.recipe).pixels, restored.picture.pixels)
    assert version_changes(restored.recipe) == []
    with pytest.raises(InvalidPlan, match="the recipe is for another picture"):
        replay(noisy, restored.recipe)


def test_recipe_says_what_ran(noisy: Picture) -> None:
    recipe = read_recipe(restore(noisy, only=["noise"]).recipe or "")
    assert recipe.anew == anew.__version__
    assert recipe.input.height == 256
    step = recipe.plan.steps[0]
    assert step.method == anew.methods("denoise")[0]
    assert 0.05 < step.parameters["sigma"] < 0.1  # type: ignore[operator]
    with pytest.raises(InvalidPlan, match="the recipe does not validate: plan"):
        read_recipe(json.dumps({**json.loads(recipe.model_dump_json()), "plan": 3}))


def test_masks_travel_as_pictures() -> None:
    mask = np.random.default_rng(0).random((31, 17)) < 0.3
    np.testing.assert_array_equal(decode_mask(encode_mask(mask), (31, 17)), mask)
    assert mask_hash(mask) != mask_hash(~mask)
    with pytest.raises(InvalidPlan, match="they must match"):
        decode_mask(encode_mask(mask), (17, 31))
    with pytest.raises(InvalidPlan, match="must be a PNG"):
        decode_mask("data:image/png;base64,AAAA", (31, 17))


def test_a_large_mask_is_kept_as_its_hash_and_must_be_found_again(clean: np.ndarray) -> None:
    mask = np.random.default_rng(1).random((600, 640)) < 0.3
    image = np.tile(clean, (3, 3, 1))[:600, :640]
    restored = restore(Picture(image), plan=hole_plan(mask))
    recipe = read_recipe(restored.recipe or "")
    assert recipe.plan.steps[0].mask == mask_hash(mask)
    with pytest.raises(InvalidPlan, match="the mask of holes was not found again"):
        replay(Picture(image), restored.recipe or "")
    again = replay(Picture(image), restored.recipe or "", mask=mask)
    np.testing.assert_array_equal(again.pixels, restored.picture.pixels)
    with pytest.raises(InvalidPlan, match="give it if it was painted"):
        replay(Picture(image), restored.recipe or "", mask=~mask)


def test_an_unknown_field_of_a_recipe_is_told_from_its_own(noisy: Picture) -> None:
    recipe = json.loads(restore(noisy, only=["noise"]).recipe or "")
    with pytest.raises(InvalidPlan, match="x: unknown field; allowed are version, anew, libraries, seed, input, plan"):
        read_recipe(json.dumps({**recipe, "x": 1}))
    recipe["plan"]["steps"][0]["x"] = 1
    with pytest.raises(InvalidPlan, match=r"plan.steps\[0\].x: unknown field; allowed are kind, task, method"):
        read_recipe(json.dumps(recipe))


def test_progress_rises_to_one(noisy: Picture) -> None:
    told: list[float] = []
    restore(noisy, progress=lambda what, fraction: told.append(fraction))
    assert told == sorted(told)
    assert told[0] == 0
    assert told[-1] == 1


def test_uncertainty_follows_the_true_error(noisy: Picture, clean: np.ndarray) -> None:
    from scipy.ndimage import uniform_filter
    from scipy.stats import spearmanr

    restored = restore(noisy)
    error = np.sqrt(uniform_filter(np.mean((restored.picture.pixels - clean) ** 2, axis=2), 7))
    correlation = spearmanr(restored.uncertainty[::7, ::7].ravel(), error[::7, ::7].ravel()).statistic
    assert correlation > 0.5


def test_blur_is_undone_and_replayed(clean: np.ndarray) -> None:
    import cv2

    blurred = cv2.GaussianBlur(clean, (0, 0), 1.5, borderType=cv2.BORDER_REFLECT)
    parameters = {"blur": "gaussian", "width": 1.5}
    plan = Plan(steps=(Step(kind="blur", task="deblur", method="tv", parameters=parameters),))
    restored = restore(blurred, plan=plan)
    assert restored.steps[0].kept, restored.steps[0].reason
    assert psnr(restored.picture.pixels, clean) > psnr(blurred, clean) + 2
    np.testing.assert_array_equal(replay(Picture(blurred), restored.recipe or "").pixels, restored.picture.pixels)
    wrong = Plan(steps=(Step(kind="blur", task="deblur", method="tv", parameters={"blur": "gaussian", "width": 4.0}),))
    assert not restore(clean, plan=wrong).changed


def test_damage_that_a_person_marked_is_filled_and_replayed(colour_photo):
    mask = np.zeros(colour_photo.shape[:2], bool)
    mask[20:100, 60:63] = True
    scratched = np.where(mask[:, :, None], np.float32(0.8), colour_photo)
    restored = anew.restore(scratched, mask=mask)
    assert restored.steps[0].kind == "marked"
    assert restored.steps[0].kept
    assert np.mean((restored.picture.pixels - colour_photo) ** 2) < 0.1 * np.mean((scratched - colour_photo) ** 2)
    again = replay(restored.original, restored.recipe)
    np.testing.assert_array_equal(again.pixels, restored.picture.pixels)
    with pytest.raises(ValueError, match="mask of shape"):
        anew.restore(scratched, mask=mask[1:])


def test_a_large_marked_mask_is_asked_for_again(colour_photo):
    big = np.random.default_rng(0).random((512, 512)) < 0.4
    photo = np.tile(colour_photo, (4, 4, 1))
    restored = anew.restore(photo, mask=big, only=["marked"])
    with pytest.raises(InvalidPlan, match="not found again"):
        replay(restored.original, restored.recipe)
    again = replay(restored.original, restored.recipe, mask=big)
    np.testing.assert_array_equal(again.pixels, restored.picture.pixels)


@pytest.mark.parametrize("kind", ["exposure", "contrast"])
def test_light_is_changed_in_part_where_all_of_it_would_clip(kind: str, clean: np.ndarray) -> None:
    told = {"black": 0.0, "white": 0.3, "gamma": 1.0}  # far too much for a picture that is not dark
    plan = Plan(steps=(Step.model_validate({"kind": kind, "task": "relight", "method": "curve", "parameters": told}),))
    dim = clean * np.float32(0.5)
    step = restore(dim, plan=plan).steps[0]
    assert step.kept, step.reason
    part = step.parameters["part"]
    assert 0 < part < 1
    whole = relight_curve(dim, **told)
    assert not check_relit(dim, whole).kept
    restored = restore(Picture(dim), plan=plan)
    np.testing.assert_allclose(restored.picture.pixels, dim + part * (whole - dim), atol=1e-6)
    np.testing.assert_array_equal(replay(Picture(dim), restored.recipe or "").pixels, restored.picture.pixels)


def test_darkness_that_noise_hides_is_found_behind_it(clean: np.ndarray) -> None:
    dark = clean * np.float32(0.35)
    noise = np.random.default_rng(2).standard_normal(clean.shape, np.float32)
    pixels = (np.rint((dark + np.float32(0.2) * noise).clip(0, 1) * 255) / 255).astype(np.float32)
    assert anew.diagnose(Picture(pixels)).get("exposure") is None
    restored = restore(Picture(pixels))
    assert [s.kind for s in restored.steps if s.kept] == ["noise", "exposure"]
    assert psnr(restored.picture.pixels, clean) > psnr(pixels, clean) + 4
    np.testing.assert_array_equal(replay(Picture(pixels), restored.recipe or "").pixels, restored.picture.pixels)
    alone = restore(Picture(pixels), only=["noise"])
    assert [s.kind for s in alone.steps] == ["noise"]


def test_a_plan_as_it_was_made_gives_what_restoring_gives_and_an_edited_one_its_steps_alone(clean: np.ndarray) -> None:
    noise = np.random.default_rng(2).standard_normal(clean.shape, np.float32)
    dark = clean * np.float32(0.35) + np.float32(0.2) * noise
    picture = Picture((np.rint(dark.clip(0, 1) * 255) / 255).astype(np.float32))
    plan = Plan.from_json(make_plan(anew.diagnose(picture)).to_json())
    assert [step.kind for step in plan.steps] == ["noise"]
    assert "After noise: look again for exposure" in str(plan)
    followed, asked = restore(picture, plan=plan), restore(picture)
    assert [s.kind for s in followed.steps] == ["noise", "exposure"]
    np.testing.assert_array_equal(followed.picture.pixels, asked.picture.pixels)
    edited = plan.model_copy(update={"steps": (plan.steps[0].model_copy(update={"method": "gaussian"}),)})
    assert [s.kind for s in restore(picture, plan=edited).steps] == ["noise"]


def test_noise_is_looked_for_once_impulses_are_repaired(clean: np.ndarray, noisy: Picture) -> None:
    rng = np.random.default_rng(3)
    dots = rng.random(clean.shape[:2]) < 0.15
    values = rng.integers(0, 2, (int(dots.sum()), 1))
    for image, expected in ((clean, ["impulses"]), (noisy.pixels, ["impulses", "noise"])):
        dotted = image.copy()
        dotted[dots] = values
        assert [f.kind for f in anew.diagnose(dotted).findings] == ["impulses"]
        assert [s.kind for s in restore(dotted).steps if s.kept] == expected


def test_darkness_that_white_holes_hide_is_found_behind_them(clean: np.ndarray) -> None:
    dark = np.rint(clean * 0.35 * 255) / np.float32(255)
    hole = np.zeros(clean.shape[:2], bool)
    hole[40:70, 50:90] = True
    pixels = np.where(hole[:, :, None], np.float32(1), dark.astype(np.float32))
    assert anew.diagnose(Picture(pixels)).get("exposure") is None
    restored = restore(Picture(pixels))
    assert [s.kind for s in restored.steps if s.kept] == ["holes", "exposure"]
    assert psnr(restored.picture.pixels, clean) > psnr(pixels, clean) + 4
    assert [s.kind for s in restore(Picture(pixels), skip=["exposure"]).steps] == ["holes"]


def test_a_turned_photograph_is_turned_back_once() -> None:
    """Its corners would be mirrored anew if they were filled that way, and the next run would undo this one."""
    clean = (skimage.data.chelsea() / 255).astype(np.float32)
    turned = tilt(clean, angle=5.0, border="reflect").image.clip(0, 1)
    restored = restore(Picture(turned), only=["tilt"])
    assert restored.changed, restored.steps
    assert psnr(restored.picture.pixels, clean) > psnr(turned, clean) + 10
    assert restore(restored.picture, only=["tilt"]).picture is restored.picture


@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_an_angle_that_a_plan_leaves_out_is_measured_once_for_picture_alpha_and_uncertainty(strength: float) -> None:
    squares = np.kron(np.indices((10, 14)).sum(axis=0) % 2, np.ones((24, 24))).astype(np.float32)
    leaning = tilt(squares[:, :, None], angle=4.0).image
    picture = Picture(leaning, np.float32(0.5) + leaning[:, :, 0] / 4)
    (told, left_out) = (
        run_plan(picture, Plan(strength=strength, steps=(Step(kind="tilt", task="unwarp", method="tilt", **given),)))
        for given in ({"parameters": {"angle": anew.diagnose(picture).get("tilt").value}}, {})
    )
    assert left_out.changed, left_out.steps
    assert left_out.steps[0].parameters["angle"] == pytest.approx(4, abs=0.2)
    np.testing.assert_allclose(left_out.picture.pixels, told.picture.pixels, atol=0.02)
    np.testing.assert_allclose(left_out.picture.alpha, told.picture.alpha, atol=0.01)
    np.testing.assert_allclose(left_out.uncertainty, told.uncertainty, atol=0.02)
    np.testing.assert_array_equal(replay(picture, left_out.recipe or "").pixels, left_out.picture.pixels)


@pytest.mark.parametrize(
    ("method", "given"), [("lens", {"k2": 0.01}), ("lens", {"k1": None}), ("tilt", {"angle": None})]
)
def test_geometry_that_a_plan_tells_in_part_is_measured_for_the_rest(method: str, given: dict, noisy: Picture) -> None:
    plan = Plan(steps=(Step(kind=method, task="unwarp", method=method, parameters=given),))
    assert run_plan(noisy, plan, check=False).steps[0].parameters["k1" if method == "lens" else "angle"] == 0


def test_a_tilt_that_noise_hides_is_found_once_the_noise_is_gone() -> None:
    clean = (skimage.data.chelsea() / 255).astype(np.float32)
    turned = tilt(clean, angle=5.0, border="reflect").image
    noise = 0.12 * np.random.default_rng(0).standard_normal(clean.shape)
    damaged = Picture((np.rint((turned + noise).clip(0, 1) * 255) / 255).astype(np.float32))
    assert anew.diagnose(damaged).get("tilt") is None
    restored = restore(damaged)
    assert [s.kind for s in restored.steps if s.kept] == ["noise", "tilt"]
    assert psnr(restored.picture.pixels, clean) > psnr(damaged.pixels, clean) + 10


@pytest.mark.parametrize(("confidence", "asked_again"), [(0.7, True), (0.95, False)])
def test_a_tilt_that_only_the_damage_showed_is_left_alone(noisy: Picture, confidence: float, asked_again: bool) -> None:
    diagnosis = anew.diagnose(noisy)
    chance = Finding("tilt", 4.0, "degrees", confidence, "The picture leans to the left.", details={"angle": 4.0})
    diagnosis = replace(diagnosis, findings=(*diagnosis.findings, chance))
    steps = run_plan(noisy, make_plan(diagnosis), diagnosis=diagnosis).steps
    assert [(step.kind, step.kept) for step in steps] == [("noise", True), ("tilt", False)]
    assert ("not there in the repaired picture" in steps[1].reason) == asked_again


def test_a_tilt_that_a_person_wants_or_a_replay_repeats_is_not_asked_for_again(noisy: Picture) -> None:
    diagnosis = anew.diagnose(noisy)
    chance = Finding("tilt", 4.0, "degrees", 0.7, "The picture leans to the left.", details={"angle": 4.0})
    diagnosis = replace(diagnosis, findings=(*diagnosis.findings, chance))
    plan = make_plan(diagnosis)
    wanted = plan.model_copy(
        update={"steps": (plan.steps[0], plan.steps[1].model_copy(update={"parameters": {"angle": 3.0}}))}
    )
    assert "edges" in run_plan(noisy, wanted, diagnosis=diagnosis).steps[1].reason
    assert run_plan(noisy, plan, diagnosis=diagnosis, check=False).steps[1].kept


def test_salt_and_pepper_in_strong_noise_is_taken_out() -> None:
    rng = np.random.default_rng(0)
    photo = skimage.data.cat()[:192, :192] / 255
    noisy = (np.rint((photo + rng.normal(0, 0.2, photo.shape)).clip(0, 1) * 255) / 255).astype(np.float32)
    dots = rng.random(noisy.shape[:2]) < 0.05
    noisy[dots] = rng.integers(0, 2, (int(dots.sum()), 1))
    restored = restore(Picture(noisy), only=["impulses"])
    assert [step.kept for step in restored.steps] == [True]
    assert psnr(restored.picture.pixels, photo) > psnr(noisy, photo) + 1


@pytest.mark.parametrize("kind", ["correlated", "photons"])
def test_a_grey_picture_in_three_channels_is_restored_as_a_grey_one(kind: str, clean: np.ndarray) -> None:
    rng = np.random.default_rng(3)
    if kind == "photons":
        noisy = rng.poisson(60 * clean[:, :, 1]) / 60
    else:
        grains = gaussian_filter(rng.standard_normal(clean.shape[:2]), 0.8)
        noisy = clean[:, :, 1] + 0.1 * grains / grains.std()
    grey = noisy.clip(0, 1).astype(np.float32)[:, :, np.newaxis]
    alone, three = restore(grey), restore(np.repeat(grey, 3, axis=2))
    assert [(step.method, step.kept) for step in three.steps] == [(step.method, step.kept) for step in alone.steps]
    assert alone.changed
    result = three.picture.pixels
    np.testing.assert_array_equal(result[:, :, 1:], result[:, :, :-1])
    assert psnr(result, clean[:, :, 1:2]) == pytest.approx(psnr(alone.picture.pixels, clean[:, :, 1:2]), abs=0.1)
