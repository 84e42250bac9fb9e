import numpy as np
import pytest
import skimage.data
from scipy.ndimage import gaussian_filter

from anew.diagnosis.finding import finding_of_mask
from anew.diagnosis.holes import estimate_hole_mask, find_holes
from anew.images import Picture


@pytest.fixture
def rectangle():
    mask = np.zeros((128, 128), bool)
    mask[30:60, 40:90] = True
    return mask


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


@pytest.mark.parametrize("colour", [(0, 0, 0), (1, 1, 1), (1, 0, 1), (0.5, 0.5, 0.5)])
def test_rectangle_of_one_colour(colour_photo, rectangle, colour):
    damaged = colour_photo.copy()
    damaged[rectangle] = colour
    assert iou(estimate_hole_mask(damaged), rectangle) >= 0.97


def test_thin_strokes_and_letters(grey_photo):
    import cv2

    canvas = np.zeros(grey_photo.shape, np.uint8)
    cv2.line(canvas, (5, 100), (120, 20), 1, 3)
    cv2.putText(canvas, "SAMPLE", (8, 80), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 1, 2)
    damaged = np.where(canvas > 0, np.float32(1), grey_photo)
    assert iou(estimate_hole_mask(damaged), canvas > 0) >= 0.97


def test_beside_a_sure_hole_another_one_is_found_on_ground_of_its_tone(grey_photo, rectangle):
    damaged = np.array(grey_photo)
    ground = gaussian_filter(np.random.default_rng(0).normal(0, 1, (40, 60)), 3)
    damaged[80:120, 30:90] = 0.5 + 0.07 * ground / ground.std()
    second = np.zeros_like(rectangle)
    second[90:110, 45:75] = True
    alone = np.where(second, np.float32(0.5), damaged)
    assert not estimate_hole_mask(alone).any()
    assert iou(estimate_hole_mask(np.where(rectangle, np.float32(0.5), alone)), rectangle | second) >= 0.97


def test_clipped_lights_of_the_same_colour_are_no_excuse():
    photo = np.clip(skimage.data.coffee()[:256, :256] / 255 * 2.2, 0, 1).astype(np.float32)
    assert (photo == 1).all(axis=2).mean() > 0.09
    assert not estimate_hole_mask(photo).any()
    hole = np.zeros(photo.shape[:2], bool)
    hole[100:140, 100:150] = True
    assert iou(estimate_hole_mask(np.where(hole[:, :, None], np.float32(1), photo)), hole) >= 0.97


def test_a_dark_photograph_of_few_tones_is_no_page(rectangle):
    photo = np.rint(255 * (0.1 + 0.08 * skimage.data.astronaut()[60:188, 150:278] / 255)) / np.float32(255)
    tone = photo.mean(axis=2)
    assert np.median(np.abs(tone - np.median(tone))) < 0.025
    damaged = np.where(rectangle[:, :, None], np.float32(1), photo.astype(np.float32))
    assert iou(estimate_hole_mask(damaged), rectangle) >= 0.97
    strewn = np.random.default_rng(0).random(rectangle.shape) < 0.3
    assert (
        iou(estimate_hole_mask(np.where(strewn[:, :, None], np.float32(1), photo.astype(np.float32))), strewn) >= 0.97
    )


def compressed(image, quality):
    from io import BytesIO

    from PIL import Image

    file = BytesIO()
    Image.fromarray(np.rint(image * 255).astype(np.uint8)).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file), np.float32) / 255


@pytest.mark.parametrize("quality", [10, 30])
def test_flat_blocks_of_jpeg_do_not_hide_a_hole_nor_are_they_one(rectangle, quality):
    photo = compressed(skimage.data.coffee()[:128, 200:328] / np.float32(255), quality)
    assert not estimate_hole_mask(photo).any()
    photo[rectangle] = 1
    assert iou(estimate_hole_mask(photo), rectangle) >= 0.97


@pytest.mark.parametrize("name", ["astronaut", "coffee"])
def test_the_flat_blocks_of_the_hardest_jpeg_are_no_holes(name):
    for quality in (3, 5):
        photo = getattr(skimage.data, name)()[:400, :400] / np.float32(255)
        assert not estimate_hole_mask(compressed(photo, quality)).any()


def test_two_opposite_colours_are_a_drawing_and_one_of_them_a_hole():
    photo = (skimage.data.coffee()[:256, :256] / 255).astype(np.float32)
    for row in (20, 130):
        photo[row : row + 60, 30:120] = 0
    hole = (photo == 0).all(axis=2)
    assert iou(estimate_hole_mask(photo), hole) >= 0.97
    for row in (20, 130):
        photo[row : row + 60, 150:220] = 1
    assert not estimate_hole_mask(photo).any()


def test_more_than_half_of_a_picture_is_no_hole():
    photo = (skimage.data.coffee()[:256, :256] / 255).astype(np.float32)
    for columns, found in ((110, True), (190, False)):
        hole = np.zeros((256, 256), bool)
        hole[20:236, 30 : 30 + columns] = True
        assert estimate_hole_mask(np.where(hole[:, :, None], np.float32(0), photo)).any() == found


def test_a_small_hole_is_found_among_the_many_flat_colours_of_jpeg():
    photo = compressed(skimage.data.coffee()[:256, :256] / np.float32(255), 20)
    hole = np.zeros((256, 256), bool)
    hole[101:125, 61:85] = True
    photo[hole] = 1
    assert iou(estimate_hole_mask(photo), hole) >= 0.97


