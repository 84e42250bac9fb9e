"""The mean over turned and mirrored images: which they are, and that each is turned back."""

import numpy as np
import pytest

from anew.inference.ensemble import self_ensemble
from anew.restoration.deblocking.unet import deblock_unet
from anew.restoration.denoising.unet import denoise_unet
from anew.restoration.upscaling.compact import upscale_compact

SIZES = (1, 2, 4, 8)


def photograph(height, width, channels=3):
    rng = np.random.default_rng(0)
    return np.clip(np.linspace(0.2, 0.8, width)[None, :, None] + rng.normal(0, 0.1, (height, width, channels)), 0, 1)


@pytest.mark.parametrize("size", SIZES)
def test_every_symmetry_of_the_square_is_seen_once_and_turned_back(size):
    image, seen = np.arange(6, dtype=np.float32).reshape(2, 3), []

    def run(x):
        assert x.flags.c_contiguous
        seen.append(x.tobytes() + bytes(x.shape))
        return np.kron(x, np.ones((2, 2), np.float32))

    np.testing.assert_array_equal(self_ensemble(run, image, size), run(image))
    assert len(set(seen)) == size


@pytest.mark.parametrize("size", SIZES[1:])
def test_the_mean_does_not_depend_on_how_the_image_was_turned(size):
    def to_the_right(x):
        return np.roll(x, 1, axis=1)

    image = np.random.default_rng(0).random((5, 5)).astype(np.float32)
    turned = np.rot90(self_ensemble(to_the_right, np.rot90(image, 2), size), 2)
    np.testing.assert_allclose(self_ensemble(to_the_right, image, size), turned, atol=1e-6)
    one = np.zeros((5, 5), np.float32)
    one[2, 2] = 1
    neighbours = {2: [(2, 1), (2, 3)], 4: [(2, 1), (2, 3)], 8: [(1, 2), (2, 1), (2, 3), (3, 2)]}[size]
    assert sorted(zip(*np.nonzero(self_ensemble(to_the_right, one, size)), strict=True)) == neighbours


@pytest.mark.parametrize("shape", [(20, 27, 3), (20, 27)])
@pytest.mark.parametrize(
    "method",
    [
        lambda x, n: denoise_unet(x, 0.1, ensemble=n),
        lambda x, n: denoise_unet(x, 0.5, ensemble=n),
        lambda x, n: deblock_unet(x, ensemble=n),
        lambda x, n: deblock_unet(x, 30, ensemble=n),
        lambda x, n: upscale_compact(x, 2.5, ensemble=n),
    ],
)
def test_methods_give_the_mean_in_the_size_of_the_single_result(method, shape):
    image = photograph(*shape[:2], 3).astype(np.float32)
    image = image if len(shape) == 3 else np.ascontiguousarray(image[:, :, 0])
    single, mean = method(image, 1), method(image, 8)
    assert mean.shape == single.shape
    assert 0 < np.abs(mean - single).mean() < 0.02


def test_denoising_gains_by_averaging():
    clean = np.tile(np.sin(np.arange(64) / 3)[:, None, None] * 0.3 + 0.5, (1, 64, 3))
    noisy = (clean + np.random.default_rng(1).normal(0, 0.1, clean.shape)).astype(np.float32)
    errors = [float(np.mean((denoise_unet(noisy, 0.1, ensemble=n) - clean) ** 2)) for n in SIZES]
    assert errors[3] < errors[1] < errors[0]


def test_the_grid_of_a_jpeg_stays_where_it_is_when_mirrored():
    image = photograph(24, 40).astype(np.float32)  # whole blocks of luma, not of halved chroma
    whole = np.pad(image, ((0, 8), (0, 8), (0, 0)), mode="edge")
    np.testing.assert_allclose(deblock_unet(image, ensemble=4), deblock_unet(whole, ensemble=4)[:24, :40], atol=1e-6)


def test_other_sizes_are_refused():
    with pytest.raises(ValueError, match="ensemble should be 1, 2, 4 or 8, got 3"):
        denoise_unet(np.zeros((8, 8), np.float32), 0.1, ensemble=3)
