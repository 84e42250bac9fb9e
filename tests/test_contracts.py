"""What every method of the registry promises, tested over the whole list."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

import anew
from anew.registry import METHODS, TASKS, Method, Registry

METHOD_IDS = [f"{m.task}-{m.name}" for m in METHODS]
SHAPES = [(1, 1), (1, 7), (9, 1), (2, 3), (23, 17), (1, 1, 3), (16, 19, 1), (21, 30, 3), (12, 13, 4)]
LEARNED = {"unet", "luma-chroma", "camera", "compact", "robust"}
NEEDED_OPTIONS = {
    ("denoise", "custom"): {"kernel": np.full((3, 3), 1 / 9, np.float32)},
    ("unwarp", "tilt"): {"angle": 3.0},
    ("unwarp", "lens"): {"k1": 0.05},
}


def inputs_for(image: np.ndarray) -> dict[str, object]:
    """Give plausible inputs of all tasks."""
    mask = np.zeros(image.shape[:2], bool)
    if mask.size > 1:
        mask.flat[mask.size // 2] = True
    return {"sigma": 0.08, "mask": mask, "psf": np.full((3, 3), 1 / 9, np.float32), "scale": 1.5, "quality": 30}


def run(method: Method, image: np.ndarray) -> np.ndarray:
    """Call a method as its task does."""
    height, width = image.shape[:2]
    inputs = inputs_for(image)
    options = NEEDED_OPTIONS.get((method.task, method.name), {"steps": 12} if method.trains else {})
    if method.trains:
        pytest.importorskip("torch")
    if (method.task, method.name) == ("unwarp", "keystone"):
        w, h = width - 1, height - 1
        options = {"corners": np.array([[0.1 * w, 0.05 * h], [0.9 * w, 0], [w, h], [0, h]], np.float32)}
        if min(w, h) == 0:
            pytest.skip("a line has no perspective")
    return method.function(image, *(inputs[name] for name in method.takes), **options)


@pytest.mark.parametrize("method", list(METHODS), ids=METHOD_IDS)
def test_shape_dtype_and_finiteness_for_every_shape(method: Method) -> None:
    for shape in SHAPES:
        image = np.random.default_rng(0).random(shape, np.float32)
        try:
            result = run(method, image)
        except pytest.skip.Exception:
            continue
        expected = shape
        if method.task == "upscale":
            expected = (*(max(1, int(side * 1.5 + 0.5)) for side in shape[:2]), *shape[2:])
        assert result.shape == expected, shape
        assert result.dtype == np.float32, shape
        assert np.isfinite(result).all(), shape


@pytest.mark.parametrize("method", list(METHODS), ids=METHOD_IDS)
def test_input_is_untouched_and_result_repeatable(method: Method) -> None:
    image = np.random.default_rng(1).random((21, 30, 3), np.float32)
    image.setflags(write=False)
    before = image.copy()
    first, second = run(method, image), run(method, image)
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(first, second)
    assert not np.shares_memory(first, image) or np.array_equal(first, image)


@pytest.mark.parametrize("method", list(METHODS), ids=METHOD_IDS)
def test_a_flat_image_stays_flat(method: Method) -> None:
    if method.task in ("relight", "unwarp") and method.name in ("keystone", "retinex", "clahe", "curve", "fading"):
        pytest.skip("changing the level of a flat image may be what it is for")
    if method.trains:
        pytest.skip("it learns this in more steps than fit here")
    image = np.full((24, 26, 3), 0.5, np.float32)
    result = run(method, image)
    if method.task == "upscale":
        image = np.full((36, 39, 3), 0.5, np.float32)
    np.testing.assert_allclose(result, image, atol=2e-2 if method.name in LEARNED else 3e-3)


@pytest.mark.parametrize("method", [m for m in METHODS if m.task == "denoise"], ids=lambda m: m.name)
def test_sigma_zero_changes_nothing(method: Method) -> None:
    if method.name == "custom":
        pytest.skip("it does what its kernel says")
    image = np.random.default_rng(2).random((20, 22), np.float32)
    np.testing.assert_allclose(method.function(image, 0.0), image, atol=1e-6)


@pytest.mark.parametrize("method", [m for m in METHODS if m.task == "inpaint"], ids=lambda m: m.name)
def test_known_pixels_survive_bit_for_bit(method: Method, colour_photo: np.ndarray) -> None:
    mask = np.random.default_rng(3).random(colour_photo.shape[:2]) < 0.2
    damaged = colour_photo.copy()
    damaged[mask] = np.nan
    result = anew.inpaint(damaged, mask, method=method.name)
    np.testing.assert_array_equal(result[~mask], colour_photo[~mask])
    assert np.isfinite(result).all()
    error = np.sqrt(np.mean((result[mask] - colour_photo[mask]) ** 2))
    assert error < 0.08


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("task", ["denoise", "upscale", "relight"])
def test_tasks_give_the_callers_dtype_back(task: str, dtype: type) -> None:
    top = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1
    image = (np.random.default_rng(4).random((24, 24, 3)) * top).astype(dtype)
    result = getattr(anew, task)(image)
    assert result.dtype == dtype


@pytest.mark.parametrize("method", list(METHODS), ids=METHOD_IDS)
def test_every_method_says_what_it_is(method: Method) -> None:
    assert method.summary
    assert not method.summary.endswith(".")
    assert method.paper
    assert method.function.__doc__ is not None
    assert "Parameters" in method.function.__doc__
    for name, parameter in method.parameters.items():
        assert name in method.function.__doc__, f"option {name} is not documented"
        if (method.task, method.name) not in NEEDED_OPTIONS and method.name != "keystone":
            assert parameter.default is not parameter.empty, f"option {name} has no default"


def test_one_thing_has_one_name() -> None:
    instead = {"num_iter": "n_iter", "iterations": "n_iter", "boundary": "border", "kappa": "contrast"}
    instead |= {"balance": "strength", "radius": "width"}
    neighbourhoods = {("telea", "radius"), ("navier-stokes", "radius")}  # and no Gaussian's
    options = {(method.name, name) for method in METHODS for name in method.parameters}
    assert not {(method, name) for method, name in options - neighbourhoods if name in instead}


def test_a_duplicate_is_refused_and_a_copy_is_independent() -> None:
    mine = METHODS.copy()
    mine.add(Method("mine", "denoise", "a method of one's own", "unpublished"))
    assert "mine" in mine.names("denoise")
    assert "mine" not in METHODS.names("denoise")
    with pytest.raises(ValueError, match="already has a method"):
        mine.add(Method("mine", "denoise", "again", "unpublished"))
    with pytest.raises(ValueError, match="unknown task"):
        Registry((Method("mine", "dance", "no such task", "unpublished"),))


def test_unknown_names_are_answered_with_the_known_ones() -> None:
    image = np.zeros((8, 8), np.float32)
    with pytest.raises(ValueError, match=r"no method 'medan'; it has .*median"):
        anew.denoise(image, 0.1, method="medan")
    with pytest.raises(ValueError, match=r"no option 'sise'; did you mean 'size'\?"):
        anew.denoise(image, 0.1, method="median", sise=3)
    with pytest.raises(ValueError, match="tasks are denoise"):
        anew.methods("dance")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: anew.denoise(np.zeros((4, 4), np.int64)), "expected an image of uint8"),
        (lambda: anew.denoise(np.zeros(4, np.float32)), "shape"),
        (lambda: anew.denoise(np.zeros((0, 4), np.float32)), "shape"),
        (lambda: anew.denoise(np.full((4, 4), np.nan, np.float32)), "NaN"),
        (lambda: anew.denoise(np.zeros((4, 4), np.float32), -1.0), "sigma"),
        (lambda: anew.inpaint(np.zeros((4, 4), np.float32), np.ones((4, 4), bool)), "at least one pixel"),
        (lambda: anew.inpaint(np.zeros((4, 4), np.float32), np.ones((3, 4), bool)), "mask of shape"),
        (lambda: anew.inpaint(np.full((4, 4), np.nan, np.float32), np.eye(4, dtype=bool)), "outside the mask"),
        (lambda: anew.deblur(np.zeros((4, 4), np.float32), np.zeros((3, 3)), method="wiener"), "positive sum"),
        (lambda: anew.deblur(np.zeros((4, 4), np.float32), method="wiener"), "needs a psf"),
        (lambda: anew.denoise(np.zeros((4, 4), np.float32), "0.1"), "sigma must be a finite number, got '0.1'"),
        (lambda: anew.denoise(np.zeros((4, 4), np.float32), [0.1]), "sigma must be a finite number"),
        (lambda: anew.denoise(np.zeros((4, 4)), method="custom"), "needs the option 'kernel'"),
        (lambda: anew.denoise(np.full((4, 4), 1e300)), "16 values that are no picture's, beyond 1,000,000"),
        (lambda: anew.denoise(np.array([[0, -3.4028235e38]], np.float32)), "1 values that are no picture's"),
        (lambda: anew.inpaint(np.zeros((1, 2)), np.array([[100, 200]], np.uint8)), "two values .* got 100 and 200"),
        (lambda: anew.inpaint(np.zeros((1, 2)), np.array([[0, np.nan]])), "two values .* got 0.0 and nan"),
        (lambda: anew.restore(np.zeros((4, 4)), plan={"steps": []}), "plan must be a Plan, .* got dict"),
        (lambda: anew.diagnose(np.full((9, 9), np.nan)), "no pixel of the picture has a value"),
        (lambda: anew.read(None), "expected a path, bytes or a file"),
        (lambda: anew.restore("a.jpg"), r"read the file first: anew.read\('a.jpg'\)"),
        (lambda: anew.denoise(anew.Picture(np.zeros((4, 4, 3), np.float32)), 0.1), "got a Picture; give its .pixels"),
        (lambda: anew.write("a.jpg", "b.png"), "got a name"),
        (lambda: anew.upscale(np.zeros((4, 4), np.float32), 0), "above 0"),
        (lambda: anew.upscale(np.zeros((4, 4), np.float32), 1e4), "up to 64, got 10000"),
        (lambda: anew.deblock(np.zeros((4, 4), np.float32), 50.5), "whole number"),
        (lambda: anew.deblock(np.zeros((4, 4), np.float32), 101), r"\[1, 100\]"),
    ],
)
def test_bad_input_is_one_clear_line(call, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def call(method: Method, image: np.ndarray, **options: object) -> np.ndarray:
    """Call the public function of a method's task."""
    psf = {"psf": np.full((3, 3), 1 / 9)} if "psf" in method.takes else {}
    mask = np.zeros(image.shape[:2], bool)
    mask[8:11, 8:12] = True
    inputs = {"denoise": {"sigma": 0.1}, "inpaint": {"mask": mask}, "deblur": {"sigma": 0.05, **psf}}
    inputs |= {"upscale": {"scale": 2}, "deblock": {"quality": 30}}
    return getattr(anew, method.task)(image, **inputs.get(method.task, {}), method=method.name, **options)


