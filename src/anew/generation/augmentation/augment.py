"""Draw a new image from an old one, its mask and its boxes; and make any drawn image again."""

from __future__ import annotations

import inspect
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anew.arrays import Image, as_image, like
from anew.generation.augmentation.boxes import Outline, boxes_around, move_outline, outlines_of
from anew.generation.augmentation.catalogue import DEFAULT, Operation, Planned, find, parse_operations
from anew.generation.augmentation.geometry import Geometry, move_image, move_mask, move_transparent
from anew.options import near, require_options
from anew.randomness import as_generator
from anew.transparency import spread_colours

MIN_VISIBLE = 0.2

Chain = str | Sequence[tuple[str, Mapping[str, Any]]]
Others = Sequence[ArrayLike] | Mapping[Any, ArrayLike]


@dataclass(frozen=True)
class Applied:
    """One operation that was applied.

    Attributes
    ----------
    name : str
    parameters : dict
        The values that were drawn, all JSON-able; with the name, ``replay`` makes the same image of them again.
    weight : float in [0, 1]
        Of the label of the image that it was applied to; 1 except where another image was mixed in.
    """

    name: str
    parameters: dict[str, Any]
    weight: float = 1.0


@dataclass(frozen=True, eq=False)
class Augmented:
    """A new image, and all that went along.

    Attributes
    ----------
    image : array of the dtype and channels of the input
    mask : array of the dtype of the mask, or None if none was given
    boxes : (M, 4) float64 array of left, top, right, bottom in pixels, or None if none were given
    kept : (M,) int array, or None
        Which of the given boxes these are.
    operations : tuple of Applied
        What was drawn and done, in order.
    """

    image: NDArray[Any]
    mask: NDArray[Any] | None = None
    boxes: NDArray[np.float64] | None = None
    kept: NDArray[np.intp] | None = None
    operations: tuple[Applied, ...] = field(default=())

    @property
    def weights(self) -> dict[Hashable, float]:
        """The weights of the labels: under None that of the image itself, under a key of ``others`` that of another."""
        weights: dict[Hashable, float] = {None: 1.0}
        for step in self.operations:
            if step.weight < 1:
                weights = {key: weight * step.weight for key, weight in weights.items()}
                other = step.parameters["other"]
                weights[other] = weights.get(other, 0.0) + 1 - step.weight
        return weights


def augment(
    image: ArrayLike,
    operations: Chain | None = None,
    *,
    rng: int | np.random.Generator | None = 0,
    mask: ArrayLike | None = None,
    boxes: ArrayLike | None = None,
    others: Others = (),
    min_visible: float = MIN_VISIBLE,
) -> Augmented:
    """Make a new image of an existing one: turned, cropped, bent, recoloured, in another style, mixed.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array of uint8, uint16, bool or float in [0, 1]
        C 1 grey, 3 RGB; 2 or 4 with alpha last, which moves along and is not recoloured.
    operations : str or sequence of (name, options) pairs, optional
        See ``parse_operations``; by default a flip, small rotation, crop, colour jitter and now and then blur, noise
        and a hidden square.
    rng : int, Generator or None
        Same seed, same result.
    mask : (H, W) or (H, W, C) array, optional
        Labels of any dtype; they move by the same geometry, at the nearest pixel.
    boxes : (N, 4) array, optional
        Left, top, right, bottom in pixels, from 0 to width and height. They become the upright boxes around what the
        old ones turn into, clipped to the image.
    others : sequence of images, or mapping to them
        What mixup, cutmix and transfer draw another image from.
    min_visible : float in [0, 1]
        A box is dropped when a smaller share of its area is left in the image.

    Returns
    -------
    Augmented

    Notes
    -----
    Where content comes in from outside, it is the mirror image; with a mask or boxes it is black, so that nothing is
    shown that has no label (``border=reflect`` and ``border=constant`` say otherwise). Mixup and cutmix mix labels of
    whole images, so they refuse masks and boxes. Cutout leaves masks and boxes as they are.

    Examples
    --------
    >>> import numpy as np
    >>> photo = np.arange(12, dtype=np.uint8).reshape(3, 4)
    >>> augment(photo, "turn:quarters=1").image
    array([[ 3,  7, 11],
           [ 2,  6, 10],
           [ 1,  5,  9],
           [ 0,  4,  8]], dtype=uint8)
    """
    chain = parse_operations(DEFAULT if operations is None else operations)
    labelled = mask is not None or boxes is not None
    images = others if isinstance(others, Mapping) else dict(enumerate(others))
    steps = draw(chain, as_generator(rng), labelled=labelled, others=list(images))
    return replay(image, steps, mask=mask, boxes=boxes, others=others, min_visible=min_visible)


def draw(
    chain: Sequence[Planned], rng: np.random.Generator, *, labelled: bool = False, others: Sequence[Any] = ()
) -> list[dict[str, Any]]:
    """Draw what to do, without touching an image.

    Parameters
    ----------
    chain : sequence of Planned
    labelled : bool
        Whether a mask or boxes go along.
    others : sequence
        The keys of the other images.

    Returns
    -------
    list of dict
        ``{"name": ..., "parameters": {...}}``, as ``replay`` takes it
    """
    steps = []
    for planned in chain:
        name = planned.operation.name
        if planned.operation.takes_other and not others:
            raise ValueError(f"{name} needs other images; give some as others")
        if planned.operation.family == "mixing" and labelled:
            raise ValueError(f"{name} mixes the labels of whole images, so it goes with neither masks nor boxes")
        parameters = planned.draw(rng)
        other = others[int(rng.integers(len(others)))] if planned.operation.takes_other else None
        if parameters is None:
            continue
        if parameters.get("border") == "auto":
            parameters["border"] = "constant" if labelled else "reflect"
        if planned.operation.takes_other:
            parameters["other"] = other
        steps.append({"name": name, "parameters": parameters})
    return steps


