"""Moving pixels, masks and boxes by one geometry: flips, turns, crops, homographies, elastic deformation.

Points lie on the plane of the image, [0, W] x [0, H]: pixel (row i, column j) covers [j, j + 1] x [i, i + 1], x runs
right, y runs down. That is the convention of bounding boxes, so a box moves by the same map as the pixels in it.

Images are read by cubic convolution (OpenCV, positions to 1/32 of a pixel; whole pixels are exact), masks at the
nearest pixel. Values never leave the range that the image had.

Simard, Steinkraus and Platt, "Best practices for convolutional neural networks applied to visual document analysis",
ICDAR 2003 (``elastic``). Deviations there: sizes are shares of the shorter side, the strength is the displacement that
results (root mean square), and a field that would fold the image over itself is weakened until it does not.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image
from anew.structure.homography import solve_homography
from anew.transparency import CLEAR

Points = NDArray[np.float64]
Mapping = Callable[[Points, Points], tuple[Points, Points]]  # (x, y) -> (x, y)

BORDERS = ("auto", "reflect", "constant")
MOST_PIXELS = 32_766  # a side, OpenCV's limit
STEEPEST = 0.7  # Frobenius norm of the slope of the displacement in ``elastic``; below 1 nothing folds
INVERSION_STEPS = 60  # 0.7 ** 60 is 5e-10


@dataclass(frozen=True)
class Geometry:
    """Where everything goes.

    Attributes
    ----------
    size : (height, width) of the result
    to_source, to_target : functions of two float64 arrays (x, y)
        From points of the result to points of the input, and back.
    magnification : float > 0
        Linear; an image that shrinks is smoothed first.
    whole : function of an array, optional
        Moves whole pixels, exactly, where that is all there is to do.
    bends : bool
        Whether straight lines become curves.
    """

    size: tuple[int, int]
    to_source: Mapping
    to_target: Mapping
    magnification: float = 1.0
    whole: Callable[[NDArray[Any]], NDArray[Any]] | None = None
    bends: bool = False


def flip(shape: tuple[int, ...], *, axis: str) -> Geometry:
    """Mirror left and right (axis "horizontal"), up and down ("vertical"), or both."""
    height, width = shape[:2]
    x, y = axis in ("horizontal", "both"), axis in ("vertical", "both")
    matrix = np.diag([-1.0 if x else 1, -1.0 if y else 1, 1])
    matrix[:2, 2] = width * x, height * y
    whole = np.s_[:: -1 if y else 1, :: -1 if x else 1]
    return _homography((height, width), matrix, whole=lambda a: a[whole])


def turn(shape: tuple[int, ...], *, quarters: int) -> Geometry:
    """Turn by quarters of a circle, counter-clockwise as one sees it; sides change places at odd ones."""
    height, width = shape[:2]
    size = (width, height) if quarters % 2 else (height, width)
    return _homography(size, _turned(shape, size, 90.0 * quarters), whole=lambda a: np.rot90(a, quarters))


def crop(shape: tuple[int, ...], *, area: float, aspect: float, x: float, y: float, enlarge: bool) -> Geometry:
    """Cut out a rectangle.

    Parameters
    ----------
    area : float in (0, 1]
        Its share of the image.
    aspect : float > 0
        Its width over its height, in units of the image's own.
    x, y : float in [0, 1]
        Where in the room that is left: 0 left or top, 1 right or bottom.
    enlarge : bool
        To the size that the image had.
    """
    height, width = shape[:2]
    h = min(height, max(1, round(height * math.sqrt(area / aspect))))
    w = min(width, max(1, round(width * math.sqrt(area * aspect))))
    top, left = round(y * (height - h)), round(x * (width - w))
    matrix = np.array([[1.0, 0, -left], [0, 1, -top], [0, 0, 1]])
    if not enlarge:
        return _homography((h, w), matrix, whole=lambda a: a[top : top + h, left : left + w])
    return _homography((height, width), np.diag([width / w, height / h, 1]) @ matrix)


def rotate(shape: tuple[int, ...], *, degrees: float, expand: bool) -> Geometry:
    """Rotate about the centre, counter-clockwise as one sees it; ``expand`` the canvas to hold every corner."""
    height, width = shape[:2]
    size = (height, width)
    if expand:
        cosine, sine = np.abs(_turned((1, 1), (1, 1), degrees)[0, :2])
        size = (
            math.ceil(height * cosine + width * sine - 1e-9),
            math.ceil(width * cosine + height * sine - 1e-9),
        )
    return _homography(size, _turned(shape, size, degrees))


def scale(shape: tuple[int, ...], *, factor: float) -> Geometry:
    """Enlarge or shrink the content about the centre; the canvas stays."""
    return _homography(shape[:2], _about_centre(shape, np.diag([factor, factor])))


def shift(shape: tuple[int, ...], *, x: float, y: float) -> Geometry:
    """Move the content right and down, by shares of the width and of the height."""
    return _homography(shape[:2], np.array([[1, 0, x * shape[1]], [0, 1, y * shape[0]], [0, 0, 1]], np.float64))


def shear(shape: tuple[int, ...], *, x: float, y: float) -> Geometry:
    """Slant about the centre: vertical lines by ``x`` degrees, then horizontal ones by ``y``."""
    along, down = math.tan(math.radians(x)), math.tan(math.radians(y))
    return _homography(shape[:2], _about_centre(shape, np.array([[1, 0], [down, 1]]) @ np.array([[1, along], [0, 1]])))


def perspective(shape: tuple[int, ...], *, amount: float, seed: int) -> Geometry:
    """See it from elsewhere: every corner moves by up to ``amount`` (of the sides, at most 0.2) either way."""
    height, width = shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    moved = corners + np.random.default_rng(seed).uniform(-amount, amount, (4, 2)) * (width, height)
    return _homography((height, width), solve_homography(corners, moved))


def elastic(shape: tuple[int, ...], *, amount: float, smoothness: float, seed: int) -> Geometry:
    """Deform as the hand does that writes: random displacements, smoothed by a Gaussian (section 2 of Simard et al.).

    Parameters
    ----------
    amount : float in [0, 0.2]
        Root mean square of the displacement along each axis, as a share of the shorter side.
    smoothness : float in [0.02, 1]
        Standard deviation of the Gaussian, as a share of the shorter side, at least 1 pixel.
    seed : int
    """
    import cv2

    height, width = shape[:2]
    side = min(height, width)
    sigma = max(1.0, smoothness * side)
    step = max(1.0, sigma / 6)  # a smooth field needs few samples
    coarse = (math.ceil(height / step) + 1, math.ceil(width / step) + 1, 2)
    noise = np.random.default_rng(seed).uniform(-1, 1, coarse).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), sigma / step, borderType=cv2.BORDER_REFLECT).reshape(coarse)
    resized = cv2.resize(smooth, (width, height), interpolation=cv2.INTER_CUBIC)
    field: Image = np.asarray(resized, np.float32).reshape(height, width, 2)
    field *= amount * side / max(float(np.sqrt(np.mean(field**2))), 1e-12)
    slopes = [np.diff(field, axis=a, append=np.take(field, [-1], axis=a)) for a in (0, 1)]
    steepest = math.sqrt(float(np.max(sum(np.sum(slope**2, axis=2) for slope in slopes))))
    field *= min(1.0, STEEPEST / max(steepest, 1e-12))

    def displacement(x: Points, y: Points) -> tuple[Points, Points]:
        read = _bilinear(field, x - 0.5, y - 0.5)
        return read[..., 0], read[..., 1]

    def to_source(x: Points, y: Points) -> tuple[Points, Points]:
        if x.shape == (height, width):  # the grid of pixels itself
            return x + field[..., 0], y + field[..., 1]
        dx, dy = displacement(x, y)
        return x + dx, y + dy

    def to_target(u: Points, v: Points) -> tuple[Points, Points]:
        x, y = u, v
        for _ in range(INVERSION_STEPS):  # a contraction: the slope is below 1
            dx, dy = displacement(x, y)
            x, y = u - dx, v - dy
        return x, y

    return Geometry((height, width), to_source, to_target, bends=True)


def move_image(image: Image, geometry: Geometry, *, border: str = "reflect", fill: float = 0.0) -> Image:
    """Move an (H, W, C) float32 image; outside of it stands its mirror image or ``fill``."""
    import cv2

    if geometry.whole is not None:
        return np.array(geometry.whole(image), order="C")
    if max(*image.shape[:2], *geometry.size) > MOST_PIXELS:
        raise ValueError(f"expected an image of at most {MOST_PIXELS} pixels a side, got {image.shape[:2]}")
    low, high = float(image.min()), float(image.max())
    if geometry.magnification < 0.9:
        sigma = 0.5 * math.sqrt(geometry.magnification**-2 - 1)
        smooth = cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
        image = np.asarray(smooth, np.float32).reshape(image.shape)
    x, y = _pixel_positions(geometry, image.shape)
    mirrored = cv2.BORDER_REFLECT_101 if min(image.shape[:2]) > 1 else cv2.BORDER_REPLICATE  # OpenCV 5 hangs there
    mode = mirrored if border == "reflect" else cv2.BORDER_CONSTANT
    if border == "constant":
        low, high = min(low, fill), max(high, fill)
    moved = cv2.remap(
        image, x.astype(np.float32), y.astype(np.float32), cv2.INTER_CUBIC, borderMode=mode, borderValue=(fill,) * 4
    )
    return np.asarray(np.clip(moved, low, high).reshape(*geometry.size, image.shape[2]), np.float32)


def move_transparent(
    colours: Image, alpha: Image, geometry: Geometry, *, border: str = "reflect", fill: float = 0.0
) -> tuple[Image, Image]:
    """Move (H, W, C) colours and their (H, W, 1) alpha: colours count by their alpha (Porter and Duff, 1984).

    So those of clear pixels, which nobody sees, do not rim what is visible. Where all is clear they move as they are.
    """
    moved, covered = (move_image(x, geometry, border=border, fill=f) for x, f in ((colours, fill), (alpha, 0.0)))
    if geometry.whole is not None:
        return moved, covered
    weighted = move_image(colours * alpha, geometry, border=border)
    visible = covered[:, :, 0] > CLEAR
    seen = weighted[visible] / covered[visible]
    moved[visible] = np.clip(seen, colours.min(), colours.max())
    return moved, covered


def move_mask(mask: NDArray[Any], geometry: Geometry, *, border: str = "reflect") -> NDArray[Any]:
    """Move an (H, W) or (H, W, C) array of labels, of any dtype: every value of the result is one of the input's or 0.

    Outside stands its mirror image, as for the image, or 0 where that shows a constant.
    """
    if geometry.whole is not None:
        return np.array(geometry.whole(mask), order="C")
    height, width = mask.shape[:2]
    x, y = (np.floor(p + 0.5).astype(np.intp) for p in _pixel_positions(geometry, mask.shape))
    moved: NDArray[Any] = mask[_folded(y, height), _folded(x, width)]
    if border == "constant":
        moved[(x < 0) | (x >= width) | (y < 0) | (y >= height)] = 0
    return moved


def _pixel_positions(geometry: Geometry, shape: tuple[int, ...]) -> tuple[Points, Points]:
    """Give where each pixel of the result is read, in columns and rows of the input."""
    height, width = geometry.size
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    u, v = geometry.to_source(x, y)
    far_x, far_y = 2 * shape[1] + 2, 2 * shape[0] + 2
    return np.clip(u - 0.5, -far_x, far_x + shape[1]), np.clip(v - 0.5, -far_y, far_y + shape[0])


def _folded(index: NDArray[np.intp], length: int) -> NDArray[np.intp]:
    period = max(2 * (length - 1), 1)  # abcd|cba
    folded = np.abs(index) % period
    return np.where(folded < length, folded, period - folded)


def _homography(
    size: tuple[int, ...], matrix: NDArray[np.floating], *, whole: Callable[[NDArray[Any]], NDArray[Any]] | None = None
) -> Geometry:
    """Give the geometry of a (3, 3) matrix that takes points of the input to points of the result."""
    height, width = size
    inverse: Points = np.linalg.inv(matrix)
    inverse /= inverse[2, 2]  # positive in front of the eye
    x, y, w = inverse @ (width / 2, height / 2, 1)
    depth = float(matrix[2] @ (x / w, y / w, 1))
    magnification = math.sqrt(abs(float(np.linalg.det(matrix))) / abs(depth) ** 3)
    return Geometry((height, width), _mapping(inverse), _mapping(matrix.astype(np.float64)), magnification, whole)


def _mapping(matrix: Points) -> Mapping:
    def move(x: Points, y: Points) -> tuple[Points, Points]:
        u, v = (row[0] * x + row[1] * y + row[2] for row in matrix[:2])
        if matrix[2, 0] == matrix[2, 1] == 0:
            return u, v
        w = np.maximum(matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2], 1e-6)  # nothing from behind the eye
        return u / w, v / w

    return move


def _turned(shape: tuple[int, ...], size: tuple[int, ...], degrees: float) -> Points:
    """Give the rotation that takes the centre of the input to the centre of the result; exact at quarters."""
    quarter, rest = divmod(degrees, 90)
    turn = math.radians(rest) if rest else 0.0
    cosine, sine = math.cos(turn), math.sin(turn)
    for _ in range(int(quarter) % 4):
        cosine, sine = -sine, cosine
    linear = np.array([[cosine, sine], [-sine, cosine]])
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = np.array([size[1], size[0]]) / 2 - linear @ (np.array([shape[1], shape[0]]) / 2)
    return matrix


def _about_centre(shape: tuple[int, ...], linear: Points) -> Points:
    matrix = np.eye(3)
    centre = np.array([shape[1], shape[0]]) / 2
    matrix[:2, :2] = linear
    matrix[:2, 2] = centre - linear @ centre
    return matrix


def _bilinear(field: Image, x: Points, y: Points) -> Points:
    """Read an (H, W, 2) field at points, continued by its outermost values."""
    height, width = field.shape[:2]
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    j, i = np.minimum(x.astype(np.intp), max(width - 2, 0)), np.minimum(y.astype(np.intp), max(height - 2, 0))
    right, below = np.minimum(j + 1, width - 1), np.minimum(i + 1, height - 1)
    s, t = (x - j)[..., None], (y - i)[..., None]
    above = (1 - s) * field[i, j] + s * field[i, right]
    return np.asarray((1 - t) * above + t * ((1 - s) * field[below, j] + s * field[below, right]), np.float64)
