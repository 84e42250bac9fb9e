import cv2
import numpy as np
import pytest
import skimage.data

from anew.structure.screens import is_screened, lattice_strength


def halftone(grey, pitch, degrees):
    """Screen an (H, W) image in [0, 1] with dots on a turned lattice."""
    y, x = np.indices(grey.shape)
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    along, across = 2 * np.pi * (x * c + y * s) / pitch, 2 * np.pi * (y * c - x * s) / pitch
    return (grey > (np.cos(along) + np.cos(across)) / 4 + 0.5).astype(np.float32)


@pytest.mark.parametrize(("pitch", "degrees"), [(4, 45), (6, 15), (9, 30), (14, 0)])
def test_a_halftone_is_screened_hard_and_soft(pitch, degrees):
    dots = halftone(skimage.data.camera() / 255, pitch, degrees)
    assert is_screened(dots)
    assert is_screened(np.asarray(cv2.GaussianBlur(dots, (0, 0), 0.7)))


@pytest.mark.parametrize("name", ["astronaut", "brick", "camera", "coffee", "grass", "gravel", "page", "text", "coins"])
def test_photographs_and_pages_are_not(name):
    assert not is_screened(getattr(skimage.data, name)().astype(np.float32) / 255)


def test_lines_repeat_in_one_direction_only():
    stripes = np.tile(np.repeat(np.float32([0, 1]), 4), 32) * np.ones((256, 1), np.float32)
    assert lattice_strength(stripes) < 0.1
    checks = np.kron(np.indices((32, 32)).sum(0) % 2, np.ones((8, 8))).astype(np.float32)
    assert lattice_strength(checks) > 0.9


@pytest.mark.parametrize("side", [4, 8, 12, 15])
def test_what_repeats_exactly_has_strength_one(side):
    checks = np.kron(np.indices((512 // side, 400 // side)).sum(0) % 2, np.ones((side, side))).astype(np.float32)
    assert 0.99 < lattice_strength(checks) <= 1
    assert 0.99 < lattice_strength(np.dstack([checks, 1 - checks, checks])) <= 1


@pytest.mark.parametrize("degrees", [0, 15, 45])
def test_dots_lie_up_to_thirty_pixels_apart(degrees):
    even = np.full((512, 512), 0.3)
    for pitch in (3.5, 16, 30):
        assert lattice_strength(halftone(even, pitch, degrees)) > 0.9
    for pitch in (34, 40):  # further than it looks
        assert lattice_strength(halftone(even, pitch, degrees)) == 0


@pytest.mark.parametrize("shape", [(1, 1), (5, 7, 3), (63, 400), (64, 64)])
def test_tiny_and_flat_images_are_not(shape):
    assert not is_screened(np.full(shape, 0.5, np.float32))


def test_the_middle_is_looked_at():
    dots = halftone(np.full((900, 800), 0.3), 6, 15)
    noise = np.random.default_rng(0).random(dots.shape).astype(np.float32)
    middle = np.zeros(dots.shape, bool)
    middle[194:706, 144:656] = True
    assert lattice_strength(np.where(middle, dots, noise)) > 0.9
    assert not is_screened(np.where(middle, noise, dots))


def test_the_smallest_side_that_tells():
    dots = halftone(np.full((64, 64), 0.3), 6, 15)
    assert is_screened(dots)
    assert lattice_strength(dots[:63]) == lattice_strength(dots[:, :63]) == 0


def test_dots_on_half_of_a_picture_are_half_as_strong():
    dots = halftone(np.full((256, 256), 0.3), 6, 15)
    noise = np.random.default_rng(0).random(dots.shape).astype(np.float32)
    assert 0.3 < lattice_strength(np.where(np.arange(256) < 128, dots, noise)) < 0.7
