"""Text over a photograph: found where it was written, and not where the scene, a page or a drawing has letters."""

from __future__ import annotations

import io

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageDraw, ImageFont

import anew
from anew.degradations.holes import lettering
from anew.diagnosis.holes import find_holes
from anew.diagnosis.text import estimate_text_mask, find_text
from anew.images import Picture

WHITE, BLACK, YELLOW, BLUE = (255, 255, 255), (0, 0, 0), (255, 255, 0), (0, 80, 200)


def written(
    name: str, text: str, colour: tuple[int, int, int] = WHITE, size: int = 36, at: tuple[int, int] = (60, 150)
) -> tuple[np.ndarray, np.ndarray]:
    """Write antialiased letters over a photograph: (pixels, what has visibly changed)."""
    pixels = getattr(skimage.data, name)()
    clean = Image.fromarray(pixels if pixels.ndim == 3 else np.repeat(pixels[:, :, None], 3, 2))
    image = clean.copy()
    ImageDraw.Draw(image).text(at, text, fill=colour, font=ImageFont.load_default(size))
    changed = np.abs(np.asarray(image, int) - np.asarray(clean, int)).max(axis=2) > 10
    return np.asarray(image, np.float32) / 255, changed


@pytest.mark.parametrize("colour", [WHITE, BLACK, YELLOW, BLUE])
@pytest.mark.parametrize("size", [26, 48])
def test_letters_are_marked_with_their_rim(colour: tuple[int, int, int], size: int) -> None:
    pixels, changed = written("chelsea", "Holiday 1987", colour, size)
    mask = estimate_text_mask(pixels)
    assert np.count_nonzero(mask & changed) > 0.9 * np.count_nonzero(changed)
    assert np.count_nonzero(mask & changed) > 0.7 * np.count_nonzero(mask)


def test_a_finding_says_how_much_is_covered() -> None:
    pixels, changed = written("coffee", "Mum and Dad", YELLOW)
    finding = find_text(Picture(pixels))
    assert finding is not None
    assert finding.kind == "text"
    assert finding.value == pytest.approx(100 * changed.mean(), rel=0.3)
    assert "Text is written over the picture" in finding.message


def test_letters_of_a_grey_picture_and_of_two_colours() -> None:
    pixels, changed = written("camera", "STUDIO 12", WHITE, at=(30, 320))
    assert np.count_nonzero(estimate_text_mask(pixels[:, :, :1]) & changed) > 0.9 * np.count_nonzero(changed)
    first, changed_first = written("coffee", "Monday", YELLOW, at=(40, 60))
    second, changed_second = written("coffee", "Tuesday", BLUE, at=(40, 300))
    both = np.where(changed_second[:, :, None], second, first)
    mask = estimate_text_mask(both)
    for changed in (changed_first, changed_second):
        assert np.count_nonzero(mask & changed) > 0.8 * np.count_nonzero(changed)


def test_letters_without_a_rim_are_text_and_no_holes() -> None:
    clean = skimage.data.chelsea().astype(np.float32) / 255
    damaged = lettering(clean, count=1, rng=2)
    diagnosis = anew.diagnose(Picture(damaged.image))
    assert [finding.kind for finding in diagnosis.findings] == ["text"]
    finding = diagnosis.get("text")
    assert np.count_nonzero(finding.map & damaged.mask) > 0.95 * np.count_nonzero(damaged.mask)


def test_holes_beside_text_stay_holes() -> None:
    pixels, _ = written("chelsea", "Holiday 1987", WHITE)
    pixels[230:260, 100:180] = 0.0
    diagnosis = anew.diagnose(Picture(pixels))
    assert {"holes", "text"} <= {finding.kind for finding in diagnosis.findings}
    assert diagnosis.hole_mask[230:260, 100:180].all()
    assert np.array_equal(diagnosis.hole_mask, diagnosis.get("holes").map)
    assert not (diagnosis.hole_mask & diagnosis.get("text").map).any()


def test_removing_text_brings_the_photograph_back() -> None:
    clean = skimage.data.chelsea().astype(np.float32) / 255
    pixels, changed = written("chelsea", "Holiday 1987", WHITE)
    restored = anew.restore(Picture(pixels))
    assert [step.kind for step in restored.steps if step.kept] == ["text"]
    error = [float(np.square(x - clean)[changed].mean()) for x in (pixels, restored.picture.pixels)]
    assert error[1] < 0.05 * error[0]
    assert not anew.restore(Picture(pixels), skip=["text"]).changed


@pytest.mark.parametrize("name", ["page", "text", "astronaut", "rocket", "coffee", "colorwheel", "horse", "retina"])
def test_clean_pictures_have_none(name: str) -> None:
    pixels = np.atleast_3d(np.asarray(getattr(skimage.data, name)()))[:, :, :3]
    assert find_text(Picture(pixels.astype(np.float32) / max(int(pixels.max()), 1))) is None


