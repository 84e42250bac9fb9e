"""Named feature extractors: what sets of images are compared in, over ONNX Runtime.

``digits``, ``fashion``, ``faces`` and ``photos`` are networks that we trained; their cards say on what. The judges,
such as ``judge-digits``, were trained independently of them, to say which class an image shows. A path ending in
``.onnx`` is any other extractor, such as the Inception network of Heusel et al. that is used for published figures: one
input (any N, 1 or 3, H, W), float32 in [0, 1] or uint8 in [0, 255]; one output of shape (N, D), called ``features`` if
there are several. torch-fidelity's ``FeatureExtractorInceptionV3``, exported with ``torch.onnx.export``, takes uint8 of
any size and scales it itself; if the file fixes the size, images are scaled to it here.
"""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anew.arrays import LUMA
from anew.errors import AnewError
from anew.inference.models import CARD_KEY, WEIGHTS, make_session, model_names, open_model

BATCH_PIXELS = 1 << 21  # of images given to the network at once
TILE = 1024  # pixels a side, above which our networks see an image piece by piece
OVERSHOOT = 0.5  # beyond [0, 1], as sharpening and networks leave it; further out lie images of another range


class WrongExtractor(AnewError):
    """A feature extractor does not exist, or cannot do what is asked."""


@dataclass(frozen=True)
class Extractor:
    """An open feature extractor.

    Attributes
    ----------
    name, version : str
        The version is the date of our training, or the first 8 digits of a foreign file's SHA-256.
    session : onnxruntime.InferenceSession
    labels : tuple of str
        Of its classes, if it has any.
    size : (height, width) or None
        Of its images; None takes any.
    resizes : bool
        Whether images of another size are scaled, or refused.
    channels : {1, 3}
    whole_bytes : bool
        Whether it takes uint8 in [0, 255].
    """

    name: str
    version: str
    session: Any
    labels: tuple[str, ...]
    size: tuple[int, int] | None
    resizes: bool
    channels: int
    whole_bytes: bool = False

    def __str__(self) -> str:
        return f"{self.name} ({self.version})"


def extract(images: ArrayLike, name: str | Path) -> NDArray[np.float32]:
    """Describe each image by a vector.

    Images of more than 1024 pixels a side are described by ours in tiles of 1024, and by the mean over them.

    Parameters
    ----------
    images : (N, H, W) or (N, H, W, C) array of float in [0, 1], or uint8
        Grey and colour are converted to what the extractor takes.
    name : str or path
        ``"digits"``, ``"fashion"``, ``"faces"``, ``"photos"``, or the path of an ``.onnx`` file.

    Returns
    -------
    (N, D) float32 array

    Raises
    ------
    WrongExtractor
        If there is none of this name.
    ValueError
        If the images do not have the size that it was trained for, or their values lie far beyond [0, 1].
    """
    return run(images, name, "features")


