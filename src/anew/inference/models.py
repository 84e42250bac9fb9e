"""The shipped models, and how one is opened and run."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anew.inference.card import BadModel, ModelCard

WEIGHTS = Path(__file__).parent / "weights"
PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")  # the first that is there


@dataclass(frozen=True)
class Model:
    """An open model: its card, and the runtime that holds its weights."""

    card: ModelCard
    session: Any

    def __call__(self, image: NDArray[np.float32], condition: float) -> NDArray[np.float32]:
        """Run the network on an (H, W, C) float32 image of any size.

        The sides are padded by reflection to the card's multiple and cut again afterwards.
        """
        height, width = image.shape[:2]
        multiple = self.card.size_multiple
        bottom, right = -height % multiple, -width % multiple
        padded = _reflect(image, bottom, right)
        batch = np.ascontiguousarray(padded.transpose(2, 0, 1)[None], np.float32)
        level = np.full((1, 1, 1, 1), condition, np.float32)
        (result,) = self.session.run(None, {"image": batch, "condition": level})
        return np.ascontiguousarray(result[0].transpose(1, 2, 0)[:height, :width])


def model_names() -> list[str]:
    """Give the names of the shipped models."""
    return sorted(path.stem for path in WEIGHTS.glob("*.onnx"))


@lru_cache(maxsize=4)
def open_model(name: str | Path) -> Model:
    """Open a shipped model by name, or any model file of ours by path.

    Raises
    ------
    BadModel
        If there is no such model, or the file is not one of ours.
    """
    import onnxruntime

    path = Path(name) if os.path.dirname(str(name)) or str(name).endswith(".onnx") else WEIGHTS / f"{name}.onnx"
    if not path.is_file():
        raise BadModel(f"no model {str(name)!r}; there are {', '.join(model_names()) or 'none'}")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", "0") or 0)
    available = onnxruntime.get_available_providers()
    try:
        session = onnxruntime.InferenceSession(str(path), options, [p for p in PROVIDERS if p in available])
    except Exception as error:  # the runtime raises its own classes, which share no root
        raise BadModel(f"{path}: not a model that ONNX Runtime can open ({str(error).splitlines()[0]})") from None
    metadata = session.get_modelmeta().custom_metadata_map
    if "anew:card" not in metadata:
        raise BadModel(f"{path}: carries no card; only models made by `anew train` can be used")
    return Model(ModelCard.from_json(metadata["anew:card"], str(path)), session)


def read_card(name: str) -> ModelCard:
    """Give the card of a model."""
    return open_model(name).card


def _reflect(image: NDArray[np.float32], bottom: int, right: int) -> NDArray[np.float32]:
    """Pad below and on the right by reflection, also where the image is smaller than the padding."""
    if bottom == right == 0:
        return image
    return np.pad(image, ((0, bottom), (0, right), (0, 0)), mode="symmetric")
