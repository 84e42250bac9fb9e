"""Scratches: what counts as thin and long, and what is found on photographs."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import skimage.data

import anew
from anew.degradations.scratches import scratches
from anew.diagnosis.scratches import (
    MARKED,
    as_opaque_as_most,
    estimate_scratch_probability,
    find_scratches,
    weigh,
    weigh_marks,
    without_stray_specks,
)
from anew.images import Picture


def probability_of(mask: np.ndarray) -> np.ndarray:
    return np.where(mask, np.float32(0.99), np.float32(0.01))


def scratched(photo: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scratch a photograph deeply: (scratched, where it is visible)."""
    damaged = np.rint(255 * scratches(photo, count=40, dark=0, opacity=1, length=0.8, width=1.5, rng=0).image) / 255
    return damaged.astype(np.float32), np.abs(damaged - photo).max(axis=2) > 0.06


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return (skimage.data.astronaut()[:400, :480] / 255).astype(np.float32)


def test_a_thin_line_is_kept_and_its_length_measured() -> None:
    mask = np.zeros((400, 400), bool)
    mask[50:350, 200:202] = True
    kept, thin, total = weigh_marks(probability_of(mask))
    np.testing.assert_array_equal(kept, mask)
    np.testing.assert_array_equal(thin, mask)
    assert total == pytest.approx(300 / 400, rel=0.02)


def test_a_line_turned_upon_itself_is_as_long_as_it_is() -> None:
    canvas = np.zeros((400, 400), np.uint8)
    cv2.circle(canvas, (200, 200), 60, 1, 2)
    _, _, total = weigh_marks(probability_of(canvas > 0))
    assert total == pytest.approx(2 * np.pi * 60 / 400, rel=0.25)


def test_what_is_wide_or_short_does_not_count() -> None:
    wide, short = np.zeros((400, 400), bool), np.zeros((400, 400), bool)
    wide[100:300, 100:130] = True
    short[::20, ::20] = True
    kept, _, total = weigh_marks(probability_of(wide))
    assert not kept.any()
    assert total == 0
    kept, thin, total = weigh_marks(probability_of(short))
    np.testing.assert_array_equal(kept, short)  # dust beside a scratch is damage too
    assert not thin.any()
    assert total == 0
    assert weigh_marks(np.full((20, 20), MARKED / 2, np.float32))[2] == 0


def test_white_scratches_are_found_where_they_are(photo: np.ndarray) -> None:
    damaged, truth = scratched(photo)
    for pixels in (damaged, damaged.mean(axis=2, keepdims=True)):
        finding = find_scratches(Picture(pixels))
        assert finding is not None
        assert finding.kind == "scratches"
        marked = np.asarray(finding.map)
        assert (marked & truth).sum() > 0.7 * marked.sum()
        assert (marked & truth).sum() > 0.25 * truth.sum()
        assert finding.value == pytest.approx(100 * marked.mean())


def test_what_is_seen_turned_is_turned_back(photo: np.ndarray) -> None:
    damaged, truth = scratched(photo)  # neither square nor symmetric
    looks = [estimate_scratch_probability(damaged, turned=turned) for turned in (False, True)]
    for probability in looks:
        assert probability.shape == truth.shape
        marked = probability > MARKED
        assert (marked & truth).sum() > 0.75 * marked.sum() > 0.2 * truth.sum()
    assert np.abs(looks[0] - looks[1]).max() > 0.1  # it is another look


@pytest.mark.parametrize("name", ["astronaut", "camera", "coffee", "chelsea", "rocket", "page", "text", "moon"])
def test_clean_pictures_are_left_alone(name: str) -> None:
    pixels = np.atleast_3d(getattr(skimage.data, name)() / np.float32(255))
    assert find_scratches(Picture(pixels.astype(np.float32))) is None


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 30, 3), (9, 2, 3), (17, 33, 1)])
def test_any_shape_is_looked_at(shape: tuple[int, int, int]) -> None:
    pixels = np.random.default_rng(0).random(shape, np.float32)
    probability = estimate_scratch_probability(pixels)
    assert probability.shape == shape[:2]
    assert probability.min() >= 0
    assert probability.max() <= 1
    find_scratches(Picture(pixels))


