"""One whole training run: data in, an exported model with its card out."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

import torch

from anew.errors import InvalidSetting
from anew.inference.card import BadModel, ModelCard
from anew.inference.models import model_path, read_card
from anew.networks import arguments_of
from anew.networks.normalisation import settle
from anew.networks.quantised import calibrate
from anew.training.checkpoints import AFRESH, load_checkpoint, read_checkpoint
from anew.training.config import TrainingConfig
from anew.training.data import identify
from anew.training.devices import find_device, numbers_of
from anew.training.export import load_weights
from anew.training.interruption import Stopped, stop_requests
from anew.training.loop import train
from anew.training.objective import Objective
from anew.training.restoration import RestorationConfig, RunFacts
from anew.training.whole_files import on_disk

PROBE_STEPS = 12  # steps that are timed to turn minutes into a number of steps
RESTORERS = ("denoise", "deblock", "repair")  # tasks whose U-Nets go on from each other
OUTPUTS = ("model.onnx", "config.json", "log.jsonl", "preview.png", "summary.png")  # beside the checkpoint
NAMED = 3  # images left out that a message names


def run_recipe(
    config: TrainingConfig,
    data: Path,
    folder: Path,
    *,
    minutes: float | None = None,
    steps: int | None = None,
    start_from: str | None = None,
    terms: str = "not stated",
    device: str = "cpu",
    overwrite: bool = False,
    report: Callable[[dict[str, Any]], None] = lambda entry: None,
    tell: Callable[[str], None] = lambda line: None,
) -> Path:
    """Train, validate and export.

    Parameters
    ----------
    config : TrainingConfig
    data : path
        What the objective reads: a folder, .zip or .tar of images; labelled data also as .npz.
    folder : path
        Of the run; a run that was interrupted there goes on, if it is told the same.
    minutes, steps : optional
        Length of the run; minutes are turned into steps by timing a few, once, when a run starts.
    start_from : str, optional
        A model to start from; its architecture replaces the recipe's. Its scores are reported first, as step 0.
    terms : str
        The terms of the data, for the card.
    overwrite : bool
        Start afresh, and replace what lies in the folder.
    report : function of a log entry
    tell : function of str
        Is given a line on what is done, where it is not plain: what was left out, how long the run will be.

    Returns
    -------
    path of the exported ``model.onnx``

    Raises
    ------
    InvalidSetting
        If a setting is impossible, ``start_from`` is a model of another kind, or the folder holds other files.
    CannotResume
        If the run in the folder is another one.
    NoTrainingData
        If there is nothing to learn from.
    CannotWrite
        If the disk is full, or the folder may not be written to; the last checkpoint is whole.
    Stopped
        If Ctrl-C or SIGTERM came; the checkpoint is that of the step at which it came.
    """
    find_device(device)
    stored = None if overwrite else _stored_run(folder)
    card = None if start_from is None else _card_of(start_from, config)
    config = _with_network(config, card, tell)
    task = import_module(f"anew.training.{config.objective}")
    adapts = hasattr(task, "adapt")
    if not adapts:
        _check_patch(task, config)
    training, validation = task.load_data(data, config)
    if folder.resolve().is_relative_to(data.resolve()):
        raise InvalidSetting(f"{folder} lies in the data, which its previews would join; choose another -o")
    skipped = _left_out(training, validation, tell)
    if adapts:  # what a recipe leaves to the data, such as its labels
        config = task.adapt(config, training)
    if steps is not None:
        config = replace(config, steps=steps)
    elif minutes is not None and stored is not None:
        config = replace(config, steps=stored["config"]["steps"])
        tell(f"the run goes on to its {config.steps} steps, {stored['step']} are done; --minutes is for a new one")
    elif minutes is not None:
        config = replace(config, steps=_steps_in(minutes, config, task, training, device))
        tell(f"about {config.steps} steps in {minutes:g} minutes, as fast as now; --steps {config.steps} repeats it")
    path = folder / "model.onnx"
    origin = {"data": identify(data), "terms": terms, "start_from": start_from or "nothing"}
    if stored is not None:
        load_checkpoint(folder / "checkpoint.pt", config, origin)
        if stored["step"] == config.steps and _is_of(path, config):
            tell(f"already done: {path} after {config.steps} steps; more --steps go on, {AFRESH}")
            return path
    objective = task.make_objective(config)
    if stored is None:
        _begin(objective, config, training, validation, card, start_from, device, report)
    if overwrite:
        _clear(folder)
    places: dict[str, Any] = {"folder": folder, "device": device, "origin": origin, "report": report}
    with stop_requests(tell) as asked, _in_memory(config), on_disk(folder):
        run = train(objective, config, training, validation, stop=lambda: asked, **places)
    if run.steps_done < config.steps:
        raise Stopped(f"stopped at step {run.steps_done} of {config.steps}; the same command goes on", asked[0])
    start = time.monotonic()
    if objective.finish is not None:
        objective.finish(run.network, training.to(torch.device(device)), config)
    took = run.minutes + (time.monotonic() - start) / 60
    told = {"data": data.absolute().name + (f" ({skipped} images left out)" if skipped else ""), "terms": terms}
    if card is not None:
        told = _also(told, card, "from which it went on")
    if isinstance(config, RestorationConfig) and config.teacher:
        told = _also(told, read_card(config.teacher), f"from which it learned by a share of {config.teacher_share:.0%}")
    task.export(run.network, config, path, RunFacts(run.scores, **told, images=len(training), minutes=took))
    return path


def _also(told: dict[str, str], card: ModelCard, how: str) -> dict[str, str]:
    """Add the data and the terms of a model that a run has learned from."""
    return {key: f"{text}; {card.name}, {how}: {getattr(card, key)}" for key, text in told.items()}


def _with_network(config: TrainingConfig, card: ModelCard | None, tell: Callable[[str], None]) -> TrainingConfig:
    """Take the architecture of a model to start from, in 8 bits or not as the config says, or else as the model is."""
    if card is not None:
        _check_fits(card, config)
        channels: Literal[1, 3] = 3 if card.channels == 3 else 1
        plain, asked = (
            {k: v for k, v in args.items() if k != "quantised"} for args in (card.network_args, config.network_args)
        )
        if (card.network, plain, channels) != (config.network, asked, config.channels):
            tell(f"the network is that of {card.name}, {card.network} {plain}; the recipe's is not used")
        config = replace(config, network=card.network, network_args=card.network_args, channels=channels)
    in_8_bits = bool(config.network_args.get("quantised"))
    if config.quantised in (None, in_8_bits):
        if card is not None and in_8_bits and config.quantised is None:
            tell(f"it learns in 8 bits, as {card.name} computes; --set quantised=false goes on in float")
        return replace(config, quantised=in_8_bits)
    if "quantised" not in arguments_of(config.network):
        raise InvalidSetting(f"quantised is true, but the network {config.network} cannot compute in 8 bits")
    return replace(config, network_args={**config.network_args, "quantised": config.quantised})


def _check_fits(card: ModelCard, config: TrainingConfig) -> None:
    """Refuse a model to start from that gives, or takes, something else than the recipe."""
    scales, asked = (args.get("scales") for args in (card.network_args, config.network_args))
    if scales != asked:
        raise InvalidSetting(f"{card.name} enlarges by {scales}, this recipe by {asked}; start from one that does")
    if card.channels not in get_args(get_type_hints(type(config))["channels"]):
        raise InvalidSetting(f"{card.name} is for {card.channels} channels; this recipe needs {config.channels}")


def _begin(
    objective: Objective,
    config: TrainingConfig,
    training: Any,
    validation: Any,
    card: ModelCard | None,
    start_from: str | None,
    device: str,
    report: Callable[[dict[str, Any]], None],
) -> None:
    """Give a new run the weights it starts from, and report how good they are."""
    given = objective.networks[objective.product]
    if start_from is not None:
        try:
            load_weights(given, model_path(start_from))
        except (RuntimeError, KeyError) as error:
            why = next((line.strip() for line in str(error).splitlines() if "mismatch" in line), f"no {error}")
            raise InvalidSetting(
                f"the weights of {start_from} do not fit; its size, labels or layers are not those of this run ({why})"
            ) from None
    was_in_8_bits = card is not None and card.network_args.get("quantised")
    if not was_in_8_bits or not config.quantised:
        generator = torch.Generator().manual_seed(config.seed)
        loss = partial(objective.losses[objective.product], objective.networks, training, config, generator)
        with _in_memory(config):
            (settle if was_in_8_bits else calibrate)(given, loss)
    if start_from is not None:
        place = torch.device(device)
        given.to(place).eval()
        with numbers_of(config, place):
            scores = objective.validate(given, validation.to(place), config) if len(validation) else {}
        report({"step": 0, **scores})
        given.train()


def _stored_run(folder: Path) -> dict[str, Any] | None:
    """Read the checkpoint of a folder, if there is one; refuse a folder of other files that a run would replace."""
    if (folder / "checkpoint.pt").exists():
        return read_checkpoint(folder / "checkpoint.pt")
    for path in (folder / name for name in OUTPUTS):
        if path.exists():
            raise InvalidSetting(f"{path} exists already, without a checkpoint.pt; use --overwrite or another -o")
    return None


def _clear(folder: Path) -> None:
    """Remove what an earlier run left."""
    for path in (*(folder / name for name in (*OUTPUTS, "checkpoint.pt")), *folder.glob("events.out.tfevents.*")):
        path.unlink(missing_ok=True)


def _card_of(name: str, config: TrainingConfig) -> ModelCard:
    """Read the card of a model to start from, and refuse one of another kind."""
    try:
        card = read_card(name)
    except BadModel as error:
        raise InvalidSetting(f"no model to start from: {error}") from None
    if card.task != config.task and not {card.task, config.task} <= set(RESTORERS):
        raise InvalidSetting(f"{name} is for {card.task}; a model for {config.task} cannot go on from it")
    return card


def _check_patch(task: Any, config: TrainingConfig) -> None:
    """Refuse crops that the network cannot halve, before any image is read."""
    objective = task.make_objective(config)
    multiple = getattr(objective.networks[objective.product], "size_multiple", 1)
    if config.patch % multiple:
        raise InvalidSetting(f"patch must be a multiple of {multiple} for this network, not {config.patch}")


def _left_out(training: Any, validation: Any, tell: Callable[[str], None]) -> int:
    """Say which images are not used, and give their number."""
    lines = getattr(training, "skipped", ())
    if lines:
        total = len(lines) + len(training) + len(validation)
        more = f"; and {len(lines) - NAMED} more" if len(lines) > NAMED else ""
        tell(f"{len(lines)} of {total} images are left out: {'; '.join(lines[:NAMED])}{more}")
    return len(lines)


def _is_of(path: Path, config: TrainingConfig) -> bool:
    """Tell whether a file is the exported result of so many steps."""
    try:
        return path.exists() and read_card(str(path)).recipe.get("steps") == config.steps
    except BadModel:
        return False


@contextlib.contextmanager
def _in_memory(config: TrainingConfig) -> Iterator[None]:
    """Say in one line that a step needs more memory than there is."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error):
            size = f"batch = {config.batch} and patch = {config.patch}"
            raise InvalidSetting(f"a step with {size} needs more memory than there is; make one smaller") from None
        raise


def _steps_in(minutes: float, config: TrainingConfig, task: Any, training: Any, device: str) -> int:
    """Time a few steps of throw-away networks."""
    probe = replace(config, steps=PROBE_STEPS, validate_every=PROBE_STEPS + 1)
    objective = replace(task.make_objective(probe), validate=lambda *_: {}, preview=None)
    with tempfile.TemporaryDirectory() as scratch, _in_memory(config):
        run = train(objective, probe, training, training, folder=Path(scratch), device=device)
    return max(1, int(minutes * 60 / run.seconds_per_step))
