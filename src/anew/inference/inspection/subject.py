"""A model under inspection: any ONNX file as a plain function of a batch of images, all its other inputs held fixed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, luminance
from anew.degradations.downscale import resize_bicubic
from anew.inference.card import BadModel, ModelCard
from anew.inference.models import RunFailed, find_model
from anew.inference.providers import card_text, first_line, make_session

Batch = NDArray[np.float32]  # (N, C, H, W)

# Conditions: 0.8 is a JPEG quality of 20, -0.5 says that nothing is known.
TYPICAL = {"denoise": 25 / 255, "deblock": 0.8, "repair": -0.5, "upscale": 2.0}
FILLED = {"condition": 0.1, "time": 0.5}  # inputs beside the image, where the task does not say more; else 0
PREFERRED = ("result", "logits", "mean")  # outputs, the first that is there
TYPES = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(uint8)": np.uint8}


@dataclass(frozen=True)
class Subject:
    """An open model, computed by ONNX Runtime on the processor in float32.

    Attributes
    ----------
    name : str
    path : path
    card : ModelCard, optional
        None for a foreign file.
    session : onnxruntime.InferenceSession
    entry : str, optional
        The input that takes the image; None if there is none, as in a generator.
    output : str
        The output that is looked at.
    channels : int
    size : (height, width), optional
        Of the image; None takes any that ``multiple`` divides.
    multiple : int
    batched : bool
        Whether several images go in at once.
    whole_bytes : bool
        Whether it takes uint8 in [0, 255]; images are given in [0, 1] all the same.
    others : mapping of str to array
        The fixed inputs beside the image.
    """

    name: str
    path: Path
    card: ModelCard | None
    session: Any
    entry: str | None
    output: str
    channels: int
    size: tuple[int, int] | None
    multiple: int
    batched: bool = False
    whole_bytes: bool = False
    others: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    @property
    def task(self) -> str:
        """What the card says it does; empty if there is none."""
        return self.card.task if self.card else ""

    @property
    def labels(self) -> list[str]:
        """Names of the classes, if it tells any."""
        return list(self.card.facts.get("labels", ())) if self.card and self.output == "logits" else []

    def __call__(self, batch: Batch) -> NDArray[Any]:
        """Run (N, C, H, W) images in [0, 1] through the model and give its output, first axis N.

        Raises
        ------
        RunFailed
            If ONNX Runtime refuses, e.g. a size that the model is not made for.
        """
        if self.entry is None:
            raise ValueError(f"{self.name} takes no image")
        given = np.rint(batch * 255).astype(np.uint8) if self.whole_bytes else batch.astype(np.float32, copy=False)
        pieces = [given] if self.batched else [given[i : i + 1] for i in range(len(given))]
        results = [self.run([self.output], piece)[0] for piece in pieces]
        return results[0] if len(results) == 1 else np.concatenate(results)

    def run(self, names: list[str], piece: NDArray[Any]) -> list[NDArray[Any]]:
        """Give outputs by name, for as many images as go in at once."""
        try:
            results: list[NDArray[Any]] = self.session.run(names, self._feeds(piece))
        except Exception as error:  # the runtime raises its own classes, which share no root
            size = f"{piece.shape[3]} x {piece.shape[2]} pixels in {piece.shape[1]} channels"
            raise RunFailed(f"{self.name} failed on {size}: {first_line(error)}") from None
        return results

    def _feeds(self, piece: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Give all inputs for some images; those with one row per image are repeated."""
        fixed = {
            name: np.repeat(value, len(piece), axis=0) if self.batched and value.ndim != 4 else value
            for name, value in self.others.items()
        }
        return fixed if self.entry is None else {self.entry: piece, **fixed}

    def told(self, condition: float) -> Subject:
        """Give the same model with another condition; an upscaler's output follows its factor."""
        others = {**self.others, "condition": np.full((1, 1, 1, 1), condition, np.float32)}
        scale = f"x{condition:g}"
        names = {output.name for output in self.session.get_outputs()}
        return replace(self, others=others, output=scale if scale in names else self.output)

    def as_batch(self, image: Image) -> Batch:
        """Give an (H, W) or (H, W, C) picture of any size as the model takes it: (1, C, H, W), scaled or cut to fit."""
        x = image if image.ndim == 3 else image[:, :, None]
        if self.channels == 1 and x.shape[2] != 1:
            x = luminance(x)[:, :, None]
        elif x.shape[2] != self.channels:
            x = np.repeat(x[:, :, :1], self.channels, axis=2)
        if self.size is not None and x.shape[:2] != self.size:
            x = resize_bicubic(np.ascontiguousarray(x), shape=self.size).clip(0, 1)
        bottom, right = (-side % self.multiple for side in x.shape[:2])
        padded = np.pad(x, ((0, bottom), (0, right), (0, 0)), mode="symmetric")
        return np.ascontiguousarray(padded.transpose(2, 0, 1)[None], np.float32)


def open_subject(name: str | Path) -> Subject:
    """Open a shipped model by name, or any ONNX file by path.

    Raises
    ------
    BadModel
        If there is no such file, ONNX Runtime cannot open it, or an input is of a kind that is not known here.
    """
    path = find_model(name)
    session = make_session(path, "cpu")
    text = card_text(session)
    card = None if text is None else ModelCard.from_json(text, str(path))
    inputs = session.get_inputs()
    unknown = [i for i in inputs if i.type not in TYPES]
    if unknown:
        raise BadModel(f"{path}: input {unknown[0].name!r} is {unknown[0].type}; {', '.join(TYPES)} can be given")
    entry = next((i for i in inputs if len(i.shape) == 4 and i.name != "condition"), None)
    shape = entry.shape if entry is not None else [1, 1, 1, 1]
    sides = [side if isinstance(side, int) else None for side in shape[2:]]
    size = (sides[0], sides[1]) if sides[0] is not None and sides[1] is not None else None
    channels = shape[1] if isinstance(shape[1], int) else card.channels if card else 3
    names = [o.name for o in session.get_outputs()]
    subject = Subject(
        name=card.name if card else path.stem,
        path=path,
        card=card,
        session=session,
        entry=entry.name if entry is not None else None,
        output=_output(card, names),
        channels=channels,
        size=size if entry is not None else None,
        multiple=card.size_multiple if card and size is None else 1,
        batched=entry is not None and not isinstance(shape[0], int),
        whole_bytes=entry is not None and entry.type == "tensor(uint8)",
        others={i.name: _filling(i) for i in inputs if i is not entry},
    )
    return subject.told(TYPICAL[subject.task]) if subject.task in TYPICAL and "condition" in subject.others else subject


def _output(card: ModelCard | None, names: list[str]) -> str:
    """Choose the output that depends on the image; of a variational autoencoder that is the mean of its latent."""
    wanted = ("mean",) if card is not None and card.facts.get("kind") == "vae" else PREFERRED
    return next((name for name in wanted if name in names), names[0])


def _filling(entry: Any) -> NDArray[Any]:
    """Give an input beside the image its value; axes of any length get length 1."""
    shape = [side if isinstance(side, int) else 1 for side in entry.shape]
    if entry.name == "latent":
        return np.random.default_rng(0).standard_normal(shape, np.float32)
    return np.full(shape, FILLED.get(entry.name, 0), TYPES[entry.type])
