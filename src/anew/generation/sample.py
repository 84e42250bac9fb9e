"""New images from the shipped generators: numpy and ONNX Runtime, no torch.

Every generator turns noise into an image: a flow by integrating a velocity, an adversarial generator in one go, a
variational autoencoder by making of it a latent vector as real images have them, and decoding that. The noise of image
i depends on the seed and on i alone, so a sheet of 64 begins with the same images as a sheet of 16.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, PositiveInt, TypeAdapter, ValidationError

from anew.generation.denoisers import Denoise, denoise_by_velocity
from anew.generation.guidance import guide
from anew.generation.samplers import (
    sample_dpmpp_2m,
    sample_euler,
    sample_flow_euler,
    sample_flow_heun,
    sample_heun,
)
from anew.generation.schedules import flow_times, karras_sigmas, sigma_of_time
from anew.inference.card import BadModel, ModelCard
from anew.inference.models import Model, model_names, open_model, read_card
from anew.metrics.features import as_images
from anew.options import near
from anew.randomness import Rng, seed_of

Images = NDArray[np.float32]

BATCH = 64  # images at a time, to bound the memory
FIRST_TIME = 0.999  # of a flow that is sampled through its denoiser, where pure noise would be an infinite sigma
MOST_STEPS = 1000
MOST_GUIDANCE = 100.0  # far beyond what makes pictures, and still far from what overflows
SAMPLERS = ("euler", "heun", "dpmpp_2m")


class _Flow(BaseModel):
    """What the card of a flow must say."""

    kind: Literal["flow"]
    size: tuple[PositiveInt, PositiveInt]
    labels: list[Any]
    parametrisation: Literal["rectified", "edm"]
    steps: PositiveInt
    guidance: float = Field(ge=0, le=MOST_GUIDANCE)


class _OneGo(BaseModel):
    """What the card of an adversarial generator or an autoencoder must say."""

    kind: Literal["gan", "vae"]
    size: tuple[PositiveInt, PositiveInt]
    labels: list[Any] = []
    latent: PositiveInt


FACTS: TypeAdapter[_Flow | _OneGo] = TypeAdapter(Annotated[_Flow | _OneGo, Field(discriminator="kind")])


def generator_names() -> list[str]:
    """Give the names of the shipped generators."""
    return [name for name in model_names() if read_card(name).task == "generate"]


def sample(
    name: str,
    n: int,
    *,
    first: int = 0,
    label: str | int | None = None,
    rng: Rng = 0,
    steps: int | None = None,
    guidance: float | None = None,
    sampler: str | None = None,
) -> Images:
    """Generate images.

    Parameters
    ----------
    name : str
        A shipped generator, or the path of a model file of ours.
    n : int >= 1
    first : int >= 0
        Index of the first image.
    label : str or int, optional
        What to show, by name or index. By default the labels take turns: image i gets label i modulo their number.
    rng : int >= 0 or Generator
        Image i depends on the seed and on i alone.
    steps : int from 1 to 1000, optional
        Of a flow's sampler; more is slower and truer to the model. By default what the model's card says.
    guidance : float in [0, 100], optional
        Of a flow: 1 follows the data; above 1 the label shows more clearly and variety shrinks, at twice the time.
    sampler : {"euler", "heun", "dpmpp_2m"}, optional
        Of a flow. Heun's method runs the network twice per step.

    Returns
    -------
    (n, H, W, C) float32 array in [0, 1]

    Raises
    ------
    BadModel
        If there is no such model, or it does not generate.
    ValueError
        If the label is unknown, or the model takes no such option; the message lists what it takes.
    """
    model = open_generator(name)
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}")
    labels = choose_labels(model.card, label, n, first=first)
    render = make_renderer(model, steps=steps, guidance=guidance, sampler=sampler)
    seed = seed_of(rng)
    parts = []
    for start in range(0, n, BATCH):
        shown = labels[start : start + BATCH]
        indices = range(first + start, first + start + len(shown))
        parts.append(render(draw_starts(model, seed, indices, shown), shown))
    return np.concatenate(parts)


def interpolate(
    name: str,
    n_frames: int,
    *,
    stops: int = 2,
    closed: bool = False,
    label: str | int | None = None,
    rng: Rng = 0,
    steps: int | None = None,
    guidance: float | None = None,
    sampler: str | None = None,
) -> Images:
    """Generate a sequence of images that turn into one another.

    The noise moves along great circles (Shoemake, SIGGRAPH 1985) between that of the first ``stops`` samples of the
    same seed. Parameters that are not listed are those of ``sample``.

    Parameters
    ----------
    n_frames : int >= 2
    stops : int >= 2
        How many samples are passed; the first frame shows the first of them.
    closed : bool
        Go back to the first, so that the frames can be played in a loop; otherwise the last frame shows the last stop.
    label : str or int, optional
        By default the model's first.

    Returns
    -------
    (n_frames, H, W, C) float32 array in [0, 1]
    """
    model = open_generator(name)
    if n_frames < 2 or stops < 2:
        raise ValueError(f"n_frames and stops must be at least 2, not {n_frames} and {stops}")
    first = 0 if label is None and model.card.facts.get("labels") else label
    labels = choose_labels(model.card, first, n_frames)
    render = make_renderer(model, steps=steps, guidance=guidance, sampler=sampler)
    places = np.linspace(0, stops, n_frames, endpoint=False) if closed else np.linspace(0, stops - 1, n_frames)
    passed = sorted({(int(p) + step) % stops for p in places for step in (0, 1)})  # not all of more stops than frames
    starts = draw_starts(model, seed_of(rng), passed, choose_labels(model.card, first, len(passed)))
    ends = dict(zip(passed, starts, strict=True))
    frames = []
    for start in range(0, n_frames, BATCH):
        some = places[start : start + BATCH]
        walked = [slerp(ends[int(p) % stops], ends[(int(p) + 1) % stops], p % 1) for p in some]
        frames.append(render(np.stack(walked), labels[start : start + BATCH]))
    return np.concatenate(frames)


def reconstruct(name: str, images: Images) -> Images:
    """Encode images by a variational autoencoder and decode the means of their latent vectors.

    Parameters
    ----------
    name : str
        A generator of the kind "vae".
    images : (N, H, W) or (N, H, W, C) array of float in [0, 1], or uint8; of the model's size

    Returns
    -------
    (N, H, W, C) float32 array in [0, 1]
    """
    model = open_generator(name)
    mean = encode(model, images)
    return np.concatenate([_decode(model, mean[i : i + BATCH]) for i in range(0, len(mean), BATCH)])


def encode(model: Model, images: Images) -> NDArray[np.float32]:
    """Give the means of the latent vectors, (N, Z), of images as ``reconstruct`` takes them."""
    card = model.card
    if card.facts["kind"] != "vae":
        raise ValueError(f"{card.name} cannot encode images; a model of the kind 'vae' can")
    expected = (*card.facts["size"], card.channels)
    x = as_images(images)
    if x.shape[1:] != expected:
        height, width, channels = expected
        raise ValueError(f"images must have shape (N, {height}, {width}, {channels}), not {np.shape(images)}")
    parts = []
    for start in range(0, len(x), BATCH):
        batch = np.ascontiguousarray(x[start : start + BATCH].transpose(0, 3, 1, 2))
        parts.append(_run_vae(model, "mean", image=batch))
    return np.concatenate(parts)


def open_generator(name: str) -> Model:
    """Open a model that generates.

    Raises
    ------
    BadModel
        If there is none of this name, it does something else, or its card lacks what running it takes.
    """
    model = open_model(name, task="generate")
    try:
        FACTS.validate_python(model.card.facts)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in ("facts", *first["loc"][1:]))
        raise BadModel(f"{name}: its card is not valid at {place}: {first['msg']}; export the model again") from None
    return model


def choose_labels(card: ModelCard, label: str | int | None, n: int, *, first: int = 0) -> NDArray[np.int64]:
    """Turn a name, an index or nothing into the label indices of n images from the index ``first`` on.

    Raises
    ------
    ValueError
        If the model has no such label; the message lists those it has.
    """
    names = [str(known) for known in card.facts.get("labels", [])]
    if label is None:
        return (first % max(len(names), 1) + np.arange(n, dtype=np.int64)) % max(len(names), 1)
    if not names:
        raise ValueError(f"{card.name} takes no label")
    written = [str(label), *(name for name in names if _plain(name) == _plain(str(label)))]
    known = next((name for name in written if name in names), None)
    if known is not None:
        return np.full(n, names.index(known), np.int64)
    if str(label).isdecimal() and int(label) < len(names):
        return np.full(n, int(label), np.int64)
    numbers = [str(index) for index in range(len(names))]
    also = "" if names == numbers else f" (or 0 to {numbers[-1]})"
    raise ValueError(f"no label {label!r}{near(str(label), names)}; {card.name} knows {', '.join(names)}{also}")


def _plain(label: str) -> str:
    """Give a label as it is written in any case, with hyphens or blanks."""
    return "-".join(label.lower().replace("_", "-").split())


def draw_noise(card: ModelCard, seed: int, indices: Sequence[int]) -> NDArray[np.float32]:
    """Draw the standard normal numbers that the images of these indices grow from, one image after the other."""
    flow = card.facts["kind"] == "flow"
    shape = (card.channels, *card.facts["size"]) if flow else (card.facts["latent"],)
    return np.stack([np.random.default_rng([seed, i]).standard_normal(shape, np.float32) for i in indices])


def draw_starts(model: Model, seed: int, indices: Sequence[int], labels: NDArray[np.int64]) -> NDArray[np.float32]:
    """Draw what the images of these indices and labels grow from: noise, or the latent vectors of an autoencoder."""
    noise = draw_noise(model.card, seed, indices)
    if not model.card.facts.get("components"):
        return noise
    upper = np.cumsum(_run_vae(model, "weight"), axis=1)
    draws = [np.random.default_rng([seed, i, 1]).random() for i in indices]
    component = [np.searchsorted(u, draw * u[-1], side="right") for u, draw in zip(upper[labels], draws, strict=True)]
    return _run_vae(model, "placed", latent=noise, label=labels, component=np.array(component, np.int64))


def slerp(a: NDArray[np.float32], b: NDArray[np.float32], part: float) -> NDArray[np.float32]:
    """Go from a (part 0) to b (part 1) along a great circle, so that what lies between is as likely as noise."""
    cosine = float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))
    angle = np.arccos(np.clip(cosine, -1, 1))
    if angle < 1e-4:
        return a + np.float32(part) * (b - a)
    from_a, from_b = np.sin((1 - part) * angle) / np.sin(angle), np.sin(part * angle) / np.sin(angle)
    return (from_a * a + from_b * b).astype(np.float32)


Render = Callable[[NDArray[np.float32], NDArray[np.int64]], Images]


def make_renderer(model: Model, *, steps: int | None, guidance: float | None, sampler: str | None) -> Render:
    """Make the function (noise, labels) -> (n, H, W, C) images of a model, after a check of the options."""
    card, kind = model.card, model.card.facts["kind"]
    if kind == "flow":
        facts = card.facts
        return partial(
            _flow,
            model,
            steps=facts["steps"] if steps is None else steps,
            guidance=facts["guidance"] if guidance is None else guidance,
            sampler=facts.get("sampler", "heun") if sampler is None else sampler,
        )
    for option, value in (("steps", steps), ("guidance", guidance), ("sampler", sampler)):
        if value is not None:
            raise ValueError(f"{card.name} takes no {option}: only a flow does, and this is a {kind}")
    if kind == "vae":
        return lambda latent, labels: _decode(model, latent)
    return partial(_run_gan, model)


def _flow(
    model: Model,
    noise: NDArray[np.float32],
    labels: NDArray[np.int64],
    *,
    steps: int,
    guidance: float,
    sampler: str,
) -> Images:
    """Integrate a flow from noise to images."""
    if sampler not in SAMPLERS:
        raise ValueError(f"no sampler {sampler!r}; there are {', '.join(SAMPLERS)}")
    if steps > MOST_STEPS:
        raise ValueError(f"steps must be up to {MOST_STEPS}, not {steps}")
    if not 0 <= guidance <= MOST_GUIDANCE:
        raise ValueError(f"guidance must be a number from 0 to {MOST_GUIDANCE:g}, it is {guidance}")
    no_label = np.full_like(labels, max(len(model.card.facts["labels"]), 1))

    def run(label: NDArray[np.int64], x: NDArray[np.float32], time: float) -> Any:
        moment = np.full(len(x), time, np.float32)
        return model.session.run(["result"], {"image": x, "time": moment, "label": label})[0]

    network: Denoise = guide(partial(run, labels), partial(run, no_label), scale=guidance)
    if model.card.facts["parametrisation"] == "rectified":
        if sampler == "dpmpp_2m":
            sigmas = [sigma_of_time(t) for t in flow_times(steps, first=FIRST_TIME)]
            x = sample_dpmpp_2m(denoise_by_velocity(network), noise * np.float32(sigmas[0]), sigmas)
        else:
            x = {"euler": sample_flow_euler, "heun": sample_flow_heun}[sampler](network, noise, flow_times(steps))
    else:
        sigmas = list(karras_sigmas(steps))
        solve = {"euler": sample_euler, "heun": sample_heun, "dpmpp_2m": sample_dpmpp_2m}[sampler]
        x = solve(network, noise * np.float32(sigmas[0]), sigmas)
    return _as_images((x + 1) / 2)


def _decode(model: Model, latent: NDArray[np.float32]) -> Images:
    """Decode latent vectors of a variational autoencoder."""
    return _as_images(_run_vae(model, "result", latent=latent))


def _run_vae(model: Model, output: str, **given: NDArray[Any]) -> NDArray[np.float32]:
    """Compute one output of a variational autoencoder; its file wants every input, the unused ones too."""
    card, count = model.card, len(given["latent"]) if "latent" in given else 1
    unused = {
        "image": np.zeros((1, card.channels, *card.facts["size"]), np.float32),
        "latent": np.zeros((1, card.facts["latent"]), np.float32),
        "label": np.zeros(count, np.int64),
        "component": np.zeros(count, np.int64),
    }
    wanted = {entry.name: given.get(entry.name, unused[entry.name]) for entry in model.session.get_inputs()}
    result: NDArray[np.float32] = model.session.run([output], wanted)[0]
    return result


def _run_gan(model: Model, latent: NDArray[np.float32], labels: NDArray[np.int64]) -> Images:
    """Run an adversarial generator, conditional or not."""
    inputs = {"latent": latent, "label": labels} if model.card.facts.get("labels") else {"latent": latent}
    return _as_images((model.session.run(["result"], inputs)[0] + 1) / 2)


def _as_images(x: NDArray[np.float32]) -> Images:
    """(N, C, H, W) of any range -> (N, H, W, C) in [0, 1]."""
    return np.ascontiguousarray(np.clip(x, 0, 1).transpose(0, 2, 3, 1), np.float32)
