"""Augmentations as a whole: truths of each family, and what holds for every one."""

from __future__ import annotations

import colorsys
import json
from pathlib import Path

import numpy as np
import pytest

import anew
from anew.generation.augmentation.augment import replay
from anew.generation.augmentation.catalogue import DEFAULT, FAMILIES, OPERATIONS, STYLES, parse_operations
from anew.generation.augmentation.styles import from_lab, to_lab, transfer

NAMES = list(OPERATIONS)
OTHER = np.random.default_rng(9).random((30, 20, 3), np.float32)


def one(image: np.ndarray, step: str, **options: object) -> np.ndarray:
    return anew.augment(image, step, **options).image  # type: ignore[arg-type]


# -- what holds for every one -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(1, 1), (1, 7, 1), (5, 2, 3), (9, 14), (8, 9, 4), (6, 5, 2), (2, 1, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_any_size_channels_and_depth(name: str, shape: tuple[int, ...], dtype: type) -> None:
    image = np.random.default_rng(0).random(shape, np.float32)
    if dtype is not np.float32:
        image = (image * np.iinfo(dtype).max).astype(dtype)
    before = image.copy()
    result = anew.augment(image, [(name, {"p": 1})], rng=3, others=[OTHER])
    np.testing.assert_array_equal(image, before)
    assert result.image.dtype == dtype
    assert not np.shares_memory(result.image, image)
    assert result.image.shape[2:] == shape[2:]
    assert sorted(result.image.shape[:2]) == sorted(shape[:2])
    assert np.isfinite(result.image).all()
    assert result.image.min() >= 0
    assert dtype is not np.float32 or result.image.max() <= 1
    if OPERATIONS[name].family != "geometry" and len(shape) == 3 and shape[2] in (2, 4):
        np.testing.assert_array_equal(result.image[..., -1], image[..., -1])


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_result_and_the_parameters_suffice(name: str, colour_photo: np.ndarray) -> None:
    chain = [(name, {"p": 1})]
    first = anew.augment(colour_photo, chain, rng=5, others=[OTHER])
    again = anew.augment(colour_photo, chain, rng=5, others=[OTHER])
    np.testing.assert_array_equal(first.image, again.image)
    record = json.loads(json.dumps([{"name": s.name, "parameters": s.parameters} for s in first.operations]))
    np.testing.assert_array_equal(replay(colour_photo, record, others=[OTHER]).image, first.image)
    assert not np.array_equal(first.image, colour_photo) or name in ("flip", "turn")


@pytest.mark.parametrize("name", [n for n in NAMES if OPERATIONS[n].family != "geometry"])
def test_functions_leave_their_input_alone(name: str, colour_photo: np.ndarray) -> None:
    (step,) = anew.augment(colour_photo, [(name, {"p": 1})], rng=5, others=[OTHER]).operations
    parameters = {key: value for key, value in step.parameters.items() if key != "other"}
    arguments = (colour_photo, OTHER) if OPERATIONS[name].takes_other else (colour_photo,)
    OPERATIONS[name].function(*arguments, **parameters)  # the photo is read-only


def test_doing_nothing_gives_a_copy() -> None:
    image = np.random.default_rng(0).random((4, 5, 4), np.float32)
    result = anew.augment(image[:, :, :3], "flip:p=0").image
    np.testing.assert_array_equal(result, image[:, :, :3])
    assert not np.shares_memory(result, image)


def test_a_line_of_pixels_is_mirrored_too() -> None:
    line = np.linspace(0.3, 0.6, 7)[None]  # its mirror images above and below are itself
    np.testing.assert_allclose(one(line, "shift:x=0:y=0.4..0.4"), line, atol=1e-6)
    np.testing.assert_allclose(one(line.T, "shift:x=0.4..0.4:y=0"), line.T, atol=1e-6)


def test_seeds_differ_and_the_default_chain_changes_things(colour_photo: np.ndarray) -> None:
    images = [anew.augment(colour_photo, rng=seed).image for seed in range(6)]
    assert len({image.tobytes() for image in images}) == 6
    assert all(image.shape == colour_photo.shape for image in images)


def test_the_probability_is_the_share_of_times() -> None:
    image = np.arange(6, dtype=np.uint8).reshape(2, 3)
    times = sum(len(anew.augment(image, "flip:p=0.3", rng=seed).operations) for seed in range(2000))
    assert abs(times / 2000 - 0.3) < 4 * np.sqrt(0.3 * 0.7 / 2000)


