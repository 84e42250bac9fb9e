import numpy as np
import pytest
import skimage.data
from PIL import Image

from anew.structure.few_tones import has_few_tones, is_dithered


def planes(picture):
    return np.atleast_3d(np.asarray(picture, np.float32) / 255)


def few(pixels):
    return has_few_tones(pixels, np.ones(pixels.shape[:2], bool))


@pytest.mark.parametrize("name", ["astronaut", "camera", "coffee", "moon", "page"])
def test_photographs_have_many_tones_and_their_dither_has_two(name):
    photo = Image.fromarray(getattr(skimage.data, name)())
    assert not few(planes(photo))
    dithered = planes(photo.convert("1").convert("L"))
    assert few(dithered)
    assert is_dithered(dithered)


def test_a_poster_of_eight_tones_has_few_and_is_no_dither():
    poster = planes(skimage.data.camera() // 32 * 36)
    assert few(poster)
    assert not is_dithered(planes(skimage.data.page() // 128 * 255))


def test_the_few_values_of_a_dark_photograph_are_no_tones_apart():
    dark = planes(skimage.data.camera() // 42)
    assert len(np.unique(dark)) == 7
    assert not few(dark)


def test_nine_tones_are_many_and_tones_lie_sixteen_levels_apart():
    rng = np.random.default_rng(1)
    for number, apart, expected in ((8, 16, True), (9, 16, False), (8, 15, False), (2, 15, False), (1, 0, True)):
        picture = planes(40 + apart * rng.integers(0, number, (120, 130)))
        assert few(picture) is expected, (number, apart)


def test_a_two_hundredth_may_lie_between_the_tones():
    rng = np.random.default_rng(2)
    for share, expected in ((0.003, True), (0.008, False)):
        picture = np.where(rng.random((300, 300)) < 0.5, 50.0, 200.0)
        between = rng.random(picture.shape) < share
        picture[between] = rng.integers(90, 160, between.sum())
        assert few(planes(picture)) is expected


def test_a_single_column_is_no_dither():
    assert not is_dithered(planes(np.tile([[0], [255]], (50, 1))))
    assert is_dithered(planes(np.tile([[0, 255]], (50, 1))))


def test_noise_makes_many_tones_of_two():
    rng = np.random.default_rng(0)
    drawing = 60.0 + 120 * (rng.random((128, 128)) < 0.5)
    assert few(planes(drawing))
    assert not few(planes(np.rint(drawing + rng.normal(0, 3, drawing.shape))))


def test_only_what_is_seen_counts():
    picture = planes(skimage.data.astronaut()).copy()
    seen = np.zeros(picture.shape[:2], bool)
    assert not has_few_tones(picture, seen)
    seen[100:200, 100:200] = True
    assert not has_few_tones(picture, seen)
    picture[seen] = (1, 0, 0)
    assert has_few_tones(picture, seen)
    assert not few(picture)
