"""The shipped models, and how one is opened and run."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anew.errors import AnewError
from anew.inference.card import BadModel, ModelCard
from anew.inference.providers import (
    BFLOAT16_FROM,
    card_text,
    chosen_provider,
    computes_bfloat16,
    first_line,
    lean_run,
    on_processor,
)
from anew.inference.providers import CARD_KEY as CARD_KEY
from anew.inference.providers import make_session as make_session

WEIGHTS = Path(__file__).parent / "weights"
IN_8_BITS = "-int8"  # ends the name of the same network trained on to compute in 8 bits


class RunFailed(AnewError):
    """A model could not be computed, or gave what is no image."""


@dataclass(frozen=True)
class Model:
    """An open model: its card, and the runtime that holds its weights.

    Attributes
    ----------
    card : ModelCard
    session : open session
        See ``providers.make_session``.
    rounded : Model, optional
        The same computed in bfloat16 or in 8 bits.
    rounded_from : float
        The least condition for which that is used.
    run_options : tuple
        What else the session is given for a run.
    """

    card: ModelCard
    session: Any
    rounded: Model | None = None
    rounded_from: float = 0.0
    run_options: tuple[Any, ...] = ()

    def under(self, condition: float | None) -> Model:
        """Give what computes for a condition: itself, or the one that rounds."""
        if self.rounded is None or condition is None or condition < self.rounded_from:
            return self
        return self.rounded

    def __call__(self, image: NDArray[np.float32], condition: float | None = None) -> NDArray[np.float32]:
        """Run the network on an (H, W, C) float32 image of any size; a condition is given if the network takes one.

        The sides are padded by reflection to the card's multiple and cut again afterwards.

        Raises
        ------
        RunFailed
            If the runtime fails, or the result is not finite.
        """
        chosen = self.under(condition)
        if chosen is not self:
            return chosen(image, condition)
        height, width = image.shape[:2]
        multiple = self.card.size_multiple
        bottom, right = -height % multiple, -width % multiple
        padded = _reflect(image, bottom, right)
        inputs = {"image": np.ascontiguousarray(padded.transpose(2, 0, 1)[None], np.float32)}
        if condition is not None:
            inputs["condition"] = np.full((1, 1, 1, 1), condition, np.float32)
        result = self.run(inputs)
        return np.ascontiguousarray(result[0].transpose(1, 2, 0)[:height, :width])

    def run(self, inputs: dict[str, NDArray[np.float32]], output: str | None = None) -> NDArray[np.float32]:
        """Run the network once.

        Parameters
        ----------
        inputs : dict
            By name; ``image`` is a (1, C, H, W) float32 array.
        output : str, optional
            Which one is wanted, if there are several.

        Raises
        ------
        RunFailed
            If the runtime fails, or the result is not finite.
        """
        _, channels, height, width = inputs["image"].shape
        size = f"{width} x {height} pixels in {channels} channels"
        result: NDArray[np.float32]
        try:
            (result,) = self.session.run(None if output is None else [output], inputs, *self.run_options)
        except Exception as error:  # the runtimes raise their own classes, which share no root
            raise RunFailed(f"{self.card.name} failed on {size}: {first_line(error)}") from None
        if not np.isfinite(result).all():
            raise RunFailed(f"{self.card.name} gave values that are not finite on {size}")
        return result


def model_names() -> list[str]:
    """Give the names of the shipped models."""
    return sorted(path.stem for path in WEIGHTS.glob("*.onnx"))


def model_path(name: str | Path) -> Path:
    """Give the file that a name stands for: a shipped model, or a path, which ends in ``.onnx`` or has a folder."""
    return Path(name) if os.path.dirname(str(name)) or str(name).endswith(".onnx") else WEIGHTS / f"{name}.onnx"


def find_model(name: str | Path) -> Path:
    """Give the file that a name stands for, or raise BadModel if it is not there."""
    path = model_path(name)
    if path.is_file():
        return path
    if path.parent == WEIGHTS:
        raise BadModel(f"no model {str(name)!r}; there are {', '.join(model_names()) or 'none'}, or give an .onnx file")
    raise BadModel(f"{name}: there is no such file; give one that is there, or a name that `anew models` lists")


def open_model(name: str | Path, *, task: str | None = None, provider: str | None = None) -> Model:
    """Open a shipped model by name, or any model file of ours by path.

    Parameters
    ----------
    name : str or path
    task : str, optional
        What it must be for.
    provider : {"auto", "cpu", "cuda", "openvino", "openvino-bf16"}, optional
        What computes it; by default what the environment variable ``ANEW_PROVIDER`` names, else ``"auto"``: ONNX
        Runtime, and where the damage hides the rounding the same network in 8 bits, if it is shipped; for denoisers
        OpenVINO in bfloat16 instead, if it is installed and the processor can.

    Raises
    ------
    BadModel
        If there is no such model, the file is not one of ours, or it is for something else.
    Unavailable
        If there is no such provider, or it is not installed.
    """
    path = find_model(name)
    model = _open(path, path.stat().st_mtime_ns, chosen_provider(provider))
    if task is not None and model.card.task != task:
        raise BadModel(f"{name}: a model for the task {task} was expected, this one is for {model.card.task}")
    return model


@lru_cache(maxsize=8)
def _open(path: Path, changed: int, provider: str) -> Model:
    """Open a file as it is since ``changed``."""
    session = make_session(path, provider)
    text = card_text(session)
    if text is None:
        raise BadModel(f"{path}: carries no card; only models made by `anew train` can be used")
    card = ModelCard.from_json(text, str(path))
    if card.task == "diagnose":
        return Model(card, session, run_options=lean_run(session))
    if provider != "auto" or not on_processor(session):
        return Model(card, session)
    if card.task == "denoise" and computes_bfloat16():
        return Model(card, session, Model(card, make_session(path, "openvino-bf16")), BFLOAT16_FROM)
    in_8_bits = path.with_name(f"{path.stem}{IN_8_BITS}.onnx")
    if path.parent != WEIGHTS or not in_8_bits.is_file():
        return Model(card, session)
    other = _open(in_8_bits, in_8_bits.stat().st_mtime_ns, "cpu")
    return Model(card, session, other, float(other.card.facts["least condition"]))


def read_card(name: str) -> ModelCard:
    """Give the card of a model."""
    return open_model(name).card


def _reflect(image: NDArray[np.float32], bottom: int, right: int) -> NDArray[np.float32]:
    """Pad below and on the right by reflection, also where the image is smaller than the padding."""
    if bottom == right == 0:
        return image
    return np.pad(image, ((0, bottom), (0, right), (0, 0)), mode="symmetric")
