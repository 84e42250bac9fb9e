"""Choose a denoiser by what is known of the noise."""

from __future__ import annotations

# Of JPEG, from which on the camera denoiser repairs noise that was there before, and the compression with it. It has
# learned from 60 on; below 50, to repair the compression first is as good.
LEARNED_QUALITY = 50


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


def choose_denoising_compressed(quality: int, *, shared: bool) -> str:
    """Give the method for noise that was compressed: ``"camera"`` takes it as it is, the others once it is deblocked.

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
