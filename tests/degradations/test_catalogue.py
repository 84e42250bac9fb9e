"""The list of degradations as a whole: what holds for every one of them."""

from __future__ import annotations

import json

import numpy as np
import pytest

import anew
from anew.degradations.catalogue import (
    DEGRADATIONS,
    degrade,
    degrade_chain,
    degrade_with_truth,
    parse_chain,
)

NAMES = tuple(DEGRADATIONS)
LINEAR = tuple(name for name, d in DEGRADATIONS.items() if d.linear)
NEEDED = {"kernel": {"psf": [[0.0, 0.1, 0.0], [0.2, 0.4, 0.2], [0.0, 0.1, 0.0], [0.0, 0.0, 0.1]]}}
VARIANTS = [
    *((name, NEEDED.get(name, {})) for name in LINEAR),
    ("blur", {"sigma": 2.5, "border": "circular"}),
    ("motion", {"length": 6.3, "angle": 33.0, "border": "circular"}),
    ("defocus", {"radius": 9.0}),
    ("kernel", {"psf": np.arange(12.0).reshape(4, 3) - 3, "border": "circular"}),
    ("tilt", {"angle": -37.0, "border": "constant", "fill": 0.7}),
    ("keystone", {"corners": [[2, 1], [11, -1], [13, 15], [-3, 12]]}),
    ("keystone", {"amount": 0.3, "border": "constant"}),
    ("lens", {"k1": 0.2, "k2": 0.05, "border": "constant", "fill": 1.0}),
    ("rectangles", {"fill": 0.0, "count": 2}),
    ("downscale", {"factor": 2.7}),
]
SHAPES = [(7, 12, 3), (17, 14), (8, 21, 3), (5, 6, 2), (9, 2, 4)]


def options(name: str) -> dict:
    return dict(NEEDED.get(name, {}))


def dot(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sum(a.astype(np.float64) * b.astype(np.float64)))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("name", "parameters"), VARIANTS, ids=lambda v: v if isinstance(v, str) else "")
def test_the_adjoint_of_every_linear_one_is_its_adjoint(name, parameters, shape):
    if name == "cast":
        shape = (*shape[:2], 3)  # it needs colour
    rng = np.random.default_rng(3)
    x = rng.standard_normal(shape).astype(np.float32)
    result = degrade_with_truth(x, name, rng=5, **parameters)
    at_zero = degrade_with_truth(np.zeros_like(x), name, rng=5, **parameters)
    v = rng.standard_normal(result.image.shape).astype(np.float32)
    adjoint = DEGRADATIONS[name].adjoint(v, shape, **result.parameters)
    assert adjoint.shape == shape
    assert adjoint.dtype == np.float32
    forward = result.image.astype(np.float64) - at_zero.image  # the linear part
    left, right = dot(forward, v), dot(x, adjoint)
    assert abs(left - right) <= 1e-5 * np.linalg.norm(forward) * np.linalg.norm(v)


@pytest.mark.parametrize("name", NAMES)
def test_every_one_keeps_its_input_shape_and_type(name, colour_photo):
    before = colour_photo.copy()
    result = degrade_with_truth(colour_photo, name, rng=1, **options(name))
    np.testing.assert_array_equal(colour_photo, before)
    assert result.image.dtype == np.float32
    assert result.image.flags.writeable
    assert not np.shares_memory(result.image, colour_photo)
    assert np.isfinite(result.image).all()
    if name != "downscale":
        assert result.image.shape == colour_photo.shape
    if result.mask is not None:
        assert result.mask.dtype == bool
        assert result.mask.shape == colour_photo.shape[:2]
    json.dumps(result.parameters)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_damage_and_another_does_not(name, colour_photo):
    crop = colour_photo[:48, :64]
    first, second, other = (degrade_with_truth(crop, name, rng=seed, **options(name)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.image, second.image)
    if DEGRADATIONS[name].random:
        assert not np.array_equal(first.image, other.image)
        again = degrade_with_truth(crop, name, rng=first.parameters["seed"], **options(name))
        np.testing.assert_array_equal(first.image, again.image)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1, 3), (2, 3), (3, 2, 4), (5, 4, 1), (6, 6, 2)], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_tiny_images_and_odd_channels_work_or_are_refused_clearly(name, shape):
    image = np.full(shape, 0.5, np.float32)
    try:
        result = degrade_with_truth(image, name, rng=0, **options(name))
    except ValueError as error:
        assert "pixels" in str(error) or "channels" in str(error)  # noqa: PT017
    else:
        assert np.isfinite(result.image).all()
        assert name == "downscale" or result.image.shape == shape


