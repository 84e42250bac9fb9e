"""The choice among inpainting methods: the quickest that is as good, and no exemplars for dots."""

from __future__ import annotations

import numpy as np
import pytest

from anew.restoration.inpainting_choice import AS_GOOD, CANDIDATES, choose_inpainting, hold_out


@pytest.fixture(scope="module")
def errors(grey_photo: np.ndarray) -> dict[str, float]:
    image, mask = np.atleast_3d(grey_photo).astype(np.float32), square(grey_photo, 8)
    return {name: choose_inpainting(image, mask, [name])[1] for name in CANDIDATES}


def square(photo: np.ndarray, side: int) -> np.ndarray:
    mask = np.zeros(photo.shape[:2], bool)
    mask[40 : 40 + side, 40 : 40 + side] = True
    return mask


def test_the_quickest_that_is_as_good_is_taken(grey_photo: np.ndarray, errors: dict[str, float]) -> None:
    chosen, error = choose_inpainting(np.atleast_3d(grey_photo).astype(np.float32), square(grey_photo, 8), CANDIDATES)
    as_good = [name for name in CANDIDATES if errors[name] <= AS_GOOD * min(errors.values())]
    assert (chosen, error) == (as_good[0], errors[as_good[0]])
    assert errors["diffusion"] > AS_GOOD * error  # the quickest of all is worse here


@pytest.mark.parametrize(("side", "chosen"), [(3, "diffusion"), (8, "exemplar")])
def test_exemplars_do_not_compete_for_dots(side: int, chosen: str) -> None:
    """Of a pattern that repeats itself, exemplars are exact and nothing else is."""
    pattern = np.random.default_rng(0).random((8, 8)).astype(np.float32)
    image, mask = np.tile(pattern, (12, 12))[:, :, None], np.zeros((96, 96), bool)
    mask[40 : 40 + side, 40 : 40 + side] = True
    assert choose_inpainting(image, mask, ["diffusion", "exemplar"])[0] == chosen


def test_no_more_is_held_out_than_can_be_filled() -> None:
    """Of a mask of half the pixels, moved, some shifts hide nearly all of the rest."""
    stripes = np.zeros((64, 64), bool)
    stripes[::2] = True
    held = hold_out(stripes)
    assert held is None or (stripes | held).mean() < 0.8
