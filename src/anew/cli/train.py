"""``anew train``: train a network on a folder, or go on from a shipped one; and ``anew models``: what there is."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any, get_origin, get_type_hints

import typer

from anew.cli import options as o
from anew.cli.one_line import one_line
from anew.errors import InvalidSetting

FIXED = ("objective", "task")  # what no --set changes

commands = typer.Typer()


def _recipes() -> dict[str, Any]:
    """Give the recipes, or say what must be installed."""
    try:
        from anew.recipes import RECIPES
    except ImportError as error:
        from anew.errors import TRAIN_EXTRA, Unavailable

        raise Unavailable(f"training needs {error.name}: {TRAIN_EXTRA}") from None
    return dict(RECIPES)


@commands.command(epilog="Example:  anew train denoise --data photos/ --minutes 30 -o runs/mine")
def train(
    recipe: Annotated[str | None, typer.Argument(metavar="RECIPE", help="What to train; see --list.")] = None,
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="DATA", exists=True, help="Folder, .zip or .tar of images, or .npz."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Checkpoints, log and model.")
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(min=0.01, metavar="M", help="Length of the run, about; turned into steps at its start."),
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, metavar="N", help="Length of the run, exactly.")] = None,
    start_from: Annotated[str | None, typer.Option("--from", metavar="MODEL", help="Fine-tune these weights.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="A setting of the recipe; `anew train RECIPE --list` shows them."
        ),
    ] = None,
    terms: Annotated[str, typer.Option(help="The terms of the data, for the model's card.")] = "not stated",
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Start afresh, and replace outputs that exist.")
    ] = False,
    listed: Annotated[
        bool, typer.Option("--list", help="What there is; after RECIPE, its settings for --set.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --list: print one JSON object.")] = False,
) -> None:
    """Train a model on your pictures (needs the extra `train`).

    The same command goes on with an interrupted run. The result is DIR/model.onnx.
    """
    recipes = _recipes()
    _check_recipe(recipe, recipes)
    if listed:
        _list({recipe: recipes[recipe]} if recipe else recipes, as_json=as_json, with_settings=recipe is not None)
        return
    if as_json:
        raise typer.BadParameter("--json belongs to --list")
    if recipe is None or data is None or output is None:
        needed = {"RECIPE": recipe, "--data DATA": data, "-o DIR": output}
        missing = [word for word, value in needed.items() if value is None]
        raise typer.BadParameter(f"missing {' and '.join(missing)}; --list says what there is to train")
    if minutes is not None and (steps is not None or not math.isfinite(minutes)):
        raise typer.BadParameter("give --minutes, a finite number, or --steps, not both")
    from anew.training.checkpoints import CannotResume
    from anew.training.interruption import Stopped
    from anew.training.run import run_recipe

    try:
        path = run_recipe(
            _changed(recipes[recipe](), settings),
            data,
            output,
            minutes=minutes,
            steps=steps,
            start_from=start_from,
            terms=terms,
            device=device,
            overwrite=overwrite,
            report=_print_entry,
            tell=_print_line,
        )
    except (InvalidSetting, CannotResume) as error:
        raise typer.BadParameter(one_line(str(error))) from None
    except Stopped as stop:
        _print_line(str(stop))
        raise typer.Exit(128 + stop.signal) from None
    print(one_line(str(path)))


def _check_recipe(name: str | None, recipes: dict[str, Any]) -> None:
    from anew.options import near

    if name is not None and name not in recipes:
        hint = near(name, recipes) or f"; there are {', '.join(recipes)}"
        raise typer.BadParameter(f"unknown recipe {name!r}{hint}")


def _list(recipes: dict[str, Any], *, as_json: bool, with_settings: bool) -> None:
    """Print every recipe with the first line of what it says of itself, and its settings if they are wanted."""
    entries = []
    for name, recipe in recipes.items():
        entry = {"name": name, "summary": (recipe.__doc__ or "").splitlines()[0]}
        entries.append(entry | ({"settings": _settings_of(recipe())} if with_settings else {}))
    if as_json:
        print(json.dumps({"recipes": entries}, indent=2))
        return
    for entry in entries:
        print(f"{entry['name']:<22} {entry['summary']}")
        for key, value in entry.get("settings", {}).items():
            print(f"  {key} = {json.dumps(value)}")


def _settings_of(config: Any) -> dict[str, Any]:
    """Give what --set can change of a recipe, with its values."""
    return {key: value for key, value in asdict(config).items() if key not in FIXED}


def _changed(config: Any, settings: list[str] | None) -> Any:
    """Give a configuration with the settings that were asked for."""
    parsed = o.parse_settings(settings)
    return replace(config, **{key: _as_setting(config, key, value) for key, value in parsed.items()})


def _as_setting(config: Any, key: str, value: Any) -> Any:
    """Bring a value to the type of a setting; several are a JSON list, or words with commas."""
    from pydantic import ConfigDict, TypeAdapter, ValidationError

    from anew.options import near

    if key in FIXED:
        raise typer.BadParameter(f"{key} is what the recipe stands for; choose another recipe", param_hint="--set")
    names = _settings_of(config)
    if key not in names:
        hint = near(key, names) or f"; it takes {', '.join(names)}"
        raise typer.BadParameter(f"a training run has no setting {key!r}{hint}", param_hint="--set")
    wanted = get_type_hints(type(config), include_extras=True)[key]
    several = get_origin(wanted) is tuple and not isinstance(value, list)
    given = [part.strip() for part in str(value).split(",") if part.strip()] if several else value
    try:
        return TypeAdapter(wanted, config=ConfigDict(allow_inf_nan=False)).validate_python(given)
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
        if error.errors()[0]["type"] in ("missing", "too_long"):
            reason = f"expected {len(names[key])} values with commas, as in {key}={','.join(map(str, names[key]))}"
        raise typer.BadParameter(f"{key}={value}: {reason[0].lower()}{reason[1:]}", param_hint="--set") from None


@commands.command(epilog="Example:  anew models denoise-unet")
def models(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="A shipped model, or an .onnx file.")] = None,
    inspect: Annotated[
        Path | None, typer.Option("--inspect", metavar="DIR", help="Find out what it looks at; write it there.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--input", metavar="IN", help="What it is shown meanwhile, e.g. a noisy picture.")
    ] = None,
    at: Annotated[
        tuple[int, int] | None, typer.Option(metavar="X Y", help="The pixel whose surroundings matter.")
    ] = None,
    overwrite: o.Overwrite = False,
    as_json: o.AsJson = False,
) -> None:
    """List the trained models, or show the card of one, or inspect it.

    An inspection takes a minute or two: cost, receptive field, saliency, feature maps (need the extra `train`), and how
    robust a restorer is.
    """
    from anew.cli.cards import card_in_words, check_model
    from anew.inference.models import model_names, open_model, read_card

    if name is not None:
        check_model(name)
    if inspect is not None:
        from anew.cli.inspection import run_inspection

        run_inspection(name, inspect, picture, at, overwrite=overwrite, as_json=as_json)
        return
    if picture is not None or at is not None or overwrite:
        raise typer.BadParameter("--input, --at and --overwrite belong to --inspect DIR")
    if name is None:
        cards = [read_card(n) for n in model_names()]
        if as_json:
            print(json.dumps({"models": [c.model_dump() for c in cards]}, indent=2))
        for card in [] if as_json else cards:
            print(f"{card.name:<18} {card.task:<9} {card.parameters / 1e6:5.2f} M parameters  {card.summary}")
        return
    model = open_model(name)
    print(model.card.model_dump_json(indent=2) if as_json else card_in_words(model))


def _print_entry(entry: dict[str, Any]) -> None:
    """Print one line of progress on standard error."""
    from anew.training.log_summary import NO_FIGURES

    losses = "  ".join(
        f"{key.replace('_', ' of ')} {value:.4f}" for key, value in entry.items() if key.startswith("loss")
    )
    scores = "  ".join(
        f"{key[5:]}: {value:.2f} dB" if key.startswith("psnr_") else f"{key.removeprefix('validation_')} {value:.3f}"
        for key, value in entry.items()
        if key not in NO_FIGURES and not key.startswith(("loss", "gradient"))
    )
    rest = "as given"
    if entry["step"]:
        rest = f"{entry['images_per_s']:.0f} images/s, {entry['minutes_left']:.0f} min left"
    print(f"step {entry['step']}  {losses}  {scores}  {rest}", file=sys.stderr, flush=True)
    if entry.get("trouble"):
        print(f"careful: {entry['trouble']}", file=sys.stderr, flush=True)


def _print_line(line: str) -> None:
    """Print a remark on standard error."""
    print(one_line(line), file=sys.stderr, flush=True)
