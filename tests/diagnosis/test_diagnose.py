import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageDraw

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


def grey(name):
    return Image.fromarray(getattr(skimage.data, name)()).convert("L")


@pytest.mark.parametrize("name", ["astronaut", "camera", "rocket"])
def test_dither_thresholds_and_posters_have_nothing_wrong(name):
    photo = np.asarray(grey(name))
    dithered = np.asarray(grey(name).convert("1"))
    for picture in (dithered, photo > np.median(photo), (photo // 64 * 85).astype(np.uint8)):
        assert anew.diagnose(picture).findings == ()
        lost = picture.astype(np.float32)
        lost[100:140, 200:260] = np.nan
        diagnosis = anew.diagnose(lost)
        assert [finding.kind for finding in diagnosis.findings] == ["holes"]
        assert (diagnosis.hole_mask == np.isnan(lost)).all()


@pytest.mark.parametrize("seed", [0, 1])
def test_blobs_and_dots_of_two_values_have_nothing_wrong(seed):
    rng = np.random.default_rng(seed)
    assert anew.diagnose(rng.random((128, 128)) < 0.5).findings == ()
    for width in (2, 5, 12):
        assert anew.diagnose(cv2.GaussianBlur(rng.standard_normal((200, 200)), (0, 0), width) > 0).findings == ()


@pytest.mark.parametrize("softness", [0.0, 0.7])
def test_the_dots_of_a_screen_are_no_damage(softness):
    photo = cv2.resize(skimage.data.coffee(), (480, 320), interpolation=cv2.INTER_AREA)[:, :, 1] / 255
    y, x = np.indices(photo.shape)
    dots = photo > (np.cos(np.pi / 4.2 * (x + y)) + np.cos(np.pi / 4.2 * (x - y))) / 4 + 0.5
    soft = cv2.GaussianBlur(255 * dots.astype(np.uint8), (0, 0), softness) if softness else dots
    kinds = {finding.kind for finding in anew.diagnose(soft).findings}
    assert not kinds & {"scratches", "holes", "text", "impulses", "resolution"}


def outlines(seed):
    """Draw shapes with thin outlines on a flat ground, antialiased, as (400, 400, 3) uint8."""
    rng = np.random.default_rng(seed)
    colours = [tuple(int(v) for v in rng.integers(20, 235, 3)) for _ in range(2)]
    picture = Image.new("RGB", (800, 800), colours[0])
    pen = ImageDraw.Draw(picture)
    for _ in range(12):
        middle = rng.integers(0, 800, 2)
        corners = [tuple(int(v) for v in middle + 2 * rng.integers(-60, 60, 2)) for _ in range(4)]
        if rng.random() < 0.5:
            pen.polygon(corners, tuple(int(v) for v in rng.integers(20, 235, 3)))
        pen.line([*corners, corners[0]], colours[1], 2)
    return np.asarray(picture.resize((400, 400), Image.Resampling.BOX))


@pytest.mark.parametrize("seed", [2, 5, 11])
def test_the_outlines_of_a_drawing_are_no_scratches(seed):
    drawing = outlines(seed)
    assert anew.diagnose(drawing).findings == ()
    assert not anew.restore(drawing).changed


@pytest.mark.parametrize(("seed", "quality"), [(2, 92), (28, 80), (28, 92), (33, 92)])
def test_nor_are_they_in_a_jpeg(seed, quality):
    coded = cv2.imencode(".jpg", outlines(seed)[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    diagnosis = anew.diagnose(cv2.imdecode(coded, cv2.IMREAD_COLOR)[:, :, ::-1])
    assert diagnosis.get("scratches") is None


@pytest.mark.parametrize("degrees", [8, 94])
@pytest.mark.parametrize("shape", ["stripes", "dots"])
def test_a_drawn_pattern_has_nothing_wrong(shape, degrees):
    y, x = np.indices((400, 400))
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    along, across = 2 * np.pi * (x * c + y * s) / 9, 2 * np.pi * (y * c - x * s) / 9
    on = np.cos(along) + (np.cos(across) if shape == "dots" else 0) > 0.3
    shade = 0.7 + 0.3 * x / 400
    pattern = np.where(on[:, :, None], np.float32((150, 90, 160)), np.float32((60, 110, 80))) * shade[:, :, None]
    diagnosis = anew.diagnose(np.rint(pattern).astype(np.uint8))
    assert diagnosis.findings == ()
    assert diagnosis.noise_sigma == 0


def test_impulses_in_a_drawing_are_found_and_no_noise_behind_them():
    drawing = outlines(5)
    rng = np.random.default_rng(0)
    dotted = np.where(rng.random((400, 400, 1)) < 0.02, 255 * rng.integers(0, 2, (400, 400, 1)), drawing)
    restored = anew.restore(dotted.astype(np.uint8))
    assert [step.kind for step in restored.steps] == ["impulses"]
    assert np.mean(np.abs(restored.picture.pixels - np.float32(drawing / 255))) < 0.002


def test_what_lies_under_transparency_is_no_evidence():
    rng = np.random.default_rng(0)
    photo = skimage.data.astronaut()[:256, 100:356].copy()
    alpha = np.full(photo.shape[:2], 255, np.uint8)
    alpha[60:200, 40:220] = 0
    alpha[120:140] = 128  # seen through
    photo[alpha == 0] = rng.integers(0, 2, (int((alpha == 0).sum()), 1)) * 255
    photo[70:100, 60:200] = 255
    assert anew.diagnose(np.dstack([photo, alpha])).findings == ()


@pytest.mark.parametrize("size", [24, 48])
def test_an_icon_keeps_its_transparent_pixels(size):
    icon = np.zeros((4 * size, 4 * size, 4), np.uint8)
    cv2.circle(icon, (2 * size, 2 * size), int(1.9 * size), (60, 120, 220, 255), -1)
    cv2.circle(icon, (2 * size, 2 * size), size, (255, 255, 255, 255), -1)
    cv2.rectangle(icon, (int(1.5 * size), int(1.5 * size)), (int(2.5 * size), int(2.5 * size)), (0, 0, 0, 0), -1)
    small = np.asarray(Image.fromarray(icon).resize((size, size), Image.Resampling.LANCZOS))
    restored = anew.restore(small)
    assert restored.diagnosis.findings == ()
    assert not restored.changed
