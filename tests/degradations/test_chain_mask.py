"""The mask of a chain of degradations: damage moves with the picture."""

from __future__ import annotations

import numpy as np
import pytest

from anew.degradations.catalogue import chain_mask, degrade_chain


def test_a_mask_turns_with_the_picture() -> None:
    image = np.full((41, 41), 0.5, np.float32)
    chain = "rectangles,tilt:angle=90"
    results = degrade_chain(image, chain, rng=3)
    mask = chain_mask(chain, results)
    assert results[0].mask is not None
    agreement = (mask == np.rot90(results[0].mask)).mean()
    assert agreement > 0.99


def test_a_mask_shrinks_with_the_picture_and_unites_with_later_ones() -> None:
    image = np.full((40, 60, 3), 0.5, np.float32)
    chain = "rectangles,downscale:factor=2,pixels"
    results = degrade_chain(image, chain, rng=0)
    mask = chain_mask(chain, results)
    assert mask.shape == results[-1].image.shape[:2] == (20, 30)
    assert results[-1].mask is not None
    assert mask[results[-1].mask].all()
    assert mask.sum() > results[-1].mask.sum()


def test_a_chain_without_local_damage_has_an_empty_mask() -> None:
    image = np.random.default_rng(0).random((20, 20)).astype(np.float32)
    assert not chain_mask("noise:sigma=0.1", degrade_chain(image, "noise:sigma=0.1", rng=0)).any()


def test_a_chain_without_steps_has_no_mask() -> None:
    assert degrade_chain(np.zeros((4, 4)), []) == []
    with pytest.raises(ValueError, match="at least one step, got none"):
        chain_mask([], [])
