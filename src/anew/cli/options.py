"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

Inputs = Annotated[list[str], typer.Argument(help="Images, folders or patterns.", metavar="IN", show_default=False)]
Input = Annotated[Path, typer.Argument(help="The image.", metavar="IN", show_default=False)]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="OUT", help="File or folder. Default: beside the input."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist.")]
SkipExisting = Annotated[bool, typer.Option("--skip-existing", help="Leave out inputs whose output exists.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
Processes = Annotated[int, typer.Option("--jobs", "-j", min=1, metavar="N", help="Files worked on at once.")]
MaxMegapixels = Annotated[
    float, typer.Option("--max-megapixels", min=0.001, metavar="M", help="Refuse larger images before decoding.")
]
Quality = Annotated[
    int | None,
    typer.Option(
        "--save-quality",
        min=1,
        max=100,
        metavar="Q",
        help="Of JPEG, WebP, AVIF. Default: 95 for a JPEG changed all over, 90 for a lossy WebP or AVIF, else as the "
        "input.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="An option of the method; may be given again."),
]
Seed = Annotated[int, typer.Option("--seed", min=0, metavar="S", help="Same seed, same result.")]

MEGAPIXELS = 250.0
PSF_HELP = "gaussian:SIGMA, motion:LENGTH,ANGLE, defocus:RADIUS, or an image or .npy file."


@dataclass(frozen=True, kw_only=True)
class FileFlags:
    """What every command that writes pictures can be told."""

    output: Output = None
    overwrite: Overwrite = False
    skip_existing: SkipExisting = False
    as_json: AsJson = False
    processes: Processes = 1
    max_megapixels: MaxMegapixels = MEGAPIXELS
    save_quality: Quality = None


def with_file_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command that takes ``flags: FileFlags`` one option per field instead."""
    hints = get_type_hints(command, include_extras=True)
    flag_hints = get_type_hints(FileFlags, include_extras=True)
    own = [p.replace(annotation=hints[n]) for n, p in inspect.signature(command).parameters.items() if n != "flags"]
    shared = [
        inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=f.default, annotation=flag_hints[f.name])
        for f in fields(FileFlags)
        if f.default is not MISSING
    ]

    def run(**values: Any) -> None:
        flags = FileFlags(**{f.name: values.pop(f.name) for f in fields(FileFlags)})
        command(**values, flags=flags)

    parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own] + shared
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return run


def parse_settings(settings: list[str] | None) -> dict[str, Any]:
    """Read ``["size=5", "border=reflect"]`` as ``{"size": 5, "border": "reflect"}``; values may be JSON."""
    parsed: dict[str, Any] = {}
    for setting in settings or []:
        key, equals, value = setting.partition("=")
        if not equals or not key:
            raise typer.BadParameter(f"expected KEY=VALUE, got {setting!r}", param_hint="--set")
        try:
            parsed[key.strip().replace("-", "_")] = json.loads(value)
        except ValueError:
            parsed[key.strip().replace("-", "_")] = value
    return parsed


def read_arrays(function: Callable[..., Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Read the options of a function that are arrays: lists, from JSON, and words, which name files.

    Raises
    ------
    ValueError
        In one line that names the option.
    """
    from anew.options import takes_array

    arrays = {key: value for key, value in options.items() if isinstance(value, str | list)}
    return {**options, **{key: _read_array(key, arrays[key]) for key in arrays if takes_array(function, key)}}


def _read_array(key: str, value: str | list[Any]) -> Any:
    """Read a list of numbers, or the name of an ``.npy`` or image file."""
    from anew.errors import ImageFileError

    reason: object = "no such file"
    if isinstance(value, list) or Path(value).is_file():
        try:
            return _array_of(value)
        except ImageFileError as error:
            reason = error
        except (OSError, EOFError, TypeError, ValueError):
            reason = "no array of numbers"
    expected = "an array as JSON, e.g. [[1,1],[1,1]], or an .npy or image file"
    raise ValueError(f"{key}: expected {expected}; got {value!r} ({reason})")


def _array_of(value: str | list[Any]) -> Any:
    """Give a list or a file as an array; a grey picture as (H, W)."""
    import numpy as np

    from anew.images import read

    if isinstance(value, list):
        return np.asarray(value, np.float64)
    if value.endswith(".npy"):
        return np.asarray(np.load(value, allow_pickle=False), np.float64)
    pixels = read(Path(value)).pixels
    return pixels[:, :, 0] if (pixels == pixels[:, :, :1]).all() else pixels


def parse_sigma(text: str | None) -> float | None:
    """Read a noise level in units of the range [0, 1], as a number or a fraction such as ``25/255``."""
    from anew.options import number_of

    if text is None:
        return None
    try:
        sigma = number_of(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if not 0 <= sigma <= 1:
        hint = f"; for grey levels of 255 write {text}/255" if "/" not in text and 1 < sigma <= 255 else ""
        raise typer.BadParameter(f"the noise level is in units of the range, from 0 to 1, got {text}{hint}")
    return sigma


def parse_psf(text: str | None) -> Any:
    """Read a point-spread function: ``gaussian:1.5``, ``motion:15,30``, ``defocus:3``, or an image or .npy file."""
    if text is None:
        return None
    import numpy as np

    from anew.degradations import blur

    kind, colon, numbers = text.partition(":")
    kernels: dict[str, Callable[..., Any]] = {
        "gaussian": blur.gaussian_psf,
        "motion": blur.motion_psf,
        "defocus": blur.defocus_psf,
    }
    if colon and kind in kernels:
        try:
            return kernels[kind](*(float(n) for n in numbers.split(",")))
        except (TypeError, ValueError) as error:
            usage = "gaussian:SIGMA, motion:LENGTH,ANGLE or defocus:RADIUS"
            raise typer.BadParameter(f"expected {usage}, got {text!r} ({error})", param_hint="--psf") from None
    path = Path(text)
    from anew.arrays import luminance
    from anew.errors import ImageFileError
    from anew.images import read
    from anew.restoration.tasks import as_psf

    try:
        weights = np.load(path, allow_pickle=False) if path.suffix == ".npy" else luminance(read(path).pixels)
        return as_psf(weights)
    except ImageFileError as error:
        usage = "" if path.exists() else "; or write gaussian:SIGMA, motion:LENGTH,ANGLE or defocus:RADIUS"
        raise typer.BadParameter(f"{error}{usage}", param_hint="--psf") from None
    except (OSError, ValueError, TypeError, EOFError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise typer.BadParameter(f"{path}: no array of weights ({reason})", param_hint="--psf") from None


def complete_method(task: str) -> Any:
    """Make the shell completion of ``--method`` for a task."""

    def complete(incomplete: str) -> list[str]:
        from anew.registry import METHODS

        return [name for name in ["auto", *METHODS.names(task)] if name.startswith(incomplete)]

    return complete