def out_of_range(described: str) -> list[object]:
    """Give values that an option does not take, going by the line of its docstring that names its type."""
    bounds: dict[str, list[object]] = {r"float > 0": [0, -1], r"float >= 0": [-1], r"in \[0, 1\]": [-0.1, 1.1]}
    bounds |= {r"in \(0, 1\]": [0, 1.1], r"int >= 1": [0, 1.5], r"int >= [23]": [1], r"odd": [4]}
    bounds |= {r": (int|odd|float)": ["much", math.nan, math.inf], r"\{": ["nonsense"], r": bool": ["perhaps"]}
    return [value for pattern, values in bounds.items() if re.search(pattern, described) for value in values]


@pytest.mark.parametrize("method", list(METHODS), ids=METHOD_IDS)
def test_a_grey_image_in_three_channels_is_repaired_as_a_grey_one(method: Method, grey_photo: np.ndarray) -> None:
    if method.trains:
        pytest.skip("takes minutes")
    noise = np.random.default_rng(5).normal(0, 0.1, (64, 64))
    grey = (grey_photo[:64, :64] + noise).clip(0, 1).astype(np.float32)
    options = NEEDED_OPTIONS.get((method.task, method.name), {})
    alone, three = (call(method, x, **options) for x in (grey, np.repeat(grey[:, :, None], 3, axis=2)))
    np.testing.assert_allclose(three, np.repeat(alone[:, :, None], 3, axis=2), atol=2e-3)


