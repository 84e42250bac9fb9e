"""Coherence-enhancing diffusion: smooth along the lines of the image, hardly across them.

Weickert, Coherence-enhancing diffusion filtering, IJCV 31 (1999), with the rotation-invariant derivative stencils of
Weickert and Scharr, JVCIR 13 (2002). Colour: one tensor, summed over the channels.

Deviation: the small isotropic part of the diffusion uses the five-point Laplacian, because the central differences of
the other part do not see a checkerboard of noise.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image
from anew.options import NotNegative, Positive, Share, checked_arguments

STEP = 0.24  # below the stability limit of the sum of both parts
SCHARR = 1 / 32  # cv2.Scharr gives 32 times the derivative
# Tuned for PSNR on photographs.
TIME_FACTOR, TIME_POWER = 26.0, 0.9  # time = factor sigma^power
COHERENCE_FACTOR = 0.15  # the paper's C is (factor sigma)^4: a gap of eigenvalues has the units of sigma²


@checked_arguments
def denoise_coherence(
    image: Image,
    sigma: NotNegative,
    *,
    time: NotNegative | None = None,
    derivative_width: Positive = 0.5,
    integration_width: Positive = 1.5,
    isotropic: Share = 0.15,
) -> Image:
    """Diffuse along the structure tensor.

    Use it for pictures made of lines: fingerprints, hair, wood grain, brush strokes. It closes gaps in them and smooths
    along, not across; other texture is combed.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    sigma : float >= 0
        Standard deviation of the noise, in units of the range [0, 1]; it chooses the options. 0 changes nothing
        unless a time is given.
    time : float >= 0, optional
        Diffusion time in pixels squared: along lines it equals a Gaussian of standard deviation ``sqrt(2 time)``.
        Default: measured, growing with ``sigma``.
    derivative_width : float > 0
        The paper's sigma: width in pixels of the Gaussian before the gradient of the tensor.
    integration_width : float > 0
        The paper's rho: width in pixels of the Gaussian that averages the tensor.
    isotropic : float in (0, 1]
        The paper's alpha: diffusivity across lines, and where there are none.

    Returns
    -------
    float32 array of the same shape; each channel keeps its mean
    """
    # no more for values far beyond the range than for noise as wide as it
    time = TIME_FACTOR * min(sigma, 1.0) ** TIME_POWER if time is None else time
    if time == 0:
        return image.copy()
    steps = int(np.ceil(time / STEP))
    step = np.float32(time / steps)
    contrast = np.float32((COHERENCE_FACTOR * max(sigma, 1e-3)) ** 4)
    planes = [np.ascontiguousarray(c) for c in np.moveaxis(np.atleast_3d(image), 2, 0)]
    for _ in range(steps):
        a, b, c = _excess_diffusion(_structure_tensor(planes, derivative_width, integration_width), contrast, isotropic)
        planes = [_explicit_step(u, a, b, c, np.float32(isotropic), step) for u in planes]
    return np.stack(planes, axis=2).reshape(image.shape)


Tensor = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]  # xx, xy, yy; each (H, W)


def _structure_tensor(planes: list[Image], width: float, rho: float) -> Tensor:
    """J_rho(grad u_sigma), eq. 5, summed over the channels."""
    xx, xy, yy = (np.zeros_like(planes[0]) for _ in range(3))
    for u in planes:
        x, y = _gradient(_gaussian(u, width))
        xx += x * x
        xy += x * y
        yy += y * y
    return _gaussian(xx, rho), _gaussian(xy, rho), _gaussian(yy, rho)


def _excess_diffusion(tensor: Tensor, contrast: np.float32, isotropic: float) -> Tensor:
    """D - alpha I with D of eqs. 16 and 17 (m = 1): the part along the eigenvector of the smaller eigenvalue.

    That eigenvector is (cos, sin) with cos² - sin² = -(xx - yy) / gap and 2 cos sin = -2 xy / gap.
    """
    xx, xy, yy = tensor
    gap = np.sqrt((xx - yy) ** 2 + 4 * xy**2)  # mu_1 - mu_2
    safe = np.maximum(gap, np.float32(1e-12))
    along = np.float32(1 - isotropic) * np.exp(-contrast / (safe * safe))
    a = along * (1 - (xx - yy) / safe) / 2
    b = -along * xy / safe
    return a, b, along - a


def _explicit_step(u: Image, a: Image, b: Image, c: Image, isotropic: np.float32, step: np.float32) -> Image:
    """u + step (div((D - alpha I) grad u) + alpha Laplace u)."""
    x, y = _gradient(u)
    change = _divergence(a * x + b * y, b * x + c * y)
    down, right = isotropic * np.diff(u, axis=0), isotropic * np.diff(u, axis=1)
    change[:-1] += down
    change[1:] -= down
    change[:, :-1] += right
    change[:, 1:] -= right
    return u + step * change


def _gaussian(x: Image, width: float) -> Image:
    return np.asarray(cv2.GaussianBlur(x, (0, 0), width, borderType=cv2.BORDER_REFLECT), np.float32).reshape(x.shape)


def _gradient(u: Image) -> tuple[Image, Image]:
    x = cv2.Scharr(u, cv2.CV_32F, 1, 0, scale=SCHARR, borderType=cv2.BORDER_REFLECT)
    y = cv2.Scharr(u, cv2.CV_32F, 0, 1, scale=SCHARR, borderType=cv2.BORDER_REFLECT)
    return np.asarray(x, np.float32).reshape(u.shape), np.asarray(y, np.float32).reshape(u.shape)


def _divergence(x: Image, y: Image) -> Image:
    """Minus the adjoint of ``_gradient``, so that nothing is lost: the flux is odd across the border it runs into."""
    x = np.pad(x, 1, mode="symmetric")
    x[:, 0] *= -1
    x[:, -1] *= -1
    y = np.pad(y, 1, mode="symmetric")
    y[0] *= -1
    y[-1] *= -1
    sources = cv2.Scharr(x, cv2.CV_32F, 1, 0, scale=SCHARR) + cv2.Scharr(y, cv2.CV_32F, 0, 1, scale=SCHARR)
    return np.asarray(sources[1:-1, 1:-1], np.float32)
