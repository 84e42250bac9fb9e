import numpy as np
import pytest
import skimage.data
from PIL import Image

from anew.diagnosis.impulses import estimate_impulses, find_impulses
from anew.images import Picture


def replaced(image, density, draw, seed=0):
    rng = np.random.default_rng(seed)
    mask = rng.random(image.shape[:2]) < density
    result = image.copy()
    result[mask] = draw(rng, (int(mask.sum()), 1))
    return result, mask


def salt_and_pepper(rng, shape):
    return rng.integers(0, 2, shape).astype(np.float32)


def anything(rng, shape):
    return rng.random(shape, np.float32)


@pytest.mark.parametrize("density", [0.02, 0.1, 0.4, 0.7])
def test_density_and_mask_of_salt_and_pepper(colour_photo, density):
    noisy, mask = replaced(colour_photo, density, salt_and_pepper)
    finding = find_impulses(Picture(noisy))
    assert finding.details["salt_and_pepper"]
    assert finding.details["density"] == pytest.approx(density, rel=0.35)
    assert (finding.map & mask).sum() >= 0.9 * mask.sum()


@pytest.mark.parametrize("density", [0.02, 0.1])
def test_density_and_mask_of_random_values(colour_photo, density):
    noisy, mask = replaced(colour_photo, density, anything)
    finding = find_impulses(Picture(noisy))
    assert not finding.details["salt_and_pepper"]
    assert finding.details["density"] == pytest.approx(density, rel=0.3)
    assert (finding.map & mask).sum() >= 0.85 * mask.sum()


def single_channels(rng, shape):
    return np.eye(3, dtype=np.float32)[rng.integers(0, 3, shape[0])]


def test_saturated_colours_are_left_alone_where_impulses_are_black_and_white_pixels(colour_photo):
    saturated = ((colour_photo - 0.5) * np.float32([3, 2, 1]) + 0.5).clip(0, 1)
    noisy, mask = replaced(saturated, 0.01, salt_and_pepper)
    found = find_impulses(Picture(noisy)).map
    assert (found & mask).sum() >= 0.75 * mask.sum()
    assert (found & ~mask).sum() <= 0.05 * mask.sum()
    noisy, mask = replaced(colour_photo, 0.1, single_channels)
    assert (find_impulses(Picture(noisy)).map & mask).sum() >= 0.85 * mask.sum()


@pytest.mark.parametrize("density", [0.02, 0.1])
def test_salt_and_pepper_over_noise_that_leaves_no_smooth_place(colour_photo, density):
    strong = colour_photo + np.random.default_rng(1).normal(0, 0.2, colour_photo.shape)
    noisy = (np.rint(strong.clip(0, 1) * 255) / 255).astype(np.float32)
    assert find_impulses(Picture(noisy)) is None
    dotted, mask = replaced(noisy, density, salt_and_pepper)
    finding = find_impulses(Picture(dotted))
    assert finding.details["density"] == pytest.approx(density, rel=0.35)
    assert (finding.map & mask).sum() >= 0.9 * mask.sum()
    assert (finding.map & ~mask).mean() <= 0.015  # where the noise clips all channels


def test_silent_on_a_photograph_with_and_without_noise(colour_photo):
    assert find_impulses(Picture(colour_photo)) is None
    noise = np.random.default_rng(0).normal(0, 20 / 255, colour_photo.shape).astype(np.float32)
    assert find_impulses(Picture(colour_photo + noise)) is None


def test_silent_on_stars():
    stars, _ = replaced(
        np.full((200, 200, 1), 0.05, np.float32), 0.01, lambda rng, shape: 0.5 + 0.5 * anything(rng, shape)
    )
    assert find_impulses(Picture(stars)) is None


def test_silent_on_a_dither_pattern():
    checks = (np.indices((64, 64)).sum(0) % 2).astype(np.float32)[:, :, None]
    assert find_impulses(Picture(checks)) is None


@pytest.mark.parametrize("colours", [64, 32])
def test_silent_on_a_dithered_palette_and_not_on_impulses_in_it(colours):
    photo = Image.fromarray(skimage.data.coffee())
    dithered = photo.quantize(palette=photo.quantize(colours), dither=Image.Dither.FLOYDSTEINBERG)
    picture = np.asarray(dithered.convert("RGB"), np.float32) / 255
    assert estimate_impulses(picture).spikes > 1000  # dots of other colours are everywhere
    assert find_impulses(Picture(picture)) is None
    for draw in (anything, salt_and_pepper):
        noisy, mask = replaced(picture, 0.1, draw)
        finding = find_impulses(Picture(noisy))
        assert finding.details["density"] == pytest.approx(0.1, rel=0.35)
        assert (finding.map & mask).sum() >= 0.85 * mask.sum()


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 3), (7, 7, 4)])
def test_tiny_images_have_an_answer(shape):
    assert estimate_impulses(np.full(shape, 0.5, np.float32)).density == 0
