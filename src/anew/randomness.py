"""What an ``rng`` argument may be: a seed, a generator, or nothing."""

from __future__ import annotations

import numpy as np

Rng = int | np.random.Generator | None


def as_generator(rng: Rng) -> np.random.Generator:
    """Give a random generator: a seed makes a new one, a generator is passed through, None draws fresh entropy."""
    check_rng(rng)
    return np.random.default_rng(rng)


def seed_of(rng: Rng) -> int:
    """Give a seed: an int is one, a generator draws one, None takes fresh entropy."""
    check_rng(rng)
    return int(rng) if isinstance(rng, int | np.integer) else int(np.random.default_rng(rng).integers(2**32))


def check_rng(rng: Rng) -> None:
    """Refuse what is neither a seed, nor a generator, nor None.

    Raises
    ------
    ValueError
        In one line that says what it may be.
    """
    seed = isinstance(rng, int | np.integer) and not isinstance(rng, bool) and rng >= 0
    if not (seed or rng is None or isinstance(rng, np.random.Generator)):
        raise ValueError(f"rng must be an integer of at least 0, a Generator or None, got {rng!r}")
