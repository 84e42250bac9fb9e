"""Margins and bands between pictures, against where they were drawn."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data

from anew.structure.page_layout import mark_layout


def photograph(name: str, height: int, width: int) -> np.ndarray:
    return (getattr(skimage.data, name)()[:height, :width] / np.float32(256)).astype(np.float32)


@pytest.fixture
def collage() -> tuple[np.ndarray, np.ndarray]:
    """One picture beside two, with white between and around them; and where that is."""
    pixels = np.ones((220, 330, 3), np.float32)
    pixels[10:210, 12:200] = photograph("astronaut", 200, 188)
    pixels[10:110, 206:320] = photograph("coffee", 100, 114)
    pixels[116:210, 206:320] = photograph("chelsea", 94, 114)
    return pixels, (pixels == 1).all(axis=2)


def test_bands_between_pictures_are_layout_and_nothing_else(collage):
    pixels, white = collage
    for turned, region in ((pixels, white), (pixels.transpose(1, 0, 2), white.T)):
        np.testing.assert_array_equal(mark_layout(turned, region), region)


def test_a_hole_in_a_picture_of_a_collage_is_no_layout(collage):
    pixels, white = collage
    hole = np.zeros_like(white)
    hole[60:90, 40:80] = True
    pixels[hole] = 1
    np.testing.assert_array_equal(mark_layout(pixels, white | hole), white)


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "rocket"])
def test_a_lost_band_is_no_layout_but_the_margins_around_it_are(name):
    pixels = np.pad(photograph(name, 200, 300), ((8, 8), (8, 8), (0, 0)), constant_values=1)
    pixels[100:104] = 1
    region = (pixels == 1).all(axis=2)
    margin = np.ones_like(region)
    margin[8:-8, 8:-8] = False
    np.testing.assert_array_equal(mark_layout(pixels, region), margin)


def test_noise_does_not_hide_that_a_picture_goes_on():
    pixels = photograph("chelsea", 200, 300)
    pixels += np.random.default_rng(0).normal(0, 0.3, pixels.shape).astype(np.float32)
    pixels[100:104] = 1
    assert not mark_layout(pixels, (pixels == 1).all(axis=2)).any()


def test_what_is_of_the_colour_on_both_sides_does_not_tell_that_a_picture_goes_on():
    pixels = np.ones((206, 300, 3), np.float32)
    pixels[:100, :150] = photograph("astronaut", 100, 150)
    pixels[106:, :150] = photograph("chelsea", 100, 150)
    pixels[50, 150:] = pixels[150, 150:] = 0  # so that the columns on the right are none of a margin
    region = (pixels == 1).all(axis=2)
    assert mark_layout(pixels, region)[100:106].all()


def test_what_is_seen_through_no_value_is_compared_elsewhere():
    """A picture that goes on is known by the pixels that have a value; a few of them say nothing."""
    pixels = photograph("astronaut", 200, 300)
    pixels[100:104] = 1
    region = (pixels == 1).all(axis=2)
    pixels[90:100, :150] = np.nan
    assert not mark_layout(pixels, region).any()
    pixels[90:100, 150:180] = pixels[90:100, 190:] = np.nan
    assert mark_layout(pixels, region)[100:104].all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 1), (4, 4)])
@pytest.mark.parametrize("full", [True, False])
def test_all_or_nothing(shape, full):
    region = np.full(shape, full)
    np.testing.assert_array_equal(mark_layout(np.ones((*shape, 3), np.float32), region), region)
