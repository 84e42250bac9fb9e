"""Settings that are words, tried before a file is touched: which there are is known to each method alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import typer

from anew.degradations.blur import gaussian_psf
from anew.errors import AnewError
from anew.registry import Method
from anew.restoration import tasks

TRIAL_SIDE = 64  # pixels


def try_words(chosen: Method, method: str, settings: dict[str, Any], task_inputs: dict[str, Any]) -> None:
    """Try the settings that are words on small pictures, grey and colour; refuse what goes with neither.

    Numbers are left out, as what they may be depends on the size of a picture.
    """
    task, words = chosen.task, {key: value for key, value in settings.items() if isinstance(value, str)}
    psf = None if task_inputs.get("psf") is None else gaussian_psf(1.0)
    mask = np.zeros((TRIAL_SIDE, TRIAL_SIDE), bool)
    mask[:4, :4] = True
    known = {"sigma": 0.1, "psf": psf, "scale": 2, "quality": 50, "mask": mask}
    inputs = {key: known[key] for key in ("mask",) if task == "inpaint"} | {key: known[key] for key in task_inputs}
    errors = []
    for channels in (1, 3):
        picture = np.random.default_rng(0).random((TRIAL_SIDE, TRIAL_SIDE, channels), np.float32)
        try:
            getattr(tasks, task)(picture, method=method, **inputs, **words)
            return
        except (AnewError, ValueError, TypeError) as error:
            errors.append(error)
    raise typer.BadParameter(" ".join(str(errors[0]).split()), param_hint="--set")