def test_a_mask_and_boxes_do_not_change_what_is_drawn(colour_photo: np.ndarray) -> None:
    chain = "flip,rotate:border=reflect,crop,jitter,cutout"
    alone = anew.augment(colour_photo, chain, rng=2)
    along = anew.augment(colour_photo, chain, rng=2, mask=np.ones((128, 128), np.int64), boxes=[[1, 2, 30, 40]])
    np.testing.assert_array_equal(alone.image, along.image)
    assert along.mask.dtype == np.int64
    assert (along.mask == 1).all()  # mirrored, as the image is


def test_masks_keep_their_labels(colour_photo: np.ndarray) -> None:
    labels = np.random.default_rng(0).choice([0, 7, 300], (128, 128)).astype(np.uint16)
    result = anew.augment(colour_photo, "rotate,perspective,elastic", rng=1, mask=labels)
    assert result.mask.dtype == np.uint16
    assert set(np.unique(result.mask)) <= {0, 7, 300}


def test_the_catalogue_is_complete_and_every_default_is_allowed() -> None:
    for operation in OPERATIONS.values():
        assert operation.family in FAMILIES
        assert callable(operation.function)
        for key, option in operation.options.items():
            if hasattr(option, "low"):
                assert option.parsed(key, (option.low, option.high)) == option
    for chain in [DEFAULT, *STYLES.values()]:
        parse_operations(chain)
        written = ",".join(str(planned) for planned in parse_operations(chain)).replace(":seed=drawn", "")
        assert ",".join(map(str, parse_operations(written))).replace(":seed=drawn", "") == written