def replay(
    image: ArrayLike,
    operations: Sequence[Mapping[str, Any]],
    *,
    mask: ArrayLike | None = None,
    boxes: ArrayLike | None = None,
    others: Others = (),
    min_visible: float = MIN_VISIBLE,
) -> Augmented:
    """Apply operations with given parameters, e.g. those of a line of a manifest: the same image again, bit by bit.

    Parameters
    ----------
    operations : sequence of mappings
        Each with ``"name"`` and ``"parameters"``.
    image, mask, boxes, others, min_visible : as for augment

    Raises
    ------
    ValueError
        If an operation is unknown, or a parameter is unknown or missing.
    """
    x = as_image(image)
    planes = x[:, :, np.newaxis] if x.ndim == 2 else x
    if planes.shape[2] > 4:
        raise ValueError(f"expected 1 to 4 channels (grey or RGB, then alpha), got {planes.shape[2]}")
    colours = planes.shape[2] - (planes.shape[2] % 2 == 0)
    pixels, alpha = planes[:, :, :colours].copy(), planes[:, :, colours:].copy()
    labels = None if mask is None else np.array(mask)
    if labels is not None and (labels.ndim not in (2, 3) or labels.shape[:2] != x.shape[:2]):
        raise ValueError(f"expected a mask of shape {x.shape[:2]} like the image, got {labels.shape}")
    outlines = None if boxes is None else outlines_of(boxes, x.shape)
    images = others if isinstance(others, Mapping) else dict(enumerate(others))
    done = []
    for step in operations:
        operation, parameters = checked_step(step)
        weight = 1.0
        if operation.family == "geometry":
            geometry, border, fill = geometry_of(step, pixels.shape)
            if alpha.shape[2]:
                pixels, alpha = move_transparent(pixels, alpha, geometry, border=border, fill=fill)
            else:
                pixels = move_image(pixels, geometry, border=border, fill=fill)
            labels = None if labels is None else move_mask(labels, geometry, border=border)
            outlines = None if outlines is None else [move_outline(o, geometry) for o in outlines]
        elif operation.takes_other:
            key = parameters.pop("other")
            if key not in images:
                raise ValueError(f"{operation.name} needs the other image {key!r}; it is not among others")
            pixels, weight = operation.function(pixels, _colours_of(images[key]), **parameters)
        else:
            shown = spread_colours(pixels, alpha[:, :, 0]) if alpha.shape[2] else pixels
            pixels = operation.function(shown, **parameters)
        done.append(Applied(operation.name, dict(step["parameters"]), weight))
    result = like(np.concatenate([pixels, alpha], axis=2) if alpha.shape[2] else pixels, image)
    around, kept = (None, None) if outlines is None else boxes_around(outlines, min_visible)
    return Augmented(result[:, :, 0] if x.ndim == 2 else result, labels, around, kept, tuple(done))


def replay_boxes(
    boxes: ArrayLike, shape: tuple[int, ...], operations: Sequence[Mapping[str, Any]], *, min_visible: float
) -> tuple[NDArray[np.float64], NDArray[np.intp], tuple[int, ...]]:
    """Give only the boxes of ``replay``, which ones they are, and the (H, W) of its image, for an image's shape."""
    outlines: list[Outline] = outlines_of(boxes, shape)
    size = shape[:2]
    for step in operations:
        if checked_step(step)[0].family == "geometry":
            geometry, _, _ = geometry_of(step, size)
            outlines, size = [move_outline(o, geometry) for o in outlines], geometry.size
    return *boxes_around(outlines, min_visible), size


def geometry_of(step: Mapping[str, Any], shape: tuple[int, ...]) -> tuple[Geometry, str, float]:
    """Give the geometry of a drawn geometric operation, and what stands outside of the image."""
    operation, parameters = checked_step(step)
    border, fill = parameters.pop("border", "reflect"), parameters.pop("fill", 0.0)
    return operation.function(shape, **parameters), border, fill


def checked_step(step: Mapping[str, Any]) -> tuple[Operation, dict[str, Any]]:
    """Give the operation and the parameters of a step, checked by name.

    Raises
    ------
    ValueError
        In one line that names what is unknown or missing.
    """
    named = isinstance(step, Mapping) and isinstance(step.get("name"), str)
    if not (named and isinstance(step.get("parameters"), Mapping)):
        raise ValueError(f"expected an operation with a name and parameters, got {step!r}")
    operation, parameters = find(step["name"]), dict(step["parameters"])
    known = operation.parameters
    for key in parameters:
        if key not in known:
            takes = ", ".join(known)
            raise ValueError(f"{operation.name} has no parameter {key!r}{near(key, known)} (it takes {takes})")
    taken = inspect.signature(operation.function).parameters
    require_options(operation.name, {name: p for name, p in taken.items() if name in known}, parameters)
    return operation, parameters


def _colours_of(other: ArrayLike) -> Image:
    """Give the (H, W, 1) or (H, W, 3) colours of another image."""
    x = as_image(other)
    planes = x[:, :, np.newaxis] if x.ndim == 2 else x
    return planes[:, :, : planes.shape[2] - (planes.shape[2] % 2 == 0)]