def test_a_large_picture_gets_a_mask_of_its_size(photo: np.ndarray) -> None:
    damaged, truth = scratched(photo)
    large = cv2.resize(damaged, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    finding = find_scratches(Picture(large))
    assert finding is not None
    marked, wanted = np.asarray(finding.map), np.kron(truth, np.ones((3, 3), bool))
    assert marked.shape == large.shape[:2]
    assert (marked & wanted).sum() > 0.2 * wanted.sum()


def test_restoring_takes_scratches_away_and_says_so(photo: np.ndarray) -> None:
    damaged, _ = scratched(photo)
    restored = anew.restore(damaged)
    step = next(s for s in restored.steps if s.kind == "scratches")
    assert step.kept, step.reason

    def error(image: np.ndarray) -> float:
        return float(np.sqrt(((np.asarray(image) - photo) ** 2).mean()))

    assert error(restored.picture.pixels) < 0.9 * error(damaged)


def test_a_leash_among_scratches_is_left_alone(photo: np.ndarray) -> None:
    """Scratches of half the opacity, and a white line that hides what is behind it."""
    rng = np.random.default_rng(3)
    path = np.linspace(*rng.integers(20, 380, (2, 2)), 40) + rng.normal(0, 0.4, (40, 2)).cumsum(axis=0)
    canvas = np.zeros(photo.shape[:2], np.uint8)
    cv2.polylines(canvas, [path.round().astype(np.int32)[:, None]], isClosed=False, color=1, thickness=2)
    leash = canvas > 0
    walked = photo.copy()
    walked[leash] = (0.96, 0.94, 0.88)
    result = scratches(walked, count=30, dark=0, opacity=0.45, length=0.8, width=1.5, rng=3).image
    damaged = (np.rint(255 * result) / 255).astype(np.float32)
    assert (estimate_scratch_probability(damaged)[leash] > MARKED).mean() > 0.5  # it looks like one
    finding = find_scratches(Picture(damaged))
    assert finding is not None
    marked = np.asarray(finding.map)
    assert marked[leash].mean() < 0.1
    assert (marked & (np.abs(damaged - walked).max(axis=2) > 0.06)).sum() > 0.7 * marked.sum()


def test_marks_are_compared_around_every_pixel() -> None:
    """One mark is as faint as the others at one end, and opaque at the other."""
    picture, mask = np.full((200, 400), 0.4, np.float32), np.zeros((200, 400), bool)
    mask[::20] = True
    picture[mask] = 0.5
    picture[100, 200:] = 0.9
    kept = as_opaque_as_most(picture, mask)
    assert kept[100, :190].all()
    assert not kept[100, 210:].any()
    assert kept[mask].mean() > 0.9


def test_many_specks_apart_from_all_lines_are_left_out_and_few_are_not() -> None:
    line, specks = np.zeros((400, 400), bool), np.zeros((400, 400), bool)
    line[50:350, 100:102] = True
    specks[50:350:9, 105:108] = True  # dashes beside the line
    few, many = specks.copy(), specks.copy()
    few[20:380:30, 300:302] = True
    many[20:380:9, 300:310] = True
    marks = weigh(probability_of(line | many))
    np.testing.assert_array_equal(marks.mask, line | many)
    np.testing.assert_array_equal(marks.lines[:, :103], line[:, :103])
    assert not marks.lines[:, 200:].any()
    np.testing.assert_array_equal(without_stray_specks(line | few, line), line | few)
    np.testing.assert_array_equal(without_stray_specks(line | many, line), line | specks)
    nothing = np.zeros_like(line)
    np.testing.assert_array_equal(without_stray_specks(nothing, nothing), nothing)


def test_how_far_apart_specks_may_lie_grows_with_the_picture() -> None:
    line = np.zeros((800, 800), bool)
    line[:, 100:103] = True
    specks = np.zeros_like(line)
    specks[::4, 102 + 12] = True  # 6 pixels of a picture of half the size
    specks[::2, 102 + 24 : 102 + 28] = True  # 12 to 14
    kept = without_stray_specks(line | specks, line)
    assert kept[:, 114].any()
    assert not kept[:, 120:].any()


def test_lines_on_which_no_pixel_is_likely_mark_nothing() -> None:
    probability = np.full((400, 400), 0.01, np.float32)
    probability[::40] = 0.6
    marks = weigh(probability)
    assert marks.evidence > 1
    assert not marks.mask.any()
    assert not as_opaque_as_most(np.full((400, 400), 0.5, np.float32), marks.mask).any()


@pytest.mark.parametrize("seed", [10, 17, 39])
def test_bright_hems_between_two_things_are_no_scratches(seed: int) -> None:
    rng = np.random.default_rng(seed)
    large = np.zeros((1440, 1920, 3), np.float32) + rng.uniform(0.25, 0.6, 3)
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    for _ in range(5):
        radius = rng.uniform(200, 520) * (1 + 0.15 * np.sin(rng.integers(2, 5) * turn + rng.uniform(0, 6)))
        middle = rng.uniform((0, 0), (1920, 1440))
        outline = np.rint(middle + radius[:, None] * np.stack([np.cos(turn), np.sin(turn)], axis=1)).astype(np.int32)
        colour = rng.uniform(0.08, 0.75, 3)
        cv2.fillPoly(large, [outline], colour.tolist())
        cv2.polylines(large, [outline], True, np.clip(colour + rng.uniform(0.2, 0.3), 0, 1).tolist(), 9)
    texture = np.float32(skimage.data.coffee() / 255)
    large = large * (0.8 + 0.4 * cv2.resize(texture, (1920, 1440)))
    hems = cv2.GaussianBlur(cv2.resize(large, (480, 360), interpolation=cv2.INTER_AREA), (0, 0), 0.7)
    grainy = np.clip(hems + rng.normal(0, 0.006, hems.shape), 0, 1)
    assert find_scratches(Picture(np.float32(np.rint(255 * grainy) / 255))) is None
