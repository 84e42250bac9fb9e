"""Noise under JPEG: noise of a known level through another library's encoder, and silence without it."""

from __future__ import annotations

import io

import numpy as np
import pytest
import skimage.data
from PIL import Image

from anew.diagnosis.compressed_noise import estimate_compressed_noise, least_level
from anew.diagnosis.jpeg import JpegTraces, estimate_jpeg_traces
from anew.diagnosis.noise import find_noise
from anew.images import Picture
from anew.restoration.automatic import restore


def compressed(clean: np.ndarray, sigma: float, quality: int) -> np.ndarray:
    """Noise of ``sigma`` of 255, then a JPEG by libjpeg without subsampling of colour."""
    noisy = clean * 255 + sigma * np.random.default_rng(0).standard_normal(clean.shape)
    file = io.BytesIO()
    Image.fromarray(np.rint(noisy.clip(0, 255)).astype(np.uint8)).save(file, "JPEG", quality=quality, subsampling=0)
    return np.asarray(Image.open(file), np.float32) / 255


def wall(*channels: int) -> np.ndarray:
    """Smooth light from top to bottom."""
    light = 0.5 + 0.1 * np.linspace(-1, 1, 256)
    return np.ones((256, 256, *channels)) * light.reshape(256, *(1 for _ in (0, *channels)))


@pytest.mark.parametrize("channels", [(), (3,)])
@pytest.mark.parametrize(("sigma", "quality"), [(2, 80), (6, 80), (12, 50), (25, 50), (25, 20), (45, 10)])
def test_the_level_before_compression(sigma: float, quality: int, channels: tuple[int, ...]) -> None:
    image = compressed(wall(*channels), sigma, quality)
    found = estimate_compressed_noise(image, JpegTraces(quality, (0, 0), 1.0))
    assert 255 * found == pytest.approx(sigma, rel=0.06)


def test_it_is_found_on_a_grid_that_was_cropped() -> None:
    image = compressed(skimage.data.chelsea() / 255, 25, 50)[3:, 5:]
    finding = find_noise(Picture(image))
    assert finding is not None
    assert finding.details["compressed"]
    assert finding.value == pytest.approx(25, rel=0.1)


@pytest.mark.parametrize("quality", [15, 40, 75, 92])
@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "grass"])
def test_compression_alone_is_no_noise(name: str, quality: int) -> None:
    clean = np.asarray(getattr(skimage.data, name)())[:256, :256] / 255
    assert find_noise(Picture(np.atleast_3d(compressed(clean, 0, quality)))) is None


def test_a_picture_too_small_to_tell() -> None:
    assert estimate_compressed_noise(np.zeros((7, 40), np.float32), JpegTraces(30, (0, 0), 1.0)) == 0
    for width, is_told in ((128, False), (136, True)):  # 15 % of 192 blocks are less than 30, of 204 more
        image = compressed(wall(3)[:96, :width], 25, 50)
        assert (estimate_compressed_noise(image, JpegTraces(50, (0, 0), 1.0)) > 0) == is_told


def test_white_that_was_clipped_is_no_quiet_place() -> None:
    lit = wall(3)
    lit[:, :100] = 3
    found = estimate_compressed_noise(compressed(lit, 25, 50), JpegTraces(50, (0, 0), 1.0))
    assert 255 * found == pytest.approx(25, rel=0.06)


def test_coarser_steps_hide_more() -> None:
    levels = [least_level(q) for q in range(10, 100, 10)]
    assert levels == sorted(levels, reverse=True)
    lowest = [16, 11, 10, 16, 12, 12, 14, 14, 13, 14]  # table K.1, which is that of quality 50, up to row + column 3
    assert least_level(50) == pytest.approx(4.6 * np.sqrt(np.mean(lowest)) / 255)


@pytest.mark.parametrize(("quality", "kept"), [(30, ["jpeg", "noise"]), (50, ["noise"])])
def test_it_is_removed_after_the_blocks_or_with_them(quality: int, kept: list[str]) -> None:
    clean = skimage.data.chelsea()[:200, :240] / 255
    damaged = compressed(clean, 25, quality)
    assert estimate_jpeg_traces(damaged) is not None
    restored = restore(Picture(damaged))
    assert [s.kind for s in restored.steps if s.kept] == kept
    blocks_only = restore(Picture(damaged), skip=["noise"]).picture.pixels

    def error(image: np.ndarray) -> float:
        return float(np.mean((image - clean) ** 2))

    assert error(restored.picture.pixels) < 0.5 * error(blocks_only) < 0.5 * error(damaged)
