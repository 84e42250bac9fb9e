"""What takes part in a benchmark: the damaged picture as it is, every method of the registry, and other libraries."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from anew.arrays import Image
from anew.bench.environment import RUNTIMES, installed
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


def contender_names(
    task: str, wanted: str = "all", *, peers: Literal["all", "named", "none"] = "named"
) -> tuple[list[str], dict[str, str]]:
    """Give the names that take part, and of those that cannot, why.

    Parameters
    ----------
    task : str
    wanted : str
        ``"all"`` or names with commas.
    peers : {"all", "named", "none"}
        Which methods of other libraries take part: all that are installed, those that ``wanted`` names, or none.

    Raises
    ------
    ValueError
        If a name is unknown, or its method cannot take part.
    """
    from anew.bench.peers import PEERS

    own = METHODS.names(task)
    others = [] if peers == "none" else [peer.name for peer in PEERS if peer.task == task]
    named = [] if wanted == "all" else _split_names(task, wanted, [*own, *others])
    names = dict.fromkeys([*(named or own), *(others if peers == "all" else [])])
    reasons = {name: _why_not(task, name, named=name in named) for name in names}
    left_out = {name: reason for name, reason in reasons.items() if reason}
    for name in named:
        if name in left_out:
            raise ValueError(f"{task} by {name} cannot take part: {left_out[name]}")
    return [INPUT, *(name for name in names if name not in left_out)], left_out


def _split_names(task: str, wanted: str, known: list[str]) -> list[str]:
    """Read names with commas."""
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    if not names:
        raise ValueError(f"no method is named; {task} has {', '.join(known)}")
    for name in names:
        if name not in known:
            raise ValueError(f"{task} has no method {name!r}; it has {', '.join(known)}")
    return names


def _why_not(task: str, name: str, *, named: bool) -> str:
    """Say why a method cannot take part, or does not unless it is named; nothing if it does."""
    from anew.bench.peers import PEERS, missing_package

    for peer in PEERS:
        if (peer.task, peer.name) == (task, name):
            package = missing_package(peer)
            return f"{package} is not installed" if package else ""
    method = METHODS.get(task, name)
    needs = _undefined_options(method)
    if needs:
        return f"it needs {needs}, which only a user can give"
    return "it trains for minutes on each picture; name it" if method.trains and not named else ""


def get_contender(task: str, name: str) -> Contender:
    """Give one contender; what it needs is imported here, so call this in its own process."""
    from anew.bench.peers import PEERS

    if name == INPUT:
        return Contender(INPUT, "input", "", "the damaged picture as it is", _unchanged, "input 1")
    for peer in PEERS:
        if (peer.task, peer.name) == (task, name):
            library = f"{peer.package} {peer.version}"
            return Contender(name, "peer", library, peer.summary, peer.run, f"{library} {_digest_of_source(peer.run)}")
    method = METHODS.get(task, name)
    parameters, multiply_adds = _network_cost(method)
    return Contender(
        name, "anew", method.library, method.summary, _own(method), code_of(method), parameters, multiply_adds
    )


def code_of(method: Method) -> str:
    """Tell one version of a method from another: anew's version, a digest of the method's file, and of a network more.

    Of a network its weights count, too, and what computes it.
    """
    from anew import __version__

    network = f" {digest_of_weights()} {_runtime()}" if "model" in method.parameters else ""
    return f"anew {__version__} {_digest_of_source(method.function)}{network}"


def _digest_of_source(function: Callable[..., Any]) -> str:
    """Tell the file of a function from what it was another day."""
    source = sys.modules[function.__module__].__file__
    return hashlib.sha256(Path(source).read_bytes() if source else b"").hexdigest()[:8]


def _runtime() -> str:
    """Name what computes networks: the provider that the environment asks for, of those that are installed."""
    from anew.inference.providers import chosen_provider

    return ", ".join([chosen_provider(None), *(f"{name} {version}" for name, version in installed(RUNTIMES).items())])


@cache
def digest_of_weights() -> str:
    """Tell the shipped weights from those of another day; a method may choose among several files."""
    from anew.inference.models import WEIGHTS

    digest = hashlib.sha256()
    for path in sorted(WEIGHTS.glob("*.onnx")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


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
