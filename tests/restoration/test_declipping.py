"""Clipped noise: its mean against simulation, the way back, and what must not be touched."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data

import anew
from anew.errors import AnewError
from anew.images import Picture
from anew.restoration.automatic import restore, run_plan
from anew.restoration.declipping import clipped_ends, mean_of_clipped, undo_clipping
from anew.restoration.plan import Plan, Step
from anew.restoration.replay import replay


@pytest.mark.parametrize("sigma", [0.05, 0.2, 0.6])
def test_the_mean_of_clipped_noise_is_that_of_a_simulation(sigma: float) -> None:
    clean = np.linspace(-0.3, 1.3, 9)
    noisy = clean + sigma * np.random.default_rng(0).standard_normal((100_000, 9))
    np.testing.assert_allclose(mean_of_clipped(clean, sigma), noisy.clip(0, 1).mean(0), atol=5 * sigma / 300)
    dark = mean_of_clipped(clean, sigma, bright=False)
    np.testing.assert_allclose(dark, noisy.clip(0, None).mean(0), atol=5 * sigma / 300)
    assert mean_of_clipped(np.zeros(1), sigma, bright=False)[0] == pytest.approx(sigma / np.sqrt(2 * np.pi))


@pytest.mark.parametrize("ends", [(True, True), (True, False), (False, True), (False, False)])
def test_the_way_back_gives_the_clean_values(ends: tuple[bool, bool]) -> None:
    dark, bright = ends
    clean = np.linspace(0, 1, 101)
    means = mean_of_clipped(clean, 0.15, dark=dark, bright=bright).astype(np.float32)
    np.testing.assert_allclose(undo_clipping(means, 0.15, dark=dark, bright=bright), clean, atol=2e-4)


def test_what_is_far_from_the_ends_is_untouched() -> None:
    x = np.linspace(0.3, 0.7, 50, dtype=np.float32).reshape(5, 10)
    np.testing.assert_array_equal(undo_clipping(x, 0.05), x)


@pytest.fixture(scope="module")
def ramp() -> np.ndarray:
    """From black to white, (200, 300, 3)."""
    return np.broadcast_to(np.linspace(0, 1, 300, dtype=np.float32)[None, :, None], (200, 300, 3))


@pytest.mark.parametrize(
    ("low", "high", "ends"),
    [(0, 1, (True, True)), (0, 9, (True, False)), (-9, 1, (False, True)), (-9, 9, (False, False))],
)
def test_ends_are_clipped_where_values_stand_at_them(
    ramp: np.ndarray, low: float, high: float, ends: tuple[bool, bool]
) -> None:
    noisy = ramp + np.float32(0.1) * np.random.default_rng(1).standard_normal(ramp.shape, np.float32)
    means = mean_of_clipped(ramp.astype(np.float64), 0.1, dark=low == 0, bright=high == 1).astype(np.float32)
    assert clipped_ends(noisy.clip(low, high), means, 0.1) == ends


@pytest.mark.parametrize(("below", "clipped"), [(0.43 / 255, True), (0.56 / 255, False)])
def test_what_half_a_level_of_8_bits_lies_beyond_an_end_stands_at_it(
    ramp: np.ndarray, below: float, clipped: bool
) -> None:
    noisy = ramp + np.float32(0.1) * np.random.default_rng(1).standard_normal(ramp.shape, np.float32)
    means = mean_of_clipped(ramp.astype(np.float64), 0.1).astype(np.float32)
    assert clipped_ends(noisy.clip(-below, 1 + below), means, 0.1) == (clipped, clipped)


def test_shadows_with_less_noise_are_not_taken_for_clipped(ramp: np.ndarray) -> None:
    strength = 0.02 + 0.08 * ramp  # as a camera has it
    noisy = (ramp + strength * np.random.default_rng(2).standard_normal(ramp.shape, np.float32)).clip(0, 1)
    assert not clipped_ends(noisy, ramp, 0.08)[0]
    assert clipped_ends(noisy, ramp, 0.0) == (False, False)


@pytest.fixture(scope="module")
def dark() -> tuple[np.ndarray, np.ndarray]:
    """A dark photograph, and the same with strong noise, as an 8-bit file holds it."""
    clean = (skimage.data.astronaut()[::2, ::2] / 255 * 0.45).astype(np.float32)
    noisy = (clean + 0.15 * np.random.default_rng(3).standard_normal(clean.shape)).clip(0, 1)
    return clean, (np.rint(noisy * 255) / 255).astype(np.float32)


def test_shadows_come_back_black(dark: tuple[np.ndarray, np.ndarray]) -> None:
    clean, noisy = dark
    restored = restore(Picture(noisy), only=["noise"])
    (step,) = restored.steps
    assert step.parameters["clipped"] == [True, False]
    assert step.reason.endswith("; shadows greyed by clipped noise were set right")
    plain = anew.denoise(noisy, step.parameters["sigma"], method=step.method)

    def error(x: np.ndarray) -> float:
        return float(np.mean((x - clean) ** 2))

    assert restored.recipe is not None
    np.testing.assert_array_equal(replay(Picture(noisy), restored.recipe).pixels, restored.picture.pixels)
    assert error(restored.picture.pixels) < 0.6 * error(plain)
    assert abs(float((restored.picture.pixels - clean).mean())) < 0.2 * float((plain - clean).mean())


def test_a_plan_may_say_what_was_clipped(dark: tuple[np.ndarray, np.ndarray]) -> None:
    _, noisy = dark

    def run(**more: object) -> np.ndarray:
        step = Step(kind="noise", task="denoise", method="unet", parameters={"sigma": 0.15, **more})
        return run_plan(Picture(noisy), Plan(steps=(step,)), check=False).picture.pixels

    plain = run()
    np.testing.assert_array_equal(run(clipped=[False, False]), plain)
    np.testing.assert_allclose(run(clipped=[True, False]), undo_clipping(plain, 0.15, bright=False), atol=1e-6)
    with pytest.raises(AnewError, match="clipped must be two of true and false"):
        run(clipped=True)