LOCAL = (
    "impulse", "rectangles", "strokes", "lettering", "pixels", "scratches", "tears", "folds", "cracks", "stains",
    "dust",
)  # fmt: skip


@pytest.mark.parametrize("name", LOCAL)
def test_local_damage_touches_nothing_outside_of_its_mask(name, colour_photo):
    result = degrade_with_truth(colour_photo, name, rng=4)
    assert result.mask is not None
    assert 0 < result.mask.mean() < 0.9
    np.testing.assert_array_equal(result.image[~result.mask], colour_photo[~result.mask])
    assert (result.image != colour_photo).any(axis=2)[result.mask].mean() > 0.9


def test_degrade_gives_back_the_dtype():
    byte = np.full((4, 5, 3), 100, np.uint8)
    for image in (byte, byte.astype(np.uint16) * 257, byte / 255.0, (byte / 255).astype(np.float32)):
        result = anew.degrade(image, "noise", rng=0, sigma=0.1)
        assert result.dtype == image.dtype
        assert result.shape == image.shape


def test_unknown_names_and_parameters_list_what_there_is():
    image = np.zeros((4, 4), np.float32)
    with pytest.raises(ValueError, match=r"unknown degradation 'nois'; did you mean 'noise'\?.*jpeg"):
        degrade(image, "nois")
    with pytest.raises(ValueError, match=r"noise has no parameter 'sigm'; did you mean 'sigma'\?.*correlation"):
        degrade(image, "noise", sigm=1)
    with pytest.raises(ValueError, match="kernel needs psf"):
        degrade(image, "kernel")
    with pytest.raises(ValueError, match=r"sigma must be a finite number >= 0, got -1"):
        degrade(image, "noise", sigma=-1)
    with pytest.raises(ValueError, match=r"sigma must be a finite number >= 0, got 'a'"):
        degrade(image, "noise", sigma="a")


@pytest.mark.parametrize("value", ["word", "", [], float("nan"), -7.5])
@pytest.mark.parametrize("name", NAMES)
def test_a_value_that_makes_no_sense_is_a_value_error(name, value, colour_photo):
    """Every option either takes a value, or says ValueError: what people type never ends in another error."""
    # An empty array is what ``angle=[]`` is read as.
    for option in DEGRADATIONS[name].parameters:
        try:
            degrade(colour_photo[:16, :16], name, rng=0, **(options(name) | {option: value}))
        except ValueError as error:
            assert str(error)  # noqa: PT017


def test_a_chain_is_read():
    assert parse_chain("noise:sigma=0.1, jpeg:quality=30:subsampling=4:2:0,tilt") == [
        ("noise", {"sigma": 0.1}),
        ("jpeg", {"quality": 30, "subsampling": "4:2:0"}),
        ("tilt", {}),
    ]
    assert parse_chain("noise:sigma=51/255") == [("noise", {"sigma": 0.2})]
    assert parse_chain("noise:sigma=1/0") == [("noise", {"sigma": "1/0"})]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty name"),
        ("noise,,jpeg", "empty name"),
        ("noise:0.1", "expected KEY=VALUE after noise:, got '0.1'"),
        ("noise:sigma=", "expected KEY=VALUE"),
        ("noise:sigma=1:sigma=2", "twice"),
        ("fog", "unknown degradation 'fog'"),
        ("noise:amount=3", "no parameter 'amount'"),
    ],
)
def test_a_malformed_chain_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        parse_chain(text)


