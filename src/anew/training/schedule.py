"""The learning rate as a function of the step alone, so that a resumed run follows the same curve."""

from __future__ import annotations

import math


def learning_rate(step: int, *, steps: int, peak: float, warmup: int, decay_from: float = 0.0) -> float:
    """Linear warm-up, then constant, then half a cosine down to zero (Loshchilov and Hutter, SGDR, ICLR 2017).

    Parameters
    ----------
    step : int in [0, steps)
    warmup : int
        Steps of the rise; a short run rises over a tenth of its steps.
    decay_from : float in [0, 1]
        Part of the run at which the fall begins.
    """
    warmup = min(warmup, math.ceil(steps / 10))
    if step < warmup:
        return peak * (step + 1) / warmup
    begin = max(warmup, int(decay_from * steps))
    if step < begin:
        return peak
    done = (step - begin) / max(1, steps - begin)
    return 0.5 * peak * (1 + math.cos(math.pi * min(1.0, done)))