def call_directly(method: Method, image: np.ndarray, **options: object) -> np.ndarray:
    """Call a method's own function, with plausible inputs where none are given."""
    needed = NEEDED_OPTIONS.get((method.task, method.name), {})
    inputs = {name: value for name, value in inputs_for(image).items() if name in method.takes}
    return method.function(image, **{**inputs, **needed, **options})


@pytest.mark.parametrize("method", list(METHODS), ids=METHOD_IDS)
def test_inputs_are_held_to_their_range_whoever_calls(method: Method) -> None:
    image = np.random.default_rng(0).random((24, 24), np.float32)
    bad = {"sigma": [-0.1, math.nan, math.inf], "scale": [0, -2, math.nan], "quality": [0, 101, 50.5]}
    for name in set(method.takes) & set(bad):
        for value in bad[name]:
            with pytest.raises(ValueError, match=name):
                call_directly(method, image, **{name: value})


def test_a_call_that_does_not_fit_names_the_function() -> None:
    with pytest.raises(TypeError, match=r"denoise_median\(\) got an unexpected keyword argument 'sise'"):
        METHODS.get("denoise", "median").function(np.zeros((4, 4), np.float32), 0.1, sise=3)


@pytest.mark.parametrize("method", list(METHODS), ids=METHOD_IDS)
def test_options_are_held_to_what_is_said_of_them(method: Method) -> None:
    image = np.random.default_rng(0).random((24, 24), np.float32)
    tried = 0
    for name in method.parameters:
        (line,) = re.findall(rf"^ +(?:\w+, )*{name}(?:, \w+)* : .*$", method.function.__doc__ or "", re.MULTILINE)
        for value in out_of_range(line):
            for refusing in (call, call_directly):
                with pytest.raises(ValueError) as caught:
                    refusing(method, image, **{name: value})
                assert name in str(caught.value)
            tried += 1
    assert (
        tried or not method.parameters or method.name in ("unet", "luma-chroma", "custom", "white-balance", "wavelet")
    )


