"""The perceptual distance: what any distance must do, and what a perceptual one should."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
from scipy.ndimage import gaussian_filter

from anew.metrics import features
from anew.metrics.features import open_extractor
from anew.metrics.perceptual import perceptual_distance


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return (skimage.data.astronaut()[40:232, 120:312] / 255).astype(np.float32)


def noisy(photo: np.ndarray, sigma: float) -> np.ndarray:
    return photo + np.random.default_rng(0).normal(0, sigma, photo.shape).astype(np.float32)


def test_equal_pictures_are_at_distance_zero_and_it_is_symmetric(photo: np.ndarray) -> None:
    other = np.clip(noisy(photo, 0.05), 0, 1)
    assert perceptual_distance(photo, photo, data_range=1) == 0
    there, back = (perceptual_distance(a, b, data_range=1) for a, b in ((photo, other), (other, photo)))
    assert there == pytest.approx(back, rel=1e-6)


def test_it_grows_with_noise_and_with_blur(photo: np.ndarray) -> None:
    by_noise = [perceptual_distance(noisy(photo, s), photo, data_range=1) for s in (0.01, 0.03, 0.1)]
    by_blur = [perceptual_distance(gaussian_filter(photo, (s, s, 0)), photo, data_range=1) for s in (0.5, 1, 2)]
    assert by_noise == sorted(by_noise)
    assert by_blur == sorted(by_blur)
    assert by_noise[0] > 0
    assert by_blur[2] < 2


def test_a_blur_is_worse_than_a_change_of_brightness_of_the_same_error(photo: np.ndarray) -> None:
    blurred = gaussian_filter(photo, (1.5, 1.5, 0))
    error = np.sqrt(np.mean((blurred - photo) ** 2))
    inside = 0.2 + 0.6 * photo  # so that nothing clips
    brighter = inside + error
    blurred = 0.2 + 0.6 * blurred
    assert perceptual_distance(brighter, inside, data_range=1) < perceptual_distance(blurred, inside, data_range=1)


def test_it_is_the_stated_formula_place_by_place(photo: np.ndarray) -> None:
    x, y = photo[:40, :56], np.clip(noisy(photo, 0.1), 0, 1)[:40, :56]
    session = open_extractor("photos").session
    names = [output.name for output in session.get_outputs()]
    of_x, of_y = (
        dict(zip(names, session.run(None, {"image": z.transpose(2, 0, 1)[None]}), strict=True)) for z in (x, y)
    )
    means = []
    for level in ("level0", "level1", "level2"):
        a, b = of_x[level][0].astype(np.float64), of_y[level][0].astype(np.float64)
        squares = []
        for row in range(a.shape[1]):
            for column in range(a.shape[2]):
                u, v = a[:, row, column], b[:, row, column]
                squares.append(2 - 2 * u @ v / max(np.linalg.norm(u) * np.linalg.norm(v), 1e-20))
        means.append(np.mean(squares))
    assert perceptual_distance(x, y, data_range=1) == pytest.approx(np.mean(means), rel=1e-4)


def test_the_unit_and_the_number_of_equal_channels_do_not_matter(photo: np.ndarray) -> None:
    grey = photo.mean(axis=2)
    other = gaussian_filter(grey, 1)
    distance = perceptual_distance(other, grey, data_range=1)
    assert perceptual_distance(other * 255, grey * 255, data_range=255) == pytest.approx(distance, rel=1e-4)
    threefold = (np.repeat(x[:, :, None], 3, axis=2) for x in (other, grey))
    assert perceptual_distance(*threefold, data_range=1) == pytest.approx(distance, rel=1e-6)


def test_large_pictures_are_compared_in_pieces(photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    other = gaussian_filter(photo, (1, 1, 0))
    whole = perceptual_distance(other, photo, data_range=1)
    monkeypatch.setattr(features, "TILE", 100)
    assert perceptual_distance(other, photo, data_range=1) == pytest.approx(whole, rel=0.05)


@pytest.mark.parametrize(
    ("shape", "message"), [((31, 80), "at least 32 pixels"), ((40, 40, 4), "1 or 3 channels"), ((40,), "shape")]
)
def test_what_cannot_be_compared_is_said(shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        perceptual_distance(np.zeros(shape), np.zeros(shape), data_range=1)


@pytest.mark.parametrize("nonsense", [0, -1, np.nan, np.inf])
def test_a_range_that_is_none_is_refused(photo: np.ndarray, nonsense: float) -> None:
    with pytest.raises(ValueError, match="data_range must be a finite number above 0"):
        perceptual_distance(photo, photo, data_range=nonsense)