def test_a_drawing_a_page_and_a_screenshot_keep_their_words() -> None:
    page = Image.new("RGB", (400, 300), "white")
    draw = ImageDraw.Draw(page)
    for row in range(6):
        draw.text((20, 20 + 40 * row), "All is well with it", fill="black", font=ImageFont.load_default(24))
    assert find_text(Picture(np.asarray(page, np.float32) / 255)) is None
    page.paste(Image.fromarray(skimage.data.coffee()).resize((200, 133)), (180, 150))
    assert find_text(Picture(np.asarray(page, np.float32) / 255)) is None
    bars = np.full((200, 300, 3), 0.5, np.float32)
    bars[40:80, 20:280:20] = 1.0
    assert find_text(Picture(bars)) is None


def test_words_beside_a_photograph_on_a_page_stay_and_those_on_it_are_text() -> None:
    import cv2

    photo = skimage.data.coffee()
    titled = np.concatenate([np.full((60, photo.shape[1], 3), (59, 89, 152), np.uint8), photo])
    words = cv2.putText(titled.copy(), "Morning", (20, 40), cv2.FONT_HERSHEY_DUPLEX, 1, (255, 255, 255), 2, cv2.LINE_AA)
    assert not estimate_text_mask(words / np.float32(255)).any()
    written = cv2.putText(words, "Morning", (20, 340), cv2.FONT_HERSHEY_DUPLEX, 1, (255, 255, 255), 2, cv2.LINE_AA)
    mask = estimate_text_mask(written / np.float32(255))
    assert mask[300:350].any()
    assert not mask[:60].any()


def test_letters_with_nothing_between_them_are_text() -> None:
    image = Image.fromarray(skimage.data.coffee())
    ImageDraw.Draw(image).text((40, 300), "EEEEEEEE", fill=(255, 255, 255), font=ImageFont.load_default(13))
    assert estimate_text_mask((np.asarray(image) / 255).astype(np.float32)).any()


@pytest.mark.parametrize(
    ("letters", "sizes", "step", "tops", "found"),
    [
        ("HOMERUN", [30], 26, [0], True),
        ("HEHE", [30], 26, [0], True),
        ("HEH", [30], 26, [0], False),  # too few for a line
        ("HEHEHEH", [30], 26, [0, 9, 4, 9, 0, 9, 4], False),  # on no common line
        ("HEHEH", [30], 85, [0], False),  # too far apart
        ("HEHEHE", [20, 60], 50, [0], False),  # of any size
        ("\N{FULL BLOCK}" * 6, [30], 26, [0], False),  # no strokes
    ],
)
def test_letters_stand_in_a_line(letters: str, sizes: list[int], step: int, tops: list[int], found: bool) -> None:
    image = Image.fromarray(skimage.data.chelsea())
    draw = ImageDraw.Draw(image)
    for i, letter in enumerate(letters):
        x, y, size = 20 + step * i, 170 + tops[i % len(tops)], sizes[i % len(sizes)]
        if letter == "\N{FULL BLOCK}":
            draw.rectangle((x, y - 22, x + 18, y), fill=YELLOW)
        else:
            draw.text((x, y), letter, fill=YELLOW, font=ImageFont.load_default(size), anchor="ls")
    assert estimate_text_mask(np.asarray(image, np.float32) / 255).any() == found


def test_blurred_and_noisy_signs_in_the_scene_stay() -> None:
    pixels, _ = written("coffee", "Mum and Dad", WHITE)
    rng = np.random.default_rng(0)
    noisy = (pixels + rng.normal(0, 0.01, pixels.shape)).astype(np.float32)
    assert find_text(Picture(noisy)) is None
    import cv2

    assert find_text(Picture(cv2.GaussianBlur(pixels, (0, 0), 1.5))) is None


def test_letters_that_were_compressed_are_not_guessed_at() -> None:
    pixels, _ = written("coffee", "Mum and Dad", YELLOW)
    file = io.BytesIO()
    Image.fromarray((pixels * 255).astype(np.uint8)).save(file, "JPEG", quality=75)
    assert find_text(Picture(np.asarray(Image.open(file), np.float32) / 255)) is None


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 90, 3), (90, 1, 1), (33, 40, 1), (64, 64, 3)])
def test_any_size_and_flat_pictures(shape: tuple[int, int, int]) -> None:
    for value in (0.0, 0.5, 1.0):
        assert find_text(Picture(np.full(shape, value, np.float32))) is None
        assert find_holes(Picture(np.full(shape, value, np.float32))) is None
