"""Feature maps: what a layer makes of a picture, the most energetic channels first. Needs the package ``onnx``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anew.contact_sheet import Tile, draw_contact_sheet
from anew.inference.inspection.graph import intermediate, layers_of, load_graph
from anew.inference.inspection.subject import Batch, Subject

LAYERS, CHANNELS = 6, 6  # shown by default
BRIGHTEST = 99.0  # percentile that is shown white; the same one from below is shown black
SPARSE = 0.1  # where these percentiles span less of the whole span, the map is a few points, and all of it is shown


@dataclass(frozen=True)
class FeatureMap:
    """One channel of one layer.

    Attributes
    ----------
    layer : str
    channel, channels : int
        Which one of how many.
    map : (h, w) float32 array
    energy : float
        Its share of the layer's energy: variance over the picture, summed over channels.
    """

    layer: str
    channel: int
    channels: int
    map: NDArray[np.float32]
    energy: float


def feature_maps(
    subject: Subject, batch: Batch, names: Sequence[str] | None = None, *, most: int = CHANNELS
) -> list[FeatureMap]:
    """Run one picture and give the most energetic maps of some layers.

    Parameters
    ----------
    subject : Subject
    batch : (1, C, H, W) float32 array
    names : sequence of str, optional
        Of layers, nodes or tensors; by default some convolutions from the first to the last, after their rectifier.
    most : int >= 1
        Maps of each layer.

    Raises
    ------
    Unavailable
        If ``onnx`` is not installed.
    ValueError
        If there is no layer of a name, or it makes no map.
    """
    chosen = {name: name for name in names} if names is not None else _spread_layers(subject)
    found = intermediate(subject, batch, list(dict.fromkeys(chosen.values())))
    maps = []
    for name, tensor in chosen.items():
        values = found[tensor]
        if values.ndim != 4:
            raise ValueError(f"{name} makes an array of shape {values.shape}, no map (N, C, H, W)")
        maps += _most_energetic(name, np.asarray(values[0], np.float32), most)
    return maps


def draw_feature_maps(maps: Sequence[FeatureMap], *, title: str, columns: int = CHANNELS) -> NDArray[np.uint8]:
    """Draw the maps on a contact sheet: one row per layer if each has ``columns``."""
    return draw_contact_sheet(feature_map_tiles(maps), title=title, tile_width=192, columns=columns)


def feature_map_tiles(maps: Sequence[FeatureMap]) -> list[Tile]:
    """Draw each map, stretched from black to white."""
    tiles = []
    for found in maps:
        size = f"{found.map.shape[1]} x {found.map.shape[0]}"
        note = f"{found.energy:.0%}: {found.channel} of {found.channels}, {size}"
        tiles.append(Tile(found.layer, _stretched(found.map), note))
    return tiles


def _spread_layers(subject: Subject) -> dict[str, str]:
    """Choose convolutions evenly from first to last: layer name -> tensor, the rectified one where there is one."""
    layers = [layer for layer in layers_of(subject.path) if layer.operation in ("Conv", "ConvTranspose")]
    graph = load_graph(subject.path).graph
    rectified = {node.input[0]: node.output[0] for node in graph.node if node.op_type in ("Relu", "PRelu", "LeakyRelu")}
    if not layers:
        raise ValueError("this model has no convolution, so it makes no map")
    count = min(LAYERS, len(layers))
    picked = [layers[round(i * (len(layers) - 1) / max(1, count - 1))] for i in range(count)]
    return {layer.name: rectified.get(layer.output, layer.output) for layer in picked}


def _most_energetic(name: str, values: NDArray[np.float32], most: int) -> list[FeatureMap]:
    variance = values.var(axis=(1, 2), dtype=np.float64)
    whole = float(variance.sum()) or 1.0
    order = np.argsort(-variance, kind="stable")[:most]
    return [FeatureMap(name, int(c), len(values), values[c], float(variance[c]) / whole) for c in order]


def _stretched(values: NDArray[np.float32]) -> NDArray[np.float32]:
    low, high = np.percentile(values, [100 - BRIGHTEST, BRIGHTEST])
    if high - low < SPARSE * float(np.ptp(values)):
        low, high = values.min(), values.max()
    return ((values - low) / max(float(high - low), 1e-12)).clip(0, 1).astype(np.float32)
