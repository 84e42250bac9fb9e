import cv2
import numpy as np
import pytest
import skimage.data

import anew


def test_a_clean_photograph_has_nothing_wrong():
    diagnosis = anew.diagnose(skimage.data.astronaut())
    assert diagnosis.findings == ()
    assert str(diagnosis) == "Nothing wrong was found."
    assert diagnosis.hole_mask is None
    assert diagnosis.noise_sigma < 2 / 255


def test_damages_are_found_together(colour_photo):
    rng = np.random.default_rng(0)
    damaged = colour_photo + rng.normal(0, 20 / 255, colour_photo.shape).astype(np.float32)
    damaged = np.rint(np.clip(damaged, 0, 1) * 255) / 255
    damaged[20:50, 20:60] = (1, 0, 1)
    diagnosis = anew.diagnose(damaged.astype(np.float32))
    assert {finding.kind for finding in diagnosis.findings} == {"noise", "holes"}
    assert 255 * diagnosis.noise_sigma == pytest.approx(20, rel=0.15)
    assert diagnosis.hole_mask[20:50, 20:60].all()
    assert diagnosis.hole_mask.sum() == 30 * 40
    assert "noise" in str(diagnosis)


@pytest.mark.parametrize("value", [np.nan, np.inf, -3.4028235e38, 1e7])
def test_what_is_no_value_is_a_hole_and_does_not_reach_the_other_finders(colour_photo, value):
    damaged = colour_photo.copy()
    damaged[20:50, 20:60] = value
    diagnosis = anew.diagnose(damaged)
    assert [finding.kind for finding in diagnosis.findings] == ["holes"]
    assert diagnosis.noise_sigma < 0.1
    restored = anew.restore(damaged)
    assert np.abs(restored.picture.pixels - colour_photo).max() < 1
    assert np.array_equal(restored.picture.pixels[60:], damaged[60:])


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_arrays_of_one_to_four_channels_are_pictures(channels):
    array = np.full((20, 16, channels), 200, np.uint8)
    assert anew.diagnose(array).findings == ()
    restored = anew.restore(array)
    assert not restored.changed
    assert (restored.picture.alpha is not None) == (channels in (2, 4))


def test_jpeg_quality_is_given():
    coded = cv2.imencode(".jpg", skimage.data.camera(), [cv2.IMWRITE_JPEG_QUALITY, 25])[1]
    diagnosis = anew.diagnose(cv2.imdecode(coded, cv2.IMREAD_UNCHANGED))
    assert diagnosis.jpeg_quality == 25
    assert diagnosis.get("jpeg").details["offset"] == [0, 0]


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 3), (5, 7, 3)])
def test_tiny_images_have_an_answer(shape):
    assert anew.diagnose(np.full(shape, 0.5, np.float32)).findings == ()