def test_a_chain_applies_its_steps_in_order_and_repeats_with_its_seed(grey_photo):
    steps = degrade_chain(grey_photo, "noise:sigma=0.05,blur:sigma=2", rng=9)
    assert [step.parameters["sigma"] for step in steps] == [0.05, 2]
    np.testing.assert_array_equal(steps[1].image, degrade(steps[0].image, "blur", sigma=2))
    again = degrade_chain(grey_photo, [("noise", {"sigma": 0.05}), ("blur", {"sigma": 2})], rng=9)
    np.testing.assert_array_equal(steps[1].image, again[1].image)


WRONG_SEEDS = [1.9, "1", True, "nonsense", -1, [1, 2], np.random.SeedSequence(1), np.random.RandomState(1)]


@pytest.mark.parametrize("rng", WRONG_SEEDS, ids=str)
def test_what_is_no_seed_is_refused_by_random_damage_and_other_alike(rng):
    image = np.zeros((4, 4), np.float32)
    message = "rng must be an integer of at least 0, a Generator or None, got"
    for call in (
        lambda: degrade(image, "noise", rng=rng),
        lambda: degrade(image, "blur", rng=rng),
        lambda: degrade_chain(image, "blur", rng=rng),
        lambda: DEGRADATIONS["noise"].function(image, rng=rng),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_integers_of_numpy_generators_and_none_are_seeds():
    image = np.zeros((4, 4), np.float32)
    np.testing.assert_array_equal(degrade(image, "noise", rng=np.uint8(7)), degrade(image, "noise", rng=7))
    first, again = (degrade_chain(image, "noise", rng=np.random.default_rng(7))[0].image for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(degrade(image, "noise"), degrade(image, "noise"))


@pytest.mark.parametrize("value", [1e39, 1.1e6, -1e39])
@pytest.mark.parametrize(
    ("name", "option"),
    [
        *((name, "sigma") for name in ("noise", "poisson", "speckle", "stripes", "camera", "low-light")),
        *((name, "fill") for name in ("rectangles", "strokes", "lettering", "pixels", "tears", "tilt", "lens")),
        *(("cast", option) for option in ("red", "green", "blue")),
        ("poisson", "gain"),
    ],
)
def test_a_level_beyond_those_of_pictures_is_refused(name, option, value, colour_photo):
    with pytest.raises(ValueError, match=f"{option} must be (at most 1,000,000|a finite number >= 0)"):
        degrade(colour_photo[:9, :9], name, rng=0, **{option: value})


@pytest.mark.parametrize("value", [1.9, True, float("nan")])
@pytest.mark.parametrize(
    ("name", "option"),
    [(name, option) for name, d in DEGRADATIONS.items() for option, p in d.parameters.items() if p.annotation == "int"],
)
def test_a_count_that_is_no_whole_number_is_refused(name, option, value, colour_photo):
    with pytest.raises(ValueError, match=f"{'quality' if 'quality' in option else option} must be an integer in"):
        degrade(colour_photo[:9, :9], name, rng=0, **{option: value})


@pytest.mark.parametrize("name", NAMES)
def test_its_own_parameters_and_the_seed_repeat_a_damage_and_the_rest_follows(name, colour_photo):
    crop = colour_photo[:24, :32]
    first = degrade_with_truth(crop, name, rng=1, **options(name))
    own = {key: first.parameters[key] for key in DEGRADATIONS[name].parameters}
    again = degrade_with_truth(crop, name, rng=first.parameters.get("seed"), **own)
    np.testing.assert_array_equal(first.image, again.image)
    assert first.parameters == again.parameters
    assert set(first.parameters) - set(own) <= {"seed", "offsets", "black", "white"}
