"""``anew models NAME``: the card of a model in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from anew.cli.one_line import one_line
from anew.inference.conditions import quality_of_condition

if TYPE_CHECKING:
    from anew.inference.models import Model

INTERNAL = ("recipe", "network_args", "scores", "facts", "least condition")  # in another form, or with --json alone


def check_model(name: str) -> None:
    """Refuse a name that no model has."""
    from anew.inference.models import model_names, model_path
    from anew.options import near

    if not model_path(name).is_file():
        hint = near(name, model_names()) or f"; there are {', '.join(model_names()) or 'none'}"
        raise typer.BadParameter(f"no model {name!r}{hint}", param_hint="NAME")


def card_in_words(model: Model) -> str:
    """Give all that a person may want to know of a model, a line each."""
    card = model.card
    shown = {key: value for key, value in card.model_dump().items() if key not in INTERNAL}
    facts = {key: value for key, value in card.facts.items() if key not in INTERNAL}
    lines = [f"{key.replace('_', ' ')}: {_plain(key, value)}" for key, value in {**shown, **facts}.items() if value]
    if card.scores:
        lines.append("scores:")
    width = max(map(len, card.scores), default=0)
    for test_set, scores in card.scores.items():
        figures = ", ".join(f"{name.replace('_', ' ')}: {value:g}" for name, value in scores.items())
        lines.append(f"  {test_set:<{width}}  {figures}")
    return "\n".join(map(one_line, [*lines, *_rounding(model)]))


def _plain(key: str, value: Any) -> str:
    if isinstance(value, list | tuple):
        return (" x " if key == "size" else ", ").join(map(str, value))
    return str(value)


def _rounding(model: Model) -> list[str]:
    """Say what computes in place of this model on this machine, and from which damage on."""
    if model.rounded is None:
        return []
    least = model.rounded_from
    if model.card.task == "deblock":
        start = f"on a CPU, for JPEG up to quality {quality_of_condition(least):.0f}"
    else:
        start = f"on a CPU, from noise of {255 * least:.0f} of 255 on"
    other = model.rounded.card.name
    if other == model.card.name:
        return [f"{start}, it is computed in bfloat16"]
    return [f"{start}, {other} computes: see `anew models {other}`"]
