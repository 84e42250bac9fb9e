"""``anew evaluate``: how good a folder of results is, with or without the clean pictures, or beside real ones."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anew.cli import options as o
from anew.cli.evaluate_sets import evaluate_sets
from anew.cli.one_line import one_line, say
from anew.cli.values import read_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

commands = typer.Typer()

FULL_REFERENCE = ("psnr", "ssim", "ms_ssim", "gmsd", "epi", "perceptual")
NO_REFERENCE = ("niqe", "sharpness", "noise", "blockiness")
DIGITS = {"psnr": 2, "epi": 3, "niqe": 2, "sharpness": 3, "noise": 2, "blockiness": 3}  # 4 for the others
SHOWN = 3  # names of references without a result
FEATURES = "photos"
HIGHEST_PSNR = 100.0  # dB, for equal pictures, so that means stay finite


@commands.command(epilog="Example:  anew evaluate restored/ --reference clean/")
def evaluate(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="A picture, or a folder of them.")],
    reference: Annotated[
        Path | None, typer.Option(metavar="CLEAN", help="The clean picture, or a folder with the same names.")
    ] = None,
    real: Annotated[
        Path | None, typer.Option(metavar="REAL", help="Real pictures to compare generated ones with: folder, .npz.")
    ] = None,
    train: Annotated[
        Path | None, typer.Option(metavar="DATA", help="With --real: what the generator learned from.")
    ] = None,
    features: Annotated[
        str, typer.Option(metavar="NAME", help="With --real: photos, digits, fashion, faces, or an .onnx file.")
    ] = FEATURES,
    as_json: o.AsJson = False,
    max_megapixels: o.MaxMegapixels = o.MEGAPIXELS,
) -> None:
    """Score results or generated sets.

    With --reference: PSNR (100 for equal pictures), SSIM, MS-SSIM, GMSD, edge preservation and our perceptual distance.
    Without: NIQE, sharpness, noise (of 255) and blockiness. A clean picture is found by its path under CLEAN, whatever
    its ending.

    With --real, for generated pictures: Frechet and kernel distance, precision and recall, density and coverage of the
    two sets; with --train, whether they are copies.
    """
    from anew.errors import AnewError

    if real is not None:
        if reference is not None:
            raise typer.BadParameter("--reference scores picture by picture, --real set by set; give one of them")
        evaluate_sets(results, real, train, features, as_json=as_json, max_megapixels=max_megapixels)
        return
    if train is not None or features != FEATURES:
        raise typer.BadParameter(f"{'--features' if train is None else '--train'} goes with --real")
    pairs, unmatched, unused = _pairs(results, reference)
    rows: list[dict[str, Any]] = []
    failed: list[str] = []
    for name, path, clean in pairs:
        try:
            rows.append({"file": name, **_score(path, clean, max_megapixels)})
        except (AnewError, ValueError) as error:
            failed.append(f"{name}: {error}" if isinstance(error, ValueError) else str(error))
    columns = FULL_REFERENCE if reference is not None else NO_REFERENCE
    mean = {c: _mean([row[c] for row in rows if row[c] is not None]) for c in columns}
    if as_json:
        document = {"results": rows, "mean": mean, "unmatched": unmatched, "unused": unused, "failed": failed}
        print(json.dumps(document, indent=2))
    elif rows:
        _print_table(rows, mean, columns)
    for row in rows:
        if all(row[c] is None for c in columns):
            say(f"{row['file']}: too small for any of these measures")
    for name in unmatched:
        say(f"{name}: no counterpart")
    if unused:
        some = ", ".join([*(Path(name).name for name in unused[:SHOWN]), *["..."][: len(unused) > SHOWN]])
        count = "1 reference picture has" if len(unused) == 1 else f"{len(unused)} reference pictures have"
        say(f"{count} no result in {results} ({some})")
    for line in failed:
        say(line)
    if failed or unmatched or not rows:
        raise typer.Exit(1)


def _pairs(results: Path, reference: Path | None) -> tuple[list[tuple[str, Path, Path | None]], list[str], list[str]]:
    """Pair files by their path in the folder, first with its ending, then without.

    Returns
    -------
    the pairs, the results without a reference, and the references without a result
    """
    for path in (results, reference):
        if path is not None and not path.exists():
            raise typer.BadParameter(f"{path} does not exist; check the name")
    if results.is_file():
        if reference is not None and reference.is_dir():
            raise typer.BadParameter(f"{results} is a file; give a file as --reference too")
        return [(results.name, results, reference)], [], []
    files = _files(results)
    if not files:
        from anew.codecs.formats import KNOWN_ENDINGS

        raise typer.BadParameter(f"no image found in {results} ({KNOWN_ENDINGS})")
    if reference is None:
        return [(name, path, None) for name, path in files.items()], [], []
    if not reference.is_dir():
        raise typer.BadParameter(f"{results} is a folder; give a folder as --reference too")
    clean = _files(reference)
    by_stem: dict[str, list[str]] = {}
    for name in clean:
        by_stem.setdefault(str(Path(name).with_suffix("")), []).append(name)
    pairs: list[tuple[str, Path, Path | None]] = []
    unmatched, used = [], set()
    for name, path in files.items():
        alike = by_stem.get(str(Path(name).with_suffix("")), [])
        partner = name if name in clean else alike[0] if len(alike) == 1 else None
        if partner is None:
            unmatched.append(str(path))
        else:
            pairs.append((name, path, clean[partner]))
            used.add(partner)
    return pairs, unmatched, [str(clean[name]) for name in clean if name not in used]


def _files(folder: Path) -> dict[str, Path]:
    """Give the pictures of a folder by their paths in it."""
    from anew.codecs.formats import picture_files

    return {str(path.relative_to(folder)): path for path in picture_files(folder)}


def _score(path: Path, clean: Path | None, max_megapixels: float) -> dict[str, float | None]:
    x = read_values(path, max_megapixels)
    return _score_alone(x) if clean is None else _score_pair(x, read_values(clean, max_megapixels))


def _score_pair(x: NDArray[Any], y: NDArray[Any]) -> dict[str, float | None]:
    """Score against the clean picture; None where the picture is too small for a measure."""
    from anew.metrics.error import psnr
    from anew.metrics.gradient import edge_preservation, gmsd
    from anew.metrics.perceptual import SMALLEST, perceptual_distance
    from anew.metrics.structural import ms_ssim, ssim

    if x.shape != y.shape:
        raise ValueError(
            f"{x.shape[1]} x {x.shape[0]} x {x.shape[2]}, but its clean picture {y.shape[1]} x "
            f"{y.shape[0]} x {y.shape[2]}; they must be equal"
        )
    side = min(x.shape[:2])
    return {
        "psnr": min(psnr(x, y, data_range=1), HIGHEST_PSNR),
        "ssim": ssim(x, y, data_range=1) if side >= 11 else None,
        "ms_ssim": ms_ssim(x, y, data_range=1) if side >= 176 else None,
        "gmsd": gmsd(x, y, data_range=1) if side >= 3 else None,
        "epi": edge_preservation(x, y) if side >= 3 else None,
        "perceptual": perceptual_distance(x, y, data_range=1) if side >= SMALLEST else None,
    }


def _score_alone(x: NDArray[Any]) -> dict[str, float | None]:
    from anew.diagnosis.noise import PATCH as PATCH_OF_NOISE
    from anew.metrics.no_reference.blockiness import LEAST_SIDE, blockiness
    from anew.metrics.no_reference.niqe import PATCH, niqe
    from anew.metrics.no_reference.noise import noise_level
    from anew.metrics.no_reference.sharpness import BLUR_LENGTH, sharpness

    side = min(x.shape[:2])
    patches = (x.shape[0] - PATCH_OF_NOISE + 1) * (x.shape[1] - PATCH_OF_NOISE + 1) if side >= PATCH_OF_NOISE else 0
    return {
        "niqe": niqe(x, data_range=1) if side >= 2 * PATCH else None,
        "sharpness": sharpness(x) if side >= BLUR_LENGTH + 3 else None,
        "noise": 255 * noise_level(x, data_range=1) if patches >= 2 * PATCH_OF_NOISE**2 else None,
        "blockiness": blockiness(x, data_range=1) if side >= LEAST_SIDE else None,
    }


def _mean(values: list[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def _print_table(rows: list[dict[str, Any]], mean: dict[str, float | None], columns: tuple[str, ...]) -> None:
    lines = [["file", *columns]]
    for row in [*rows, {"file": "mean", **mean}]:
        cells = ["-" if row[c] is None else f"{row[c]:.{DIGITS.get(c, 4)}f}" for c in columns]
        lines.append([one_line(row["file"]), *cells])
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        cells = [c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True)]
        print("  ".join([line[0].ljust(widths[0]), *cells]))