@pytest.mark.parametrize("colour", [0.8, 1.0])
def test_noise_around_a_hole_does_not_hide_it(colour):
    rng = np.random.default_rng(0)
    photo = skimage.data.astronaut()[:256, 100:356] / 255 + rng.normal(0, 0.2, (256, 256, 3))
    noisy = (np.rint(photo.clip(0, 1) * 255) / 255).astype(np.float32)
    assert not estimate_hole_mask(noisy).any()
    hole = np.zeros((256, 256), bool)
    hole[100:140, 60:130] = True
    noisy[hole] = colour
    assert iou(estimate_hole_mask(noisy), hole) >= 0.97


@pytest.mark.parametrize("gain", [1.5, 2, 3])
def test_clipped_noise_is_no_hole(gain):
    photo = gain * skimage.data.coffee()[:256, :256] / 255 + np.random.default_rng(0).normal(0, 0.1, (256, 256, 3))
    assert not estimate_hole_mask((np.rint(photo.clip(0, 1) * 255) / 255).astype(np.float32)).any()


def test_a_part_along_the_margin_is_a_hole_only_beside_one_that_is_sure():
    photo = (skimage.data.coffee()[:256, :256] / 255).astype(np.float32)
    along, sure = np.zeros((2, 256, 256), bool)
    along[:4, 100:130] = True
    sure[100:140, 60:130] = True
    photo[along] = 1
    assert not estimate_hole_mask(photo).any()
    photo[sure] = 1
    assert iou(estimate_hole_mask(photo), along | sure) >= 0.99


def test_a_frame_of_one_pixel_inside_the_margin_is_no_hole(colour_photo):
    framed = colour_photo.copy()
    framed[3, 3:-3] = framed[-4, 3:-3] = framed[3:-3, 3] = framed[3:-3, -4] = (0.5, 0.3, 0.2)
    assert not estimate_hole_mask(framed).any()


def test_salt_and_pepper_are_no_holes(colour_photo):
    rng = np.random.default_rng(0)
    dotted = colour_photo.copy()
    mask = rng.random(dotted.shape[:2]) < 0.05
    dotted[mask] = rng.integers(0, 2, (int(mask.sum()), 1))
    assert not estimate_hole_mask(dotted).any()


def test_lost_pixels(colour_photo):
    mask = np.random.default_rng(0).random(colour_photo.shape[:2]) < 0.4
    damaged = np.where(mask[:, :, None], np.float32(0), colour_photo)
    already_black = (colour_photo == 0).all(axis=2)
    assert iou(estimate_hole_mask(damaged), mask | already_black) >= 0.99


def test_not_a_number_is_a_hole(colour_photo, rectangle):
    damaged = colour_photo.copy()
    damaged[rectangle, 1] = np.nan
    assert (estimate_hole_mask(damaged) == rectangle).all()


def test_transparency_inside_is_a_hole_and_a_cut_out_is_not(colour_photo, rectangle):
    alpha = 1 - rectangle.astype(np.float32)
    assert (estimate_hole_mask(colour_photo, alpha) == rectangle).all()
    alpha[:, :10] = 0
    assert not estimate_hole_mask(colour_photo, alpha).any()


@pytest.mark.parametrize(
    "name", ["astronaut", "coffee", "chelsea", "rocket", "retina", "hubble_deep_field", "page", "text", "moon"]
)
def test_silent_on_pictures(name):
    picture = np.atleast_3d(getattr(skimage.data, name)() / np.float32(255))
    assert find_holes(Picture(picture)) is None


def test_silent_on_a_letterbox_and_a_drawing(colour_photo):
    boxed = np.pad(colour_photo, ((20, 20), (0, 0), (0, 0)))
    assert find_holes(Picture(boxed)) is None
    drawing = np.ones((128, 128, 3), np.float32)
    drawing[20:60, 20:60] = (1, 0, 0)
    drawing[70:100, 30:110] = (0, 0, 1)
    assert find_holes(Picture(drawing)) is None


def test_the_bands_of_a_collage_are_no_holes_but_a_lost_band_is_one(colour_photo):
    height, width = colour_photo.shape[:2]
    other = (skimage.data.chelsea()[:height, :width] / np.float32(255)).astype(np.float32)
    band = np.ones((height, 6, 3), np.float32)
    assert not estimate_hole_mask(np.concatenate([colour_photo, band, other], axis=1)).any()
    lost = colour_photo.copy()
    lost[:, 120:126] = 1
    expected = np.zeros((height, width), bool)
    expected[:, 120:126] = True
    np.testing.assert_array_equal(estimate_hole_mask(lost), expected)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 9, 3), (2, 3, 1), (9, 9, 4)])
def test_tiny_images_have_an_answer(shape):
    assert not estimate_hole_mask(np.full(shape, 0.5, np.float32)).any()


@pytest.mark.parametrize(("side", "words"), [(3000, "0.00001%"), (100, "0.01%"), (30, "0.1%")])
def test_one_lost_pixel_is_not_nothing(side: int, words: str) -> None:
    lost = np.zeros((side, side), bool)
    lost[7, 9] = True
    finding = finding_of_mask("holes", lost, 0.9, "{share} is gone.")
    assert finding is not None
    assert finding.message == f"{words} is gone."
