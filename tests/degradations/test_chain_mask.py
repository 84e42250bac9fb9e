"""The mask of a chain of degradations: damage moves with the picture."""

from __future__ import annotations

import numpy as np
import pytest

from anew.degradations.catalogue import chain_alpha, chain_mask, degrade_chain, parse_chain


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


@pytest.mark.parametrize("text", ["tilt", "lens", "keystone", "downscale", "noise,tilt,jpeg,downscale"])
def test_opacity_moves_as_a_colour_does(text):
    chain, alpha = parse_chain(text), np.zeros((40, 60), np.float32)
    alpha[10:30, 15:35] = 1
    moved = chain_alpha(chain, degrade_chain(np.full((40, 60, 3), 0.5, np.float32), chain, rng=0), alpha)
    alone = degrade_chain(alpha, [step for step in chain if step[0] not in ("noise", "jpeg")], rng=0)[-1].image
    np.testing.assert_allclose(moved, alone.clip(0, 1), atol=1e-6)


def test_what_a_tilt_paints_in_the_corners_is_opaque():
    chain = parse_chain("tilt:angle=20:border=constant:fill=0")
    results = degrade_chain(np.full((40, 40, 3), 0.5, np.float32), chain, rng=0)
    np.testing.assert_allclose(chain_alpha(chain, results, np.ones((40, 40), np.float32)), 1, atol=1e-6)
