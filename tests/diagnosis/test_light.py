"""Light and colour: damages of known size are found, good pictures of every kind are not accused."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import skimage.data

import anew
from anew.diagnosis.colour import find_cast, find_fading
from anew.diagnosis.finding import Finding
from anew.diagnosis.light import (
    SMALLEST_SCENE,
    estimate_paper,
    find_ceiling,
    find_contrast,
    find_exposure,
    find_uneven_light,
    pick_soft_pixels,
)
from anew.images import Picture
from anew.registry import METHODS
from anew.small_copy import pick_pixels

FINDERS = [find_exposure, find_contrast, find_cast, find_fading, find_uneven_light]
CLEAN = [
    "astronaut",
    "camera",
    "coffee",
    "chelsea",
    "coins",
    "rocket",
    "brick",
    "horse",
    "text",
    "immunohistochemistry",
]


def picture(pixels: np.ndarray) -> Picture:
    """As it would come from an 8-bit file."""
    pixels = np.rint(np.clip(pixels, 0, 1) * 255) / 255
    return Picture(np.atleast_3d(pixels).astype(np.float32))


def photo(name: str) -> np.ndarray:
    image = np.asarray(getattr(skimage.data, name)())
    return image.astype(np.float64) / (1 if image.dtype == bool else 255)


def found(finding: Finding | None) -> Finding:
    assert finding is not None
    assert 0 < finding.confidence <= 1
    assert finding.message.endswith(".")
    return finding


@pytest.mark.parametrize("name", CLEAN)
@pytest.mark.parametrize("find", FINDERS)
def test_silence_on_good_pictures(find, name: str) -> None:
    assert find(picture(photo(name))) is None


@pytest.mark.parametrize("find", FINDERS)
def test_silence_on_drawings_and_flat_pictures(find) -> None:
    drawing = np.full((300, 400, 3), 0.6)
    drawing[50:200, 80:300] = (0.2, 0.3, 0.4)
    night = 0.05 * np.random.default_rng(0).random((300, 400, 3))
    night[100:110, 100:110] = 1.0  # a lamp
    for pixels in (
        drawing,
        night,
        np.zeros((64, 64)),
        np.ones((64, 64, 3)),
        np.full((1, 1), 0.3),
        np.full((2, 3, 3), 0.3),
    ):
        assert find(picture(pixels)) is None


@pytest.mark.parametrize("find", FINDERS)
@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "rocket"])
def test_silence_on_scraps(find, name: str) -> None:
    image = photo(name)
    for height, width in ((50, 1), (1, 60), (8, 8), (31, 31)):
        for top, left in np.ndindex(4, 5):
            assert find(picture(image[60 * top : 60 * top + height, 60 * left : 60 * left + width])) is None


@pytest.mark.parametrize("find", FINDERS)
@pytest.mark.parametrize("side", [48, 64, 100, 150])
def test_silence_on_parts_of_good_photographs(find, side: int) -> None:
    for name in ("astronaut", "chelsea", "coffee", "rocket"):
        image = photo(name)
        for top in range(0, image.shape[0] - side + 1, 100):
            for left in range(0, image.shape[1] - side + 1, 100):
                assert find(picture(image[top : top + side, left : left + side])) is None


def test_a_small_picture_whose_clipped_lights_are_dark_is_underexposed() -> None:
    clipped = np.minimum(1, 1.6 * photo("astronaut"))[::4, ::4]
    assert clipped.shape[0] * clipped.shape[1] < SMALLEST_SCENE
    assert found(find_exposure(picture(0.5 * clipped))).value < 0


@pytest.mark.parametrize("stops", [-1.5, -2.5, -4.0])
def test_underexposure_is_told_in_stops(stops: float) -> None:
    light = ((photo("astronaut") + 0.055) / 1.055) ** 2.4 * 2.0**stops
    finding = found(find_exposure(picture(1.055 * np.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055)))
    assert finding.value == pytest.approx(stops, abs=0.15)


@pytest.mark.parametrize("name", ["astronaut", "coffee"])
def test_what_a_denoiser_leaves_does_not_hide_a_ceiling(name: str) -> None:
    light = ((photo(name) + 0.055) / 1.055) ** 2.4 * 2.0**-1.5
    dark = 1.055 * np.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055
    left = 0.015 * np.random.default_rng(0).standard_normal(dark.shape)
    assert find_exposure(picture(dark + left)) is None
    finding = found(find_exposure(picture(dark + left), repaired=True))
    assert finding.value == pytest.approx(-1.5, abs=0.2)
    assert find_exposure(picture(photo(name) + left), repaired=True) is None


@pytest.mark.parametrize("shape", [(1, 1), (5, 300, 3), (257, 40, 1), (1400, 1100, 3)])
def test_a_picture_softened_in_bands_is_softened_as_a_whole(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).random(shape, np.float32)
    whole = pick_pixels(np.asarray(cv2.GaussianBlur(image, (0, 0), 1.0), np.float32))
    np.testing.assert_allclose(pick_soft_pixels(image), whole, atol=1e-6)


def test_a_plain_sky_is_not_too_dark() -> None:
    sky = np.broadcast_to(np.linspace(0.42, 0.6, 300)[:, None, None], (300, 400, 3)) * [0.9, 0.95, 1.0]
    rng = np.random.default_rng(0)
    sky = sky + 0.01 * rng.standard_normal(sky.shape)
    sky[140:160, 150:250] = 0.2 + 0.1 * rng.random((20, 100, 3))  # what flies there
    assert find_exposure(picture(sky)) is None
    assert find_exposure(picture(0.6 * sky)) is not None


def test_a_flat_picture() -> None:
    finding = found(find_contrast(picture(0.35 + 0.3 * photo("astronaut"))))
    assert finding.value == pytest.approx(30, abs=2)


def test_sky_and_snow_are_not_flat() -> None:
    rng = np.random.default_rng(0)
    clouds = cv2.GaussianBlur(rng.standard_normal((300, 400)), (0, 0), 20)[:, :, None]
    sky = np.array([0.45, 0.55, 0.7]) + 0.05 * clouds / clouds.std() * [1.0, 0.8, 0.5]
    sky[200:240, 100:300] = [0.35, 0.33, 0.32] + 0.05 * rng.random((40, 200, 1))  # what flies there
    snow = 0.8 + 0.04 * clouds[:, :, 0] / clouds.std() + 0.01 * rng.standard_normal((300, 400))
    for pixels in (sky, snow):
        low, high = np.percentile(pixels, (0.1, 99.9))
        assert high - low < 0.5
        assert find_contrast(picture(pixels)) is None


@pytest.mark.parametrize(
    ("black", "white"),
    [((5, 25, 80), (220, 240, 250)), ((20, 10, 5), (255, 235, 200))],
)
@pytest.mark.parametrize("name", ["astronaut", "coffee", "rocket"])
def test_a_picture_toned_on_purpose_has_no_cast(name: str, black: tuple[int, ...], white: tuple[int, ...]) -> None:
    grey = np.minimum(1.1 * photo(name) @ [0.3, 0.6, 0.1], 1)[:, :, None]  # with highlights that clip
    assert find_cast(picture((np.array(black) + grey * (np.array(white) - np.array(black))) / 255)) is None


@pytest.mark.parametrize("gains", [(1.0, 1.0, 0.75), (0.8, 1.0, 1.0), (1.0, 0.85, 0.7)])
def test_a_cast_and_its_gains(gains: tuple[float, float, float]) -> None:
    finding = found(find_cast(picture(np.minimum(1.2 * photo("astronaut"), 1) * np.array(gains))))
    np.testing.assert_allclose(finding.details["gains"], 1 / np.array(gains), rtol=0.01)


@pytest.mark.parametrize("what", ["conic-gradient", "flow-lines"])
def test_colours_without_white_have_no_cast(what: str) -> None:
    assert find_cast(picture(anew.generate(what, size=300)[0])) is None


def test_a_faded_print_and_its_range() -> None:
    black, white = np.array([0.3, 0.22, 0.18]), np.array([0.95, 0.9, 0.78])
    finding = found(find_fading(picture(black + photo("astronaut") * (white - black))))
    np.testing.assert_allclose(finding.details["black"], black, atol=0.03)
    np.testing.assert_allclose(finding.details["white"], white, atol=0.03)


@pytest.mark.parametrize("seed", range(4))
def test_a_smooth_gradient_of_warm_colours_is_not_faded(seed: int) -> None:
    corners = np.random.default_rng(seed).uniform(0.3, 0.8, (3, 3, 1)) + np.array([0.12, 0.03, -0.1])
    assert find_fading(picture(cv2.resize(corners, (400, 300), interpolation=cv2.INTER_CUBIC))) is None


def test_a_page_in_a_shadow() -> None:
    rng = np.random.default_rng(0)
    page = np.full((400, 500), 0.95)
    for y in range(20, 380, 16):
        page[y : y + 6, 20:480] -= 0.8 * np.repeat(rng.random(115) < 0.5, 4)
    light = np.linspace(1, 0.4, 500)
    assert find_uneven_light(picture(page)) is None
    finding = found(find_uneven_light(picture(page * light)))
    assert finding.value == pytest.approx(57, abs=6)
    paper = estimate_paper((page * light).astype(np.float32))
    assert paper is not None
    repaired = METHODS.get("relight", "retinex").function((page * light).astype(np.float32), **finding.details)
    levels = np.percentile(repaired.reshape(400, 10, 50).swapaxes(0, 1).reshape(10, -1), 90, axis=1)
    assert levels.min() / levels.max() > 0.9


def test_clipped_values_pile_up() -> None:
    values = np.random.default_rng(0).normal(0.5, 0.2, 100_000).clip(0, 0.8).astype(np.float32)
    ceiling = find_ceiling(values)
    assert ceiling.piled_up
    assert ceiling.value == pytest.approx(0.8, abs=0.003)
    assert not find_ceiling(np.linspace(0, 0.8, 100_000, dtype=np.float32)).piled_up


@pytest.mark.parametrize(
    ("find", "damage"),
    [
        (find_exposure, lambda x: 0.3 * x),
        (find_contrast, lambda x: 0.35 + 0.3 * x),
        (find_cast, lambda x: x * np.array([1, 1, 0.75])),
        (find_fading, lambda x: np.array([0.3, 0.22, 0.18]) + 0.65 * x),
    ],
)
def test_details_are_parameters_of_the_repair(find, damage) -> None:
    image = np.minimum(1.2 * photo("astronaut"), 1)  # with highlights that clip, as most photographs have
    damaged = picture(damage(image))
    finding = found(find(damaged))
    method = {"cast": "white-balance", "fading": "fading"}.get(finding.kind, "curve")
    repaired = METHODS.get("relight", method).function(damaged.pixels, **finding.details)
    before, after = (np.mean((x - image) ** 2) for x in (damaged.pixels, repaired))
    assert after < (0.3 if finding.kind == "fading" else 0.25) * before
