"""``anew generate --list``: what can be generated, and the options of one thing."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from anew.generation.catalogue import Entry
    from anew.generation.layers import LayerMask, Rules

PALETTE_HELP = "a name (ember, lagoon, oak, ...), a harmony with its hue (triadic:210), or colours (#123456,#abcdef)"


def print_list(what: str | None, as_json: bool) -> None:
    """Print everything that can be generated, or the options of one thing."""
    from anew.generation.catalogue import ENTRIES, KINDS
    from anew.generation.generate import SUBJECTS

    if what is not None:
        _list_options(what, as_json)
        return
    models = _trained()
    if as_json:
        rows = [
            {"name": e.name, "kind": e.kind, "summary": e.summary, "tiles": e.tiles, "options": list(e.options)}
            for e in ENTRIES.values()
        ]
        subjects = {subject: [name for name in names if name in models] for subject, names in SUBJECTS.items()}
        print(json.dumps({"subjects": subjects, "models": models, "pictures": rows}, indent=2))
        return
    width = max(len(name) for name in ENTRIES)
    print("trained: subjects, each by the first of its models that is here")
    for subject, names in SUBJECTS.items():
        here = [name for name in names if name in models]
        print(f"  {subject:<{width}}  {', '.join(here) or 'no model here'}")
        labels = models[here[0]] if here else []
        if labels:
            print(f"  {'':<{width}}  labels: {', '.join(labels)}")
    for kind, summary in KINDS.items():
        print(f"\n{kind}: {summary}")
        for entry in ENTRIES.values():
            if entry.kind == kind:
                print(f"  {entry.name:<{width}}  {entry.summary}")
    print("\nThe options of one: anew generate NAME --list")


def _list_options(what: str, as_json: bool) -> None:
    """Print the options of a picture, of a trained model, or the layers of a rule file."""
    from anew.generation.generate import resolve

    try:
        wanted = resolve(what)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if wanted.rules is not None:
        _list_layers(what, wanted.rules, as_json)
    elif wanted.model is not None:
        _list_model(wanted.model, as_json)
    elif wanted.entry is not None:
        _list_entry(wanted.entry, as_json)


def _list_entry(entry: Entry, as_json: bool) -> None:
    options = {name: p.default for name, p in entry.options.items()}
    if as_json:
        row = {"name": entry.name, "kind": entry.kind, "summary": entry.summary, "tiles": entry.tiles}
        print(json.dumps({**row, "options": options}, indent=2))
        return
    print(f"{entry.name}: {entry.summary}")
    for name, default in options.items():
        print(f"  --set {name}={'' if default is None else json.dumps(default)}")
    print(f"\n{_about(entry)}")


def _list_model(name: str, as_json: bool) -> None:
    from anew.generation.sample import SAMPLERS, open_generator

    card = open_generator(name).card
    height, width = card.facts["size"]
    labels = [str(label) for label in card.facts.get("labels", [])]
    flow = card.facts["kind"] == "flow"
    defaults = {key: card.facts.get(key) for key in ("steps", "guidance")} if flow else {}
    if as_json:
        facts = {"name": card.name, "summary": card.summary, "size": [width, height], "labels": labels}
        print(json.dumps({**facts, "options": defaults}, indent=2))
        return
    print(f"{card.name}: {card.summary}")
    if labels:
        print(f"  --label L  one of {', '.join(labels)}; by default they take turns")
    for key, default in defaults.items():
        print(f"  --{key} {default}")
    if flow:
        print(f"  --set sampler={card.facts.get('sampler', 'heun')}  one of {', '.join(SAMPLERS)}")
    print("  --interpolate FRAMES  an animation between samples")


def _list_layers(name: str, rules: Rules, as_json: bool) -> None:
    if as_json:
        print(json.dumps(rules.model_dump(exclude_defaults=True, mode="json"), indent=2))
        return
    size = "" if rules.size is None else f", {rules.size[0]} x {rules.size[1]} pixels"
    print(f"{name}: {len(rules.layers)} layer{'s' * (len(rules.layers) > 1)}, from the bottom up{size}")
    for layer in rules.layers:
        print(f"  {layer.what}: {layer.blend}, opacity {layer.opacity:g}{_where(layer.mask)}")


def _where(mask: LayerMask | None) -> str:
    """Say in words where a layer shows."""
    return "" if mask is None else f", where {mask.what} is {'dark' if mask.invert else 'bright'}"


def _about(entry: Entry) -> str:
    """Give what the docstring of a picture says of its options, with the names that constants stand for."""
    import inspect

    module = inspect.getmodule(entry.function)

    def names_of(constant: re.Match[str]) -> str:
        return ", ".join(getattr(module, constant[1], (constant[0],)))

    text = inspect.getdoc(entry.function) or ""
    section = text.partition("Parameters\n----------\n")[2].partition("\n\n")[0]
    blocks = [block for block in re.split(r"\n(?=\S)", section) if not block.startswith(("shape :", "rng :"))]
    if entry.field:
        blocks.append("palette : see ``palettes.palette_colours``, optional; grey without one")
    about = "\n".join(blocks).replace("see ``palettes.palette_colours``", PALETTE_HELP)
    return re.sub(r"``([A-Z_]+)``", names_of, about)


def _trained() -> dict[str, list[str]]:
    """Give the trained generators that are here, each with its labels."""
    from anew.generation.sample import generator_names
    from anew.inference.models import read_card

    return {name: [str(label) for label in read_card(name).facts.get("labels", [])] for name in generator_names()}
