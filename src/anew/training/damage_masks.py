"""What a detector of damage is trained and validated on: photographs under scratches, hairs and dust, and clean ones.

Layers (``damage_layers.py``) are turned, scaled, coloured and laid over crops that may be grey, sepia, faded, soft;
then everything may be blurred, noisy and compressed, as a scan is. A pixel counts as damaged if a layer covers it and
has changed it visibly. A third of the crops has no damage, and many of these are drawings, letters, wires and hair,
which look like it. The loss is cross-entropy, in which the few damaged pixels weigh more, plus the soft Dice loss of
Milletari, Navab and Ahmadi, "V-Net", 3DV 2016.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from anew.arrays import luminance
from anew.inference.card import ModelCard
from anew.networks import build_network
from anew.options import Count, Share
from anew.training.config import Part, TrainingConfig
from anew.training.damage_layers import SOURCES, Layer, drawn_layers, film_layers, lookalikes
from anew.training.data import ImageSet, load_images, pack, resized, split
from anew.training.export import export_onnx
from anew.training.objective import Networks, Objective
from anew.training.restoration import RunFacts, budget

Crop = NDArray[np.float32]

KINDS = ("damage",)  # the outputs of the network
COVERED, VISIBLE = 0.12, 0.06  # least opacity, and least change of a value, of a pixel that counts as damaged
HELD_OUT = 8  # every so many of the overlays is kept for validation
VALIDATION_SEED = 7
MOST_NOISE = 0.2  # standard deviation, in units of the range
CHOICE = 4  # crops of which the busiest, or the most misleading, is taken
DAMAGED_WEIGHT = 3.0  # of a damaged pixel in the cross-entropy
WHITE, DARK = 0.82, 0.13  # shares of the colours of layers; the rest has any colour


@dataclass(frozen=True, kw_only=True)
class DamageConfig(TrainingConfig):
    """A detector's run.

    Attributes
    ----------
    clean_share : float in [0, 1]
        Part of the crops without damage.
    lookalike_share : float in [0, 1]
        Part of these that are drawn.
    busy_share, misleading_share : float in [0, 1]
        Parts of the clean crops of photographs that are, of a few, the busiest, or the one of which the network as it
        is marks most: twigs, whiskers and fences lie there.
    sizes : tuple of float in (0, 1]
        Each photograph is learned from at each of these sizes, if it is then still large enough: shrunk ones are
        sharper, and what is thin in them is thinner.
    lookalikes, drawn : int
        How many lookalikes, and layers of each drawn sort, are made.
    overlay_step : int >= 1
        Every so many of the film overlays is used, from the first on; the others remain for tests.
    grey_share, sepia_share, faded_share, dark_share, soft_share, noisy_share, impulse_share, jpeg_share : float
        Parts of the crops that look so, in [0, 1]. Impulses are no dust: they have a finder of their own.
    """

    objective: str = "damage_masks"
    task: str = "diagnose"
    channels: Literal[3] = 3
    clean_share: Part = 0.4
    lookalike_share: Part = 0.3
    busy_share: Part = 0.0
    misleading_share: Part = 0.0
    sizes: tuple[Share, ...] = (1.0,)
    lookalikes: Count = 84
    drawn: Count = 120
    overlay_step: Count = 2
    grey_share: Part = 0.35
    sepia_share: Part = 0.1
    faded_share: Part = 0.15
    dark_share: Part = 0.15
    soft_share: Part = 0.2
    noisy_share: Part = 0.35
    impulse_share: Part = 0.06
    jpeg_share: Part = 0.25


@dataclass(frozen=True)
class DamageData:
    """Photographs at every size, pictures that look like damage, and layers of damage.

    ``distinct`` tells how many photographs there are, whatever their sizes.
    """

    photographs: ImageSet
    lookalikes: ImageSet
    layers: tuple[Layer, ...]
    distinct: int

    def __len__(self) -> int:
        return self.distinct

    @property
    def skipped(self) -> tuple[str, ...]:
        """What was left out of the photographs, and why, one line each."""
        return self.photographs.skipped

    def to(self, device: torch.device) -> DamageData:
        """Give the same data; crops are made on the CPU and moved batch by batch."""
        return self


def load_data(source: Path, config: DamageConfig) -> tuple[DamageData, DamageData]:
    """Read photographs and film overlays, draw the rest, and hold some of each out: (training, validation).

    ``source`` is a folder with ``photos`` and, if there are any, ``film_damage/<kind>/*.png``; or it holds the
    photographs themselves.
    """
    photos = source / "photos" if (source / "photos").is_dir() else source
    images = load_images(photos, channels=3, min_size=config.patch)
    training, validation = split(images, config.validation, config.seed)
    rng = np.random.default_rng(config.seed)
    overlays = source / "film_damage"
    film = film_layers(overlays, 0, config.overlay_step, rng) if overlays.is_dir() else []
    layers = [*film, *drawn_layers(config.drawn, rng)]
    drawn = lookalikes(config.lookalikes, rng)
    every = min(HELD_OUT, len(layers))
    kept = tuple(layer for k, layer in enumerate(layers) if k % every == every - 1)
    shown = tuple(layer for k, layer in enumerate(layers) if k % every != every - 1)
    few = max(1, len(drawn) // HELD_OUT)
    at_every_size = resized(training, config.sizes, config.patch)
    return (
        DamageData(at_every_size, pack(drawn[few:] or drawn), shown, len(training)),
        DamageData(validation, pack(drawn[:few]), kept, len(validation)),
    )


def make_objective(config: DamageConfig) -> Objective:
    """Build the network, and say how it learns."""
    arguments = {"channels": config.channels, "kinds": len(KINDS), **config.network_args}
    network = build_network(config.network, seed=config.seed, **arguments)
    return Objective(networks={"network": network}, losses={"network": loss}, product="network", validate=validate)


def loss(networks: Networks, data: DamageData, config: DamageConfig, generator: torch.Generator) -> Tensor:
    """Weighted cross-entropy per pixel plus the soft Dice loss per kind over the whole batch."""
    place = next(networks["network"].parameters()).device

    @torch.no_grad()
    def marked(crops: Crop) -> NDArray[np.float32]:
        """Give the share that the network marks of each of (N, h, w, 3) crops."""
        network = networks["network"].eval()
        shown = torch.from_numpy(crops).permute(0, 3, 1, 2).to(place)
        share = network(shown.contiguous(memory_format=torch.channels_last)).float().sigmoid().mean(dim=(1, 2, 3))
        network.train()
        return np.asarray(share.cpu().numpy(), np.float32)

    image, truth = (side.to(place) for side in make_batch(data, config, generator, marked))
    logits = networks["network"](image.contiguous(memory_format=torch.channels_last)).float()
    weight = torch.full((1, 1, 1), DAMAGED_WEIGHT, device=place)
    entropy = nn.functional.binary_cross_entropy_with_logits(logits, truth, pos_weight=weight)
    return entropy + dice_loss(logits.sigmoid(), truth)


def dice_loss(probability: Tensor, truth: Tensor) -> Tensor:
    """Mean over kinds of 1 - 2 sum(p g) / (sum(p^2) + sum(g^2)), for (N, K, H, W) tensors."""
    axes = (0, 2, 3)
    shared = (probability * truth).sum(axes)
    total = probability.square().sum(axes) + truth.square().sum(axes)
    return (1 - (2 * shared + 1) / (total + 1)).mean()


def make_batch(
    data: DamageData,
    config: DamageConfig,
    generator: torch.Generator,
    marked: Callable[[Crop], NDArray[np.float32]] | None = None,
) -> tuple[Tensor, Tensor]:
    """Draw (image, truth): (N, 3, h, w) in [0, 1], and (N, kinds, h, w), 1 where damaged.

    ``marked`` tells how much of each of (N, h, w, 3) crops is marked; without it, misleading crops are busy ones.
    """
    rng = np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator, device=generator.device)))
    state = torch.Generator().manual_seed(int(rng.integers(2**62)))
    photographs = data.photographs.crops(CHOICE * config.batch, config.patch, state).permute(0, 2, 3, 1).numpy()
    drawn = data.lookalikes.crops(config.batch, config.patch, state).permute(0, 2, 3, 1).numpy()
    images, truths = [], []
    for index, lookalike in enumerate(drawn):
        choice = photographs[CHOICE * index : CHOICE * (index + 1)]
        clean = rng.random() < config.clean_share
        if clean and rng.random() < config.lookalike_share:
            chosen = lookalike
        elif clean and (draw := rng.random()) < config.misleading_share and marked is not None:
            chosen = choice[int(np.argmax(marked(choice)))]
        elif clean and draw < config.misleading_share + config.busy_share:
            chosen = max(choice, key=fineness)
        else:
            chosen = choice[0]
        pixels = np.ascontiguousarray(chosen)
        grey = bool(rng.random() < config.grey_share)
        pixels = age(pixels, config, rng, grey=grey)
        if clean:
            truth = np.zeros((*pixels.shape[:2], len(KINDS)), np.float32)
        else:
            pixels, truth = damage(pixels, data.layers, config, rng, grey=grey)
        images.append(scan(pixels, config, rng, grey=grey))
        truths.append(truth)
    image, truth = (torch.from_numpy(np.stack(side)).permute(0, 3, 1, 2) for side in (images, truths))
    return image, truth


def fineness(pixels: Crop) -> float:
    """Say how much a crop holds that is bright and thinner than 5 pixels: the mean of its top-hat."""
    grey = pixels.mean(axis=2)
    return float(cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, np.ones((5, 5), np.uint8)).mean())


def age(pixels: Crop, config: DamageConfig, rng: np.random.Generator, *, grey: bool) -> Crop:
    """Make a crop soft, grey, sepia, dark or faded, each now and then."""
    if rng.random() < config.soft_share:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(0.4, 1.6))), np.float32)
    if grey:
        pixels = np.repeat(luminance(pixels)[:, :, None], 3, axis=2)
    elif rng.random() < config.sepia_share / max(1 - config.grey_share, 1e-6):
        toned = np.array([1.0, rng.uniform(0.82, 0.95), rng.uniform(0.6, 0.85)], np.float32)
        pixels = pixels.mean(axis=2, keepdims=True) * toned
    if rng.random() < config.dark_share:
        pixels = np.float32(rng.uniform(0.25, 1)) * pixels ** np.float32(rng.uniform(1, 2))
    if rng.random() < config.faded_share:
        low, high = rng.uniform(0, 0.25), rng.uniform(0.7, 1)
        pixels = low + np.float32(high - low) * pixels
    return np.asarray(pixels, np.float32)


def damage(
    pixels: Crop, layers: tuple[Layer, ...], config: DamageConfig, rng: np.random.Generator, *, grey: bool
) -> tuple[Crop, Crop]:
    """Lay one to three layers over a crop: (damaged, truth (h, w, 1))."""
    of_source = {source: [layer for layer in layers if layer.source == source] for source in SOURCES}
    odds = np.array([SOURCES[source] if of_source[source] else 0.0 for source in SOURCES])
    truth = np.zeros(pixels.shape[:2], bool)
    damaged = pixels
    for _ in range(int(rng.choice([1, 2, 3], p=[0.6, 0.25, 0.15]))):
        chosen = of_source[list(SOURCES)[int(rng.choice(len(odds), p=odds / odds.sum()))]]
        opacity, paint = place(chosen[int(rng.integers(len(chosen)))], len(pixels), rng)
        strength = np.float32(1.0 if rng.random() < 0.6 else rng.uniform(0.6, 1))
        before = damaged
        colour = _colour(rng, grey=grey)
        damaged = (1 - strength * opacity[:, :, None]) * before + strength * paint[:, :, None] * colour
        truth |= (strength * opacity > COVERED) & (np.abs(damaged - before).max(axis=2) > VISIBLE)
    return np.asarray(damaged, np.float32), truth[:, :, None].astype(np.float32)


def place(layer: Layer, side: int, rng: np.random.Generator) -> tuple[Crop, Crop]:
    """Cut (opacity, paint) out of a layer around one of its damaged pixels, half of the time scaled and turned."""
    row, column = layer.anchors[int(rng.integers(len(layer.anchors)))]
    dx, dy = rng.uniform(-0.45, 0.45, 2) * side
    if rng.random() < 0.5:
        matrix = np.array([[1, 0, round(side / 2 - column + dx)], [0, 1, round(side / 2 - row + dy)]], np.float64)
        how = cv2.INTER_NEAREST
    else:
        zoom = float(np.exp(rng.uniform(np.log(0.7), np.log(2))))
        turned = cv2.getRotationMatrix2D((float(column), float(row)), float(rng.uniform(0, 360)), zoom)
        matrix = np.asarray(turned, np.float64) + np.array(
            [[0, 0, side / 2 - column + dx], [0, 0, side / 2 - row + dy]]
        )
        how = cv2.INTER_LINEAR
    flip, quarter = bool(rng.random() < 0.5), int(rng.integers(4))
    cut = []
    for plane, scale in ((layer.opacity.astype(np.float32), 127), (layer.paint.astype(np.float32), 255)):
        warped = cv2.warpAffine(plane, matrix, (side, side), flags=how, borderValue=0) / np.float32(scale)
        whole = np.rot90(warped, quarter)
        cut.append(np.ascontiguousarray(whole[:, ::-1] if flip else whole, np.float32))
    return cut[0], cut[1]


def scan(pixels: Crop, config: DamageConfig, rng: np.random.Generator, *, grey: bool) -> Crop:
    """Give what a scanner and a file make of it: now and then softer, noisy, compressed; always 8 bits."""
    if rng.random() < 0.15:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(0.3, 0.8))), np.float32)
    if rng.random() < config.noisy_share:
        noise = rng.standard_normal((*pixels.shape[:2], 1 if grey else 3), np.float32)
        if rng.random() < 0.3:  # film grain is larger than a pixel
            grains = np.atleast_3d(cv2.GaussianBlur(noise, (0, 0), 0.8))
            noise = np.asarray(grains * np.float32(2.5), np.float32)
        pixels = pixels + np.float32(MOST_NOISE * rng.random() ** 2) * noise
    levels = np.rint(pixels.clip(0, 1) * 255).astype(np.uint8)
    if rng.random() < config.impulse_share:
        hit = rng.random(levels.shape[:2]) < rng.uniform(0.003, 0.1)
        levels[hit] = 255 * rng.integers(0, 2, (int(hit.sum()), 1), np.uint8)
    if rng.random() < config.jpeg_share:
        _, code = cv2.imencode(".jpg", levels, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 96))])
        levels = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8)
    return levels.astype(np.float32) / np.float32(255)


def _colour(rng: np.random.Generator, *, grey: bool) -> Crop:
    """Draw the colour of a layer: white, dark, or any."""
    which = rng.random()
    if which < WHITE:
        colour = rng.uniform(0.85, 1) * rng.uniform(0.93, 1, 3)
    elif which < WHITE + DARK:
        colour = rng.uniform(0, 0.2) * rng.uniform(0.7, 1, 3)
    else:
        colour = rng.random(3)
    if grey:
        colour = np.full(3, colour.mean())
    return colour.astype(np.float32)


@torch.no_grad()
def validate(network: nn.Module, data: DamageData, config: DamageConfig) -> dict[str, float]:
    """Give F1 at probability 1/2 on held-out photographs and layers, and the marked share of clean pixels."""
    generator = torch.Generator().manual_seed(VALIDATION_SEED)
    place_of = next(network.parameters()).device
    right = marked_pixels = true_pixels = false = clean_pixels = 0
    for _ in range(12):
        image, truth = make_batch(data, replace(config, batch=16), generator)
        marked = (network(image.to(place_of).contiguous(memory_format=torch.channels_last)) > 0).cpu()
        true = truth > 0.5
        right += int((marked & true).sum())
        marked_pixels += int(marked.sum())
        true_pixels += int(true.sum())
        clean = ~true.flatten(1).any(dim=1)
        false += int(marked[clean].sum())
        clean_pixels += marked[clean].numel()
    return {"f1": 2 * right / max(marked_pixels + true_pixels, 1), "false_share": false / max(clean_pixels, 1)}


def export(network: nn.Module, config: DamageConfig, path: Path, facts: RunFacts) -> None:
    """Write the trained network with its card: ``image`` in, log-odds ``result`` out."""
    scores = {key: round(value, 4) for key, value in facts.scores.items() if key in ("f1", "false_share")}
    multiple: Any = network.size_multiple
    example = torch.rand(1, config.channels, 4 * multiple, 4 * multiple)
    card = ModelCard(
        name=config.network,
        task=config.task,
        summary=f"log-odds of {', '.join(KINDS)} per pixel; trained on {facts.images} photographs",
        network=config.network,
        network_args={"kinds": len(KINDS), **config.network_args},
        channels=config.channels,
        size_multiple=multiple,
        halo=64,
        parameters=sum(p.numel() for p in network.parameters()),
        multiply_adds_per_pixel=_multiply_adds_per_pixel(network, config.channels),
        recipe=dataclasses.asdict(config),
        budget=budget(config, facts),
        data=facts.data,
        terms=facts.terms,
        scores={"held-out photographs and layers": scores} if scores else {},
        protocol="F1 of pixels at probability 1/2; false_share: marked pixels of clean crops",
        date=datetime.date.today().isoformat(),
        facts={"kinds": list(KINDS)},
    )
    free_size = {2: "height", 3: "width"}
    dynamic = {"image": free_size, "result": free_size}
    export_onnx(network, card, path, inputs={"image": example}, dynamic=dynamic, stored=config.stored)


@torch.no_grad()
def _multiply_adds_per_pixel(network: nn.Module, channels: int) -> int:
    """Count the multiplications of the convolutions, per pixel of the input."""
    from torch.utils.flop_counter import FlopCounterMode

    side: int = 8 * network.size_multiple
    with FlopCounterMode(display=False) as counter:
        network.cpu().eval()(torch.zeros(1, channels, side, side))
    return round(counter.get_total_flops() / 2 / side**2)
