"""Models of a few operations, written by hand, whose every property is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anew.inference.card import ModelCard
from anew.inference.inspection.subject import Subject, open_subject
from anew.inference.providers import CARD_KEY

onnx = pytest.importorskip("onnx")

helper = onnx.helper
FLOAT = onnx.TensorProto.FLOAT
MARGIN = 1  # of a 3 x 3 kernel


def node(operation: str, *tensors: str, **attributes: Any) -> Any:
    """Give an operation; the last tensor is its output, the others are its inputs."""
    return helper.make_node(operation, list(tensors[:-1]), [tensors[-1]], **attributes)


def conv(entry: str, weight: str, output: str, **attributes: Any) -> Any:
    """Give a 3 x 3 convolution that keeps the size."""
    return node("Conv", entry, weight, output, **{"pads": [MARGIN] * 4, **attributes})


def save_model(
    path: Path,
    nodes: Sequence[Any],
    *,
    channels: int = 1,
    size: tuple[int, int] | None = None,
    output: str = "result",
    rank: int = 4,
    entries: Mapping[str, Sequence[int | str]] | None = None,
    card: ModelCard | None = None,
    **weights: np.ndarray,
) -> Subject:
    """Write a model of input ``image`` (and ``condition``, if it is a restorer), or of other ones, and open it."""
    shapes = dict(entries or {"image": ["count", channels, *(size or ("height", "width"))]})
    if card is not None and card.task in ("denoise", "deblock", "repair", "upscale"):
        shapes["condition"] = [1, 1, 1, 1]
    inputs = [helper.make_tensor_value_info(name, FLOAT, list(shape)) for name, shape in shapes.items()]
    stored = [onnx.numpy_helper.from_array(np.asarray(w, np.float32), name) for name, w in weights.items()]
    outputs = [helper.make_tensor_value_info(output, FLOAT, [None] * rank)]
    graph = helper.make_graph(list(nodes), "tiny", inputs, outputs, stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    if card is not None:
        entry = model.metadata_props.add()
        entry.key, entry.value = CARD_KEY, card.model_dump_json()
    onnx.save(model, str(path))
    return open_subject(path)


def make_card(task: str, *, channels: int = 3, **facts: Any) -> ModelCard:
    """Give a card that says little."""
    return ModelCard(
        name=f"tiny-{task}",
        task=task,
        summary="made by hand",
        network="none",
        network_args={},
        channels=channels,
        size_multiple=1,
        halo=4,
        parameters=0,
        multiply_adds_per_pixel=0,
        recipe={},
        budget="none",
        data="none",
        terms="none",
        date="2026-01-01",
        facts=facts,
    )
