"""What takes part in a benchmark: the damaged picture as it is, every method of the registry, and other libraries."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from anew.arrays import Image
from anew.bench.protocols import Trial
from anew.registry import METHODS, Method

INPUT = "input"


@dataclass(frozen=True)
class Contender:
    """One row of the table.

    Attributes
    ----------
    name : str
    kind : {"input", "anew", "peer"}
    library : str
        Whose implementation it is.
    summary : str
    run : callable
        ``run(trial)`` gives the result for the trial's degraded picture.
    code : str
        Changes when the implementation does, so that old results are not taken for new ones.
    parameters, multiply_adds_per_pixel : int, optional
        Of a network, if there is one for all pictures.
    """

    name: str
    kind: str
    library: str
    summary: str
    run: Callable[[Trial], Image]
    code: str
    parameters: int | None = None
    multiply_adds_per_pixel: int | None = None


def contender_names(task: str, wanted: str = "all", *, peers: bool = False) -> tuple[list[str], dict[str, str]]:
    """Give the names that take part, and of those that cannot, why.

    Parameters
    ----------
    task : str
    wanted : str
        ``"all"`` or names with commas; names of peers count too.
    peers : bool
        Add the methods of other libraries that are installed.
    """
    from anew.bench.peers import PEERS, missing_package

    own = METHODS.names(task)
    others = [peer for peer in PEERS if peer.task == task]
    left_out = {}
    for peer in others if peers else []:
        package = missing_package(peer)
        if package:
            left_out[peer.name] = f"{package} is not installed"
    available = [*own, *(p.name for p in others if p.name not in left_out)]
    if wanted != "all":
        chosen = list(dict.fromkeys(name.strip() for name in wanted.split(",") if name.strip()))
        if not chosen:
            raise ValueError(f"no method is named; {task} has {', '.join(available)}")
        for name in chosen:
            if name not in available:
                raise ValueError(f"{task} has no method {name!r}; it has {', '.join(available)}")
        own_chosen = chosen
    else:
        own_chosen = own
    if wanted == "all":
        left_out |= {name: "it trains for minutes on each picture; name it" for name in own if _trains(task, name)}
    for name in [n for n in own_chosen if n in own]:
        needs = _undefined_options(METHODS.get(task, name))
        if needs:
            left_out[name] = f"it needs {needs}, which only a user can give"
    names = [name for name in own_chosen if name not in left_out]
    if peers:
        names += [name for name in available if name not in own and name not in names]
    return [INPUT, *names], left_out


def get_contender(task: str, name: str) -> Contender:
    """Give one contender; what it needs is imported here, so call this in its own process."""
    from anew.bench.peers import PEERS

    if name == INPUT:
        return Contender(INPUT, "input", "", "the damaged picture as it is", _unchanged, "input 1")
    for peer in PEERS:
        if (peer.task, peer.name) == (task, name):
            library = f"{peer.package} {peer.version}"
            return Contender(name, "peer", library, peer.summary, peer.run, library)
    method = METHODS.get(task, name)
    parameters, multiply_adds = _network_cost(method)
    return Contender(
        name, "anew", method.library, method.summary, _own(method), code_of(method), parameters, multiply_adds
    )


def code_of(method: Method) -> str:
    """Tell one version of a method from another: anew's version and a digest of the method's file."""
    from anew import __version__

    source = sys.modules[method.function.__module__].__file__
    digest = hashlib.sha256(Path(source).read_bytes() if source else b"").hexdigest()
    return f"anew {__version__} {digest[:8]}"


def _own(method: Method) -> Callable[[Trial], Image]:
    """Call a method of ours through the public function of its task, as users do."""
    import anew

    function = getattr(anew, method.task)
    circular = method.task == "deblur" and "border" in method.parameters
    options: dict[str, Any] = {"border": "circular"} if circular else {}

    def run(trial: Trial) -> Image:
        known = {name: trial.inputs[name] for name in method.takes}
        result: Image = function(trial.degraded, method=method.name, **known, **options)
        return result

    return run


def _unchanged(trial: Trial) -> Image:
    """Give the damaged picture, enlarged by repeating pixels if it is smaller."""
    scale = int(trial.inputs.get("scale", 1))
    if scale == 1:
        return trial.degraded
    return np.repeat(np.repeat(trial.degraded, scale, axis=0), scale, axis=1)


def _trains(task: str, name: str) -> bool:
    return METHODS.get(task, name).trains


def _undefined_options(method: Method) -> str:
    """Name the options without a default."""
    return ", ".join(n for n, p in method.parameters.items() if p.default is inspect.Parameter.empty)


def _network_cost(method: Method) -> tuple[int | None, int | None]:
    """Give the parameters and multiply-adds per pixel, unless the picture decides which network runs."""
    model = method.parameters.get("model")
    if model is None or model.default is None:
        return None, None
    from anew.inference.models import read_card

    card = read_card(model.default)
    return card.parameters, card.multiply_adds_per_pixel
