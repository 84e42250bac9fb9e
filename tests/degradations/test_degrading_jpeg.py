"""JPEG degradation is the codec itself."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from anew.degradations.jpeg import compress, double_jpeg, jpeg


def by_file(levels: np.ndarray, **options) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(levels).save(file, "JPEG", **options)
    return np.asarray(Image.open(io.BytesIO(file.getvalue())))


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_colour_equals_pillow(colour_photo, subsampling):
    levels = np.rint(colour_photo * 255).astype(np.uint8)[:77, :51]
    ours = jpeg(levels.astype(np.float32) / 255, quality=25, subsampling=subsampling).image
    np.testing.assert_array_equal(np.rint(ours * 255), by_file(levels, quality=25, subsampling=subsampling))


def test_grey_equals_pillow_in_both_shapes(grey_photo):
    levels = np.rint(grey_photo * 255).astype(np.uint8)
    expected = by_file(levels, quality=10)
    np.testing.assert_array_equal(np.rint(jpeg(grey_photo, quality=10).image * 255), expected)
    np.testing.assert_array_equal(np.rint(jpeg(grey_photo[:, :, None], quality=10).image * 255)[:, :, 0], expected)


def test_subsampling_changes_the_colour(colour_photo):
    assert not np.array_equal(compress(colour_photo, 80, "4:4:4"), compress(colour_photo, 80, "4:2:0"))


def test_blocks_of_a_second_compression_lie_where_they_should(grey_photo):
    """The first grid leaves its steps at columns 8 k - shift, the second at 8 k."""

    def steps(image):
        jumps = np.abs(np.diff(image[:, :120], 2, axis=1)).mean(axis=0)
        return [float(jumps[start::8].mean()) for start in range(8)]  # of the differences around column start + 1

    aligned = steps(double_jpeg(grey_photo, first_quality=5, quality=95).image)
    shifted = steps(double_jpeg(grey_photo, first_quality=5, quality=95, shift_x=3, shift_y=5).image)
    assert set(np.argsort(aligned)[-2:]) == {6, 7}
    assert set(np.argsort(shifted)[-2:]) == {3, 4}


def test_without_a_shift_it_is_twice_the_same_codec(colour_photo):
    twice = double_jpeg(colour_photo, first_quality=30, quality=70).image
    np.testing.assert_array_equal(twice, compress(compress(colour_photo, 30), 70))


def test_what_jpeg_cannot_hold_is_refused():
    with pytest.raises(ValueError, match="1 or 3 channels, got 2"):
        jpeg(np.zeros((8, 8, 2), np.float32))
    with pytest.raises(ValueError, match=r"quality must be an integer in \[1, 100\], got 0"):
        jpeg(np.zeros((8, 8), np.float32), quality=0)
    with pytest.raises(ValueError, match="subsampling must be one of 4:4:4, 4:2:2, 4:2:0, got '4:1:1'"):
        jpeg(np.zeros((8, 8), np.float32), subsampling="4:1:1")
    with pytest.raises(ValueError, match="sides up to 65500 pixels, got 65501 x 1"):
        jpeg(np.zeros((1, 65_501), np.float32))
    with pytest.raises(ValueError, match="shift_x"):
        double_jpeg(np.zeros((8, 8), np.float32), shift_x=16)
