"""Separable resampling with any kernel and any factor.

One axis is resampled by one sparse matrix: row i holds the kernel, centred on the place of output pixel i among the
input pixels, sampled at their centres and scaled to sum 1. The conventions are those of MATLAB's ``imresize``:

* pixels are areas and their centres lie at half integers, so the frame of the image stays where it is;
* beyond the border the image is mirrored, the border pixel repeated (``abc|cba``);
* when an axis shrinks, the kernel is stretched by the same factor, which is the antialiasing filter.

The factor of an axis is its exact ratio of lengths, so a rounded output size never shifts the picture.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as spla
from numpy.typing import NDArray

from anew.arrays import Image

Kernel = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def box(t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take the one pixel within half a pixel; support 1/2."""
    return ((t >= -0.5) & (t < 0.5)).astype(np.float64)


def triangle(t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Interpolate linearly; support 1."""
    return np.maximum(0, 1 - np.abs(t))


def cubic(t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convolve by Keys' cubic with a = -1/2 (his equation 15); support 2."""
    s = np.abs(t)
    inner = (1.5 * s - 2.5) * s**2 + 1
    outer = ((-0.5 * s + 2.5) * s - 4) * s + 2
    return np.where(s <= 1, inner, np.where(s < 2, outer, 0))


def lanczos3(t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Window a sinc by the main lobe of a three times wider one: sinc(t) sinc(t / 3); support 3."""
    return np.where(np.abs(t) < 3, np.sinc(t) * np.sinc(t / 3), 0)


def resampling_matrix(
    n_in: int,
    n_out: int,
    kernel: Kernel,
    support: float,
    *,
    antialias: bool = True,
    scale: float | None = None,
    border: str = "mirror",
) -> sp.csr_array:
    """Give the (n_out, n_in) float64 matrix that resamples an axis of n_in pixels to n_out pixels.

    Parameters
    ----------
    n_in, n_out : int >= 1
    kernel : callable
        The interpolating kernel, on distances in input pixels.
    support : float > 0
        Half the width outside of which the kernel is 0.
    antialias : bool
        Stretch the kernel when the axis shrinks.
    scale : float > 0, optional
        The factor, where it is not the exact ratio n_out / n_in: MATLAB keeps it when it rounds the output size.
    border : {"mirror", "nearest"}
        What lies beyond the border: the mirror image (``abc|cba``), or the border pixel again (``abc|ccc``) as in
        older MATLABs, among them the one that made the low-resolution test sets.
    """
    scale = n_out / n_in if scale is None else scale
    stretch = max(1.0, 1 / scale) if antialias else 1.0
    centre = (np.arange(n_out) + 0.5) / scale - 0.5
    taps = int(np.ceil(2 * support * stretch)) + 2
    first = np.floor(centre - support * stretch).astype(np.int64)
    index = first[:, None] + np.arange(taps)
    weight = kernel((index - centre[:, None]) / stretch)
    weight /= weight.sum(axis=1, keepdims=True)
    if border == "nearest":
        source = np.clip(index, 0, n_in - 1)
    else:
        mirrored = index % (2 * n_in)
        source = np.where(mirrored < n_in, mirrored, 2 * n_in - 1 - mirrored)
    rows = np.repeat(np.arange(n_out), taps)
    matrix = sp.coo_array((weight.ravel(), (rows, source.ravel())), shape=(n_out, n_in)).tocsr()
    matrix.eliminate_zeros()
    return matrix


def output_shape(shape: tuple[int, ...], scale: float) -> tuple[int, int]:
    """Give round(H * scale), round(W * scale), at least 1 each; halves are rounded up."""
    height, width = (max(1, int(np.floor(n * scale + 0.5))) for n in shape[:2])
    return height, width


def resample(image: Image, shape: tuple[int, int], kernel: Kernel, support: float, *, antialias: bool = True) -> Image:
    """Resample an image to a given height and width.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    shape : (int, int)
        Height and width of the result.
    kernel, support, antialias
        As in `resampling_matrix`.

    Returns
    -------
    float32 array of that height and width
    """
    down, across = (
        resampling_matrix(n_in, n_out, kernel, support, antialias=antialias).astype(np.float32)
        for n_in, n_out in zip(image.shape[:2], shape, strict=True)
    )
    return _apply(down, across, image).astype(np.float32, copy=False)


def upscale_with(image: Image, scale: float, kernel: Kernel, support: float, *, back_project: bool) -> Image:
    """Resample by a factor and, if asked for and it enlarges, make the result consistent with the input."""
    result = resample(image, output_shape(image.shape, scale), kernel, support)
    return project_on(result, image) if back_project and scale > 1 else result


def project_on(enlarged: Image, image: Image) -> Image:
    """Change an enlarged image as little as possible so that shrinking it gives the small one back.

    With D the antialiased bicubic shrinking (MATLAB's), this is the limit of the iterative back-projection of Irani
    and Peleg, CVGIP 53 (1991), with D's adjoint as back-projection kernel, in closed form:
    x + D^T (D D^T)^-1 (y - D x). D is separable, so two banded systems are solved.

    Parameters
    ----------
    enlarged : (H', W') or (H', W', C) float32 array, H' >= H and W' >= W
    image : (H, W) or (H, W, C) float32 array

    Returns
    -------
    float32 array of the shape of `enlarged`
    """
    exact = [
        resampling_matrix(n_in, n_out, cubic, 2) for n_in, n_out in zip(enlarged.shape, image.shape[:2], strict=False)
    ]
    down, across = (matrix.astype(np.float32) for matrix in exact)
    residual = (image - _apply(down, across, enlarged)).astype(np.float64)
    solved = _along_axes(residual, _normal_solver(exact[0]), _normal_solver(exact[1])).astype(np.float32)
    change = _apply(down.T.tocsr(), across.T.tocsr(), solved)
    change += enlarged
    return change


def _normal_solver(matrix: sp.csr_array) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Factorise D D^T once and give the function that solves with it."""
    solve: Callable[[NDArray[Any]], NDArray[Any]] = spla.splu((matrix @ matrix.T).tocsc()).solve
    return solve


def _apply(down: sp.csr_array, across: sp.csr_array, image: NDArray[Any]) -> NDArray[Any]:
    """Multiply by one matrix along the height and by one along the width, the cheaper axis first."""
    return _along_axes(image, down.__matmul__, across.__matmul__, width_first=across.shape[0] < across.shape[1])


def _along_axes(
    image: NDArray[Any],
    down: Callable[[NDArray[Any]], NDArray[Any]],
    across: Callable[[NDArray[Any]], NDArray[Any]],
    *,
    width_first: bool = False,
) -> NDArray[Any]:
    """Apply one linear map to all columns and one to all rows of an (H, W) or (H, W, C) array."""
    x = image
    for axis in (1, 0) if width_first else (0, 1):
        lines = np.moveaxis(x, axis, 0)
        mapped = (across if axis else down)(np.ascontiguousarray(lines).reshape(len(lines), -1))
        x = np.moveaxis(mapped.reshape(-1, *lines.shape[1:]), 0, axis)
    return np.ascontiguousarray(x)
