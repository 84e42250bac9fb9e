"""Choose a denoiser by what is known of the noise."""

from __future__ import annotations

LEARNED_QUALITY = 60  # of JPEG, from which on the camera denoiser has seen noise before it


def choose_denoising(
    *, developed: bool = False, correlated: bool = False, shared: bool = False, signal_dependent: bool = False
) -> str:
    """Give the method for noise as it is in the picture; ``"auto"`` for white noise.

    Parameters
    ----------
    developed : bool
        Whether it is that of a camera.
    correlated : bool
        Whether the noise of neighbouring pixels moves together.
    shared : bool
        Whether red, green and blue share it, as in JPEG files with halved chroma.
    signal_dependent : bool
        Whether it grows with the light.
    """
    if developed:
        return "camera"
    if correlated:
        return "bm3d"
    if shared:
        return "camera"  # it has seen noise before JPEG, and judges its level by the pixels
    return "poisson-gaussian" if signal_dependent else "auto"


def choose_denoising_after_jpeg(quality: int, *, shared: bool) -> str:
    """Give the method for noise that lay under a compression and has been deblocked.

    Parameters
    ----------
    quality : int in [1, 100]
        Of the compression; 0 if unknown.
    shared : bool
        Whether red, green and blue share what is left.
    """
    if quality >= LEARNED_QUALITY:
        return "camera"
    return "luma-chroma" if shared else "auto"