def classify(images: ArrayLike, name: str | Path) -> NDArray[np.float32]:
    """Give the probability of each class.

    Parameters
    ----------
    images : as extract takes them
    name : str or path
        As ``extract`` takes it, or ``"judge-digits"``, ``"judge-fashion"``: use these to judge generated images, so
        that no figure comes from the network that they were tuned by.

    Returns
    -------
    (N, classes) float32 array in [0, 1], rows of sum 1; the names are open_extractor(name).labels
    """
    extractor = open_extractor(name)
    if not extractor.labels:
        raise WrongExtractor(f"{name} knows no classes; judge-digits and judge-fashion do")
    logits = run(images, name, "logits")
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def run(images: ArrayLike, name: str | Path, output: str) -> NDArray[np.float32]:
    """Run an extractor over a set, some images at a time, and give one of its outputs."""
    extractor = open_extractor(name)
    batch = as_images(images)
    size = extractor.size
    if size is not None and batch.shape[1:3] != size and not extractor.resizes:
        raise ValueError(
            f"{name} describes images of {size[1]} x {size[0]} pixels, these have {batch.shape[2]} x {batch.shape[1]}; "
            "choose another extractor"
        )
    wanted = _output(extractor, output)
    entry = extractor.session.get_inputs()[0].name
    step = max(1, BATCH_PIXELS // int(np.prod(size or batch.shape[1:3])))
    sides = batch.shape[1:3]
    # ours end with a mean over places, and with logits that are linear in it; what a foreign network does is not known
    rows, columns = ([slice(0, side)] if extractor.resizes else pieces(side) for side in sides)
    parts = []
    for start in range(0, len(batch), step):
        part: Any = 0.0
        for row, column in itertools.product(rows, columns):
            seen = _prepare(batch[start : start + step, row, column], extractor)
            found = extractor.session.run([wanted], {entry: seen})[0].reshape(len(seen), -1)
            area = (row.stop - row.start) * (column.stop - column.start)
            part = part + np.float32(area / (sides[0] * sides[1])) * found
        parts.append(part)
    return np.concatenate(parts).astype(np.float32, copy=False)


def pieces(side: int) -> list[slice]:
    """Divide a side evenly into as few pieces of up to ``TILE`` pixels as it takes."""
    count = -(-side // TILE)
    edges = [side * i // count for i in range(count + 1)]
    return [slice(a, b) for a, b in itertools.pairwise(edges)]


@lru_cache(maxsize=8)
def open_extractor(name: str | Path) -> Extractor:
    """Open an extractor by its name, or by the path of an ``.onnx`` file.

    Raises
    ------
    WrongExtractor
        If there is none, or the file's input is not that of an image.
    BadModel
        If the file cannot be opened, or is a model of ours that does something else.
    """
    name = str(name)
    if name.endswith(".onnx"):
        return _open_file(Path(name))
    for full in (name, f"features-{name}"):
        if full in _shipped():
            return _open_file(WEIGHTS / f"{full}.onnx")
    raise WrongExtractor(f"no feature extractor {name!r}; there are {', '.join(_names())}, or give an .onnx file")


def as_images(images: ArrayLike) -> NDArray[np.float32]:
    """Check a set of images and give it as (N, H, W, C) float32 in [0, 1], clipped."""
    x = np.asarray(images)
    if x.ndim not in (3, 4) or 0 in x.shape or (x.ndim == 4 and x.shape[3] not in (1, 3)):
        raise ValueError(f"expected images of shape (N, H, W) or (N, H, W, 1 or 3), got {x.shape}")
    if x.dtype == np.uint8:
        x = x.astype(np.float32) / 255
    if not np.issubdtype(x.dtype, np.floating):
        raise TypeError(f"expected images of float in [0, 1], or uint8, got {x.dtype}")
    if not np.isfinite(x).all():
        raise ValueError("the images hold NaN or infinite values")
    if x.min() < -OVERSHOOT or x.max() > 1 + OVERSHOOT:
        raise ValueError(f"expected images of float in [0, 1], got values from {x.min():g} to {x.max():g}; scale them")
    return np.clip(x if x.ndim == 4 else x[..., None], 0, 1).astype(np.float32, copy=False)


def _prepare(images: NDArray[np.float32], extractor: Extractor) -> NDArray[Any]:
    """Give (N, C, H, W) as the extractor takes it."""
    if extractor.channels == 1 and images.shape[3] == 3:
        images = (images @ np.array(LUMA, np.float32))[..., None]
    elif extractor.channels == 3 and images.shape[3] == 1:
        images = np.repeat(images, 3, axis=3)
    if extractor.size is not None and images.shape[1:3] != extractor.size:
        images = np.stack([_resize(image, extractor.size) for image in images])
    if extractor.whole_bytes:
        images = np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2))


def _resize(image: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Scale with an antialiasing bicubic filter, in float (Parmar, Zhang and Zhu, "On Aliased Resizing", CVPR 2022)."""
    from PIL import Image

    target = (size[1], size[0])
    scaled = [
        Image.fromarray(np.ascontiguousarray(image[:, :, c])).resize(target, Image.Resampling.BICUBIC)
        for c in range(image.shape[2])
    ]
    return np.stack([np.asarray(channel) for channel in scaled], axis=2)


def _open_file(path: Path) -> Extractor:
    """Open one of our networks, which carry a card, or somebody else's, which must tell by its input."""
    if not path.is_file():
        raise WrongExtractor(f"{path}: no such file")
    session = make_session(path)
    if CARD_KEY in session.get_modelmeta().custom_metadata_map:
        card = open_model(path, task="classify").card
        size = tuple(card.facts["size"]) if card.facts.get("size") else None
        return Extractor(card.name, card.date, session, tuple(card.facts.get("labels", ())), size, False, card.channels)
    inputs = session.get_inputs()
    shape, kind = inputs[0].shape, inputs[0].type
    fixed = [isinstance(side, int) for side in shape]
    fits = len(inputs) == 1 and len(shape) == 4 and shape[1] in (1, 3) and not fixed[0] and fixed[2] == fixed[3]
    if not fits or kind not in ("tensor(float)", "tensor(uint8)"):
        takes = ", ".join(f"{i.name} {i.shape} {i.type}" for i in inputs)
        raise WrongExtractor(
            f"{path}: expected one input (any N, 1 or 3, H, W) of float32 in [0, 1] or uint8, it takes {takes}"
        )
    size = (shape[2], shape[3]) if fixed[2] else None
    version = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    return Extractor(path.name, version, session, (), size, True, shape[1], kind == "tensor(uint8)")


def _output(extractor: Extractor, wanted: str) -> str:
    """Find the output: the one of this name, or the only one."""
    names: list[str] = [output.name for output in extractor.session.get_outputs()]
    if wanted in names:
        return wanted
    if len(names) == 1:
        return names[0]
    raise WrongExtractor(f"{extractor.name}: has no output {wanted!r} among {', '.join(names)}; name one so")


def _shipped() -> list[str]:
    return [name for name in model_names() if name.startswith(("features-", "judge-"))]


def _names() -> list[str]:
    return [name.removeprefix("features-") for name in _shipped()]
