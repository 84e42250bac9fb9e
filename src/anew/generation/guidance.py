"""Classifier-free guidance: away from what the model makes of no label, towards what it makes of this one."""

from __future__ import annotations

from typing import Any

from anew.generation.denoisers import Denoise


def guide(conditional: Denoise, unconditional: Denoise, *, scale: float) -> Denoise:
    """Make a guided denoiser; velocities, being linear in the denoised image, are guided alike.

    Parameters
    ----------
    conditional, unconditional : function (x, sigma) -> array
    scale : float >= 0
        1 is no guidance, and costs nothing; 0 ignores the label; above 1 the label shows more and variety shrinks.

    References
    ----------
    Ho and Salimans, "Classifier-Free Diffusion Guidance", 2022, equation 6 with w = scale - 1.
    """
    if scale == 1:
        return conditional

    def guided(x: Any, sigma: float) -> Any:
        without = unconditional(x, sigma)
        return without + scale * (conditional(x, sigma) - without)

    return guided
