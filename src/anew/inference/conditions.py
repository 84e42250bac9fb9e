"""What a restoring network is told beside the image, in its training as when it runs: one number.

A denoiser is told the level of the noise, a repairer of JPEG a number that rises with the damage.
"""

from __future__ import annotations

BLIND = -0.5  # says that nothing is known


def condition_of_quality(quality: float) -> float:
    """Give the condition for a quality on libjpeg's scale: 0 at 100, rising with the damage."""
    return 1 - quality / 100


def quality_of_condition(condition: float) -> float:
    """Give the quality that a condition stands for."""
    return 100 * (1 - condition)
