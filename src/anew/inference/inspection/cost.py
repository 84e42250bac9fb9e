"""What a model costs: weights, multiplications per pixel, layers; from its card and, with ``onnx``, from its graph."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from anew.errors import Unavailable
from anew.inference.inspection.graph import Layer, layers_of, multiply_adds
from anew.inference.inspection.subject import Batch, Subject


@dataclass(frozen=True)
class Cost:
    """The size of a model.

    Attributes
    ----------
    parameters, multiply_adds_per_pixel : int, optional
        From the card; of a foreign model counted in the layers of its graph, weights that several share once. None if
        that cannot be read.
    layers : list of (Layer, float)
        The operations with weights, each with its multiply-adds per input pixel; empty without ``onnx``.
    note : str
        What could not be told, and why.
    """

    parameters: int | None
    multiply_adds_per_pixel: float | None
    layers: list[tuple[Layer, float]] = field(default_factory=list)
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """Give plain JSON values."""
        layers = [
            {
                "name": layer.name,
                "operation": layer.operation,
                "weights": list(layer.weight_shape),
                "parameters": layer.parameters,
                "multiply_adds_per_pixel": round(each, 2),
            }
            for layer, each in self.layers
        ]
        counts = {"parameters": self.parameters, "multiply_adds_per_pixel": self.multiply_adds_per_pixel}
        return {**counts, "layers": layers, "note": self.note}


def measure_cost(subject: Subject, batch: Batch) -> Cost:
    """Count the weights and multiplications of a model for a batch of one image of (1, C, H, W)."""
    card = subject.card
    try:
        layers = layers_of(subject.path)
        counts = multiply_adds(layers, subject, batch)
    except Unavailable as error:
        stated = float(card.multiply_adds_per_pixel) if card else None
        return Cost(card.parameters if card else None, stated, note=f"layers: {error}")
    pixels = batch.shape[2] * batch.shape[3]
    each = [count / pixels for count in counts]
    parameters = card.parameters if card else sum({k: n for layer in layers for k, n in layer.stored.items()}.values())
    in_all = float(card.multiply_adds_per_pixel) if card and card.multiply_adds_per_pixel else round(sum(each), 2)
    return Cost(parameters, in_all, list(zip(layers, each, strict=True)))