@pytest.mark.parametrize("method", list(METHODS), ids=METHOD_IDS)
def test_an_unknown_option_is_refused_even_where_nothing_is_to_be_done(method: Method) -> None:
    flat = np.full((24, 24), 0.5, np.float32)
    with pytest.raises(ValueError, match="no option 'sise'"):
        call(method, flat, sise=1)
    with pytest.raises(ValueError, match="no option 'sise'"):
        anew.inpaint(flat, np.zeros((24, 24), bool), sise=1)
    with pytest.raises(ValueError, match="no method 'medan'"):
        anew.deblock(flat, method="medan")


@pytest.mark.parametrize("method", list(METHODS), ids=METHOD_IDS)
def test_black_stays_finite_and_the_result_is_the_callers_own(method: Method) -> None:
    options = NEEDED_OPTIONS.get((method.task, method.name), {"steps": 2} if method.trains else {})
    if method.trains:
        pytest.importorskip("torch")
    for shape in ((24, 24), (5, 13), (5, 13, 3)):
        image = np.zeros(shape, np.float32)
        result = call(method, image, **options)
        assert np.isfinite(result).all(), shape
        assert not np.shares_memory(result, image), shape


def test_tasks_and_verbs_are_the_public_functions() -> None:
    for verb in TASKS:
        assert callable(getattr(anew, verb))
        assert anew.methods(verb)