@pytest.mark.parametrize(
    ("chain", "message"),
    [
        ("flop", "did you mean 'flip'"),
        ("flip,,crop", "empty name"),
        ("rotate:degree=3", "did you mean 'degrees'"),
        ("rotate:degrees=ten", "number or a range"),
        ("rotate:degrees=30..10", "low..high"),
        ("rotate:degrees", "KEY=VALUE"),
        ("rotate:degrees=1:degrees=2", "twice"),
        ("rotate:expand=3", "true or false"),
        ("crop:area=0", "0.001"),
        ("turn:quarters=0.5", "whole numbers"),
        ("flip:axis=diagonal", "horizontal, vertical, both"),
        ("flip:p=1.5", "probability"),
        ("mixup:alpha=0", "Beta"),
        ("noise:seed=-1", "integer"),
        ("mixup", "other images"),
        ("", "empty name"),
    ],
)
def test_wrong_chains_are_refused_with_a_reason(chain: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        anew.augment(np.zeros((3, 3)), chain)


def test_other_wrong_use_is_refused() -> None:
    image = np.zeros((4, 5, 3))
    with pytest.raises(ValueError, match="mask of shape"):
        anew.augment(image, "flip", mask=np.zeros((5, 4)))
    with pytest.raises(ValueError, match="neither masks nor boxes"):
        anew.augment(image, "cutmix", mask=np.zeros((4, 5)), others=[image])
    with pytest.raises(ValueError, match="not among others"):
        replay(image, [{"name": "mixup", "parameters": {"weight": 0.5, "other": "b.png"}}])
    with pytest.raises(ValueError, match="channels"):
        anew.augment(np.zeros((3, 3, 5)), "flip")


@pytest.mark.parametrize(
    ("chain", "message"),
    [
        (5, r"text or \(name, options\) pairs, got 5"),
        ([("flip",)], r"pairs, got \[\('flip',\)\]"),
        (["flip"], r"pairs, got \['flip'\]"),
        ([("flip", 3)], "pairs, got"),
        ([(["flip"], {})], "pairs, got"),
    ],
)
def test_what_is_no_chain_is_refused(chain: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        anew.augment(np.zeros((3, 3)), chain)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"name": "flip"}, "expected an operation with a name and parameters, got {'name': 'flip'}"),
        ({"name": "flip", "parameters": None}, "a name and parameters"),
        ({"parameters": {}}, "a name and parameters"),
        ("flip", "expected an operation with a name and parameters, got 'flip'"),
        ({"name": "flop", "parameters": {}}, "did you mean 'flip'"),
        (
            {"name": "flip", "parameters": {"axes": "both"}},
            "flip has no parameter 'axes'; did you mean 'axis'",
        ),
        ({"name": "flip", "parameters": {}}, "flip needs the option 'axis'"),
        ({"name": "mixup", "parameters": {"weight": 0.5}}, "mixup needs the option 'other'"),
        ({"name": "noise", "parameters": {"sigmas": 1}}, "noise has no parameter 'sigmas'; did you mean 'sigma'"),
    ],
)
def test_steps_that_cannot_be_replayed_are_refused(step: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replay(np.zeros((3, 3)), [step], others=[np.zeros((3, 3))])  # type: ignore[list-item]


# -- colour -------------------------------------------------------------------------------------------------------


def test_hue_is_that_of_the_standard_library(colour_photo: np.ndarray) -> None:
    pixels = colour_photo[::16, ::16]
    turned = one(pixels, "hue:degrees=50..50")
    for before, after in zip(pixels.reshape(-1, 3), turned.reshape(-1, 3), strict=True):
        h, s, v = colorsys.rgb_to_hsv(*(float(c) for c in before))
        np.testing.assert_allclose(after, colorsys.hsv_to_rgb((h + 50 / 360) % 1, s, v), atol=2e-6)


def test_a_full_turn_of_the_hue_is_none(colour_photo: np.ndarray) -> None:
    np.testing.assert_array_equal(one(colour_photo, "hue:degrees=360..360"), colour_photo)
    thirds = one(colour_photo, ",".join(["hue:degrees=120..120"] * 3))
    np.testing.assert_allclose(thirds, colour_photo, atol=2e-6)
    np.testing.assert_allclose(one(colour_photo, "hue:degrees=120..120"), colour_photo[:, :, [2, 0, 1]], atol=2e-6)


def test_colour_adjustments_are_what_they_say() -> None:
    image = np.array([[[0.2, 0.4, 0.3], [0.6, 0.5, 0.1]]])
    luma = image @ [0.299, 0.587, 0.114]
    mean = luma.mean()
    np.testing.assert_allclose(one(image, "brightness:amount=0.5..0.5"), image * 1.5, atol=1e-6)
    np.testing.assert_allclose(one(image, "contrast:amount=-0.5..-0.5"), mean + (image - mean) / 2, atol=1e-6)
    grey = one(image, "saturation:amount=-1..-1")
    np.testing.assert_allclose(grey, luma[:, :, None].repeat(3, 2), atol=1e-6)
    np.testing.assert_allclose(one(image, f"gamma:amount={np.log(2)}..{np.log(2)}"), image**2, atol=1e-6)
    nothing = "jitter:brightness=0:contrast=0:saturation=0:hue=0:gamma=0"
    np.testing.assert_allclose(one(image, nothing), image, atol=1e-6)


# -- erasing and mixing -------------------------------------------------------------------------------------------


def test_cutout_hides_the_area_that_theory_says() -> None:
    # A side a on an axis of length L, centre uniform on [0, L], shows a - a² / (4 L) on average.
    image = np.zeros((120, 160), np.float32)
    side = 0.4 * 120
    shares = [one(image, "cutout:size=0.4:fill=noise", rng=seed).astype(bool).mean() for seed in range(1500)]
    expected = (side - side**2 / 480) * (side - side**2 / 640) / (120 * 160)
    assert abs(np.mean(shares) - expected) < 4 * np.std(shares) / np.sqrt(1500)


def test_cutout_hides_a_square_and_leaves_the_rest(colour_photo: np.ndarray) -> None:
    cut = one(colour_photo, "cutout:size=0.25:x=0.5:y=0.5")
    hidden = np.zeros((128, 128), bool)
    hidden[48:80, 48:80] = True
    np.testing.assert_array_equal(cut[~hidden], colour_photo[~hidden])
    np.testing.assert_allclose(cut[hidden], np.broadcast_to(colour_photo.mean((0, 1)), (1024, 3)), atol=1e-5)


def test_mixup_is_the_average_of_images_and_labels(colour_photo: np.ndarray) -> None:
    black, white = np.zeros((4, 5, 3)), np.ones((4, 5, 3))
    result = anew.augment(white, "mixup:alpha=1,mixup:alpha=1", rng=3, others={"black": black})
    np.testing.assert_allclose(result.image, result.weights[None], atol=1e-6)
    assert sum(result.weights.values()) == pytest.approx(1)
    assert 0 < result.weights["black"] < 1
    weights = [anew.augment(white, "mixup:alpha=0.4", rng=s, others=[black]).weights[None] for s in range(1500)]
    assert np.var(weights) == pytest.approx(1 / (4 * (2 * 0.4 + 1)), rel=0.1)  # of Beta(alpha, alpha)
    mixed = anew.augment(np.full((2, 2), 0.2), "mixup:alpha=9", rng=1, others=[np.full((2, 2), 0.8)])
    np.testing.assert_allclose(mixed.image, 0.2 * mixed.weights[None] + 0.8 * mixed.weights[0], atol=1e-6)
    resized = one(np.zeros((7, 9)), "mixup", others=[np.full((20, 5, 3), 0.5)])
    assert np.ptp(resized) < 1e-6


@pytest.mark.parametrize("step", ["blur:sigma=3", "motion", "jpeg", "cutout:size=0.9", "contrast:amount=-0.5..-0.5"])
def test_hidden_colours_are_mixed_into_nothing(step: str) -> None:
    rows, columns = np.mgrid[:60, :60]
    disc = np.hypot(rows - 30, columns - 30) < 20
    white = np.zeros((60, 60, 4), np.float32)  # a white disc on clear black
    white[disc] = 1
    changed = one(white, step)
    np.testing.assert_allclose(changed[disc], 1, atol=1e-3)
    np.testing.assert_array_equal(changed[:, :, 3], white[:, :, 3])


def test_cutmix_weighs_labels_by_area() -> None:
    for seed in range(20):
        result = anew.augment(np.ones((30, 47)), "cutmix", rng=seed, others=[np.zeros((30, 47))])
        assert result.image.mean() == pytest.approx(result.weights[None])
        assert result.weights.get(0, 0.0) == pytest.approx(1 - result.weights[None])


# -- style --------------------------------------------------------------------------------------------------------


def test_colour_transfer_reaches_the_mean_and_the_spread_of_its_target() -> None:
    rng = np.random.default_rng(0)
    image = (0.4 + 0.1 * rng.random((40, 50, 3))).astype(np.float32)
    target = (np.array([0.5, 0.4, 0.3]) + 0.1 * rng.random((30, 20, 3))).astype(np.float32)
    moved, weight = transfer(image, target, strength=1.0)
    assert weight == 1
    for statistic in (np.mean, np.std):
        got, wanted = statistic(to_lab(moved), axis=(0, 1)), statistic(to_lab(target), axis=(0, 1))
        np.testing.assert_allclose(got, wanted, atol=2e-5)
    np.testing.assert_allclose(from_lab(to_lab(image)), image, atol=1e-6)
    np.testing.assert_allclose(transfer(image, image, strength=1.0)[0], image, atol=1e-5)
    grey = to_lab(np.full((1, 1, 3), 0.5, np.float32))[0, 0]
    np.testing.assert_allclose(grey[1:], 0, atol=5e-3)  # a neutral grey has no alpha and no beta


def test_styles_are_what_their_names_say(colour_photo: np.ndarray) -> None:
    black_and_white = one(colour_photo, "black-and-white:red=1:green=0:blue=0:contrast=0")
    np.testing.assert_allclose(black_and_white, colour_photo[:, :, :1].repeat(3, 2), atol=1e-6)
    poster = one(colour_photo, "poster:colours=4")
    assert len(np.unique(poster.reshape(-1, 3), axis=0)) == 4
    inks = np.array([[0.1, 0.2, 0.6], [0.9, 0.8, 0.2], [0.7, 0.1, 0.1]], np.float32)
    printed = inks[np.arange(700 * 900).reshape(700, 900) // 300 % 3]  # larger than what the colours are found in
    again = one(printed, "poster:colours=3")
    assert len(np.unique(again.reshape(-1, 3), axis=0)) == 3
    assert all(len(np.unique(again[(printed == ink).all(axis=2)], axis=0)) == 1 for ink in inks)
    two_inks = one(np.linspace(0, 1, 7, dtype=np.float32).reshape(1, 7, 1).repeat(3, 2), "duotone:palette=sunset")
    np.testing.assert_allclose(two_inks[0, [0, -1]] * 255, [[0x3B, 0x0F, 0x53], [0xFF, 0xC4, 0x6B]], atol=1e-3)
    brown = one(np.full((2, 2, 3), 0.5, np.float32), "sepia")[0, 0]
    assert brown[0] > brown[1] > brown[2]
    flat = one(np.full((9, 9, 3), 0.5, np.float32), "sketch")
    np.testing.assert_allclose(flat, 1, atol=1e-5)  # no edge, no stroke
    np.testing.assert_array_equal(one(colour_photo, "sepia:strength=0"), colour_photo)
    for chain in STYLES.values():
        styled = one(colour_photo, chain)
        assert np.abs(styled - colour_photo).mean() > 0.02


def test_the_tutorial_names_every_operation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "tutorials" / "augmentation.md").read_text()
    assert all(f"`{name}`" in page for name in OPERATIONS)
