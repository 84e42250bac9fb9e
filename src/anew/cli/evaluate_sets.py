"""``anew evaluate MADE --real REAL``: generated pictures against real ones, as wholes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from anew.cli.one_line import say
from anew.cli.values import read_values

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from anew.metrics.sets import SetComparison

    Features = NDArray[np.float32]
    Bytes = NDArray[np.uint8]

SAME = 1e-5  # of their length, by which the features of one picture may differ from run to run
WAITING = 1 << 25  # bytes of pictures that wait for others of their shape
ARRAYS = {"--real": ("test_images", "images"), "--train": ("train_images", "images"), "RESULTS": ("images",)}


def evaluate_sets(
    made: Path, real: Path, train: Path | None, features: str, *, as_json: bool, max_megapixels: float
) -> None:
    """Compare two sets of pictures in the features of an extractor, and print every measure."""
    from anew.metrics.features import WrongExtractor, open_extractor
    from anew.metrics.sets import LEAST, compare_sets

    try:
        extractor = open_extractor(features)
    except WrongExtractor as error:
        raise typer.BadParameter(str(error), param_hint="--features") from None
    sources = {"RESULTS": made, "--real": real} | ({} if train is None else {"--train": train})
    vectors: dict[str, Features] = {}
    failed: list[str] = []
    for option, source in sources.items():
        vectors[option] = _features_of(source, option, features, max_megapixels, failed)
        if len(vectors[option]) < LEAST:
            raise typer.BadParameter(f"at least {LEAST} pictures are needed, {source} has {len(vectors[option])}")
    try:
        compared = compare_sets(vectors["--real"], vectors["RESULTS"], train=vectors.get("--train"))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--features") from None
    for line in [*failed, *_shared(vectors)]:
        say(line)
    if as_json:
        counts = {"generated": len(vectors["RESULTS"]), "real": len(vectors["--real"])}
        facts = {"features": str(extractor), **counts, "warning": compared.kernel_distance.warning}
        print(json.dumps({**facts, **_figures(compared), "failed": failed}, indent=2))
    else:
        _print(compared, str(extractor))
    if failed:
        raise typer.Exit(1)


def _shared(vectors: dict[str, Features]) -> list[str]:
    """Say which sets that should have no picture in common have some; every measure would flatter them."""
    import numpy as np

    from anew.metrics.distribution.neighbours import nearest

    said = []
    for one, other, what in (("RESULTS", "--real", "generated"), ("--real", "--train", "real")):
        if other not in vectors:
            continue
        x, y = (vectors[option].astype(np.float64) for option in (one, other))
        same = int((nearest(x, y)[0] <= SAME * np.linalg.norm(x, axis=1)).sum())
        if same:
            said.append(f"{same} of the {len(x)} {what} pictures are among those of {other}; the figures flatter")
    return said


def _features_of(source: Path, option: str, extractor: str, max_megapixels: float, failed: list[str]) -> Features:
    """Give (N, D) of the pictures of a folder, or of the array of a .npz file."""
    import numpy as np

    from anew.metrics.features import extract

    if not source.exists():
        raise typer.BadParameter(f"{source} does not exist; check the name")
    try:
        if source.suffix.lower() == ".npz":
            return extract(_array_of(source, ARRAYS[option]), extractor)
        if not source.is_dir():
            raise typer.BadParameter(f"expected a folder of pictures or a .npz file, got {source}")
        parts = [extract(stack, extractor) for stack in stacked(_pictures_of(source, max_megapixels, failed))]
    except (ValueError, TypeError) as error:
        raise typer.BadParameter(f"{source}: {error}") from None
    return np.concatenate(parts) if parts else np.empty((0, 1), np.float32)


def _pictures_of(folder: Path, max_megapixels: float, failed: list[str]) -> Iterator[Bytes]:
    """Read the pictures of a folder; what cannot be read is added to ``failed``."""
    import numpy as np

    from anew.codecs.formats import picture_files
    from anew.errors import AnewError

    for path in picture_files(folder):
        try:
            pixels = read_values(path, max_megapixels)
        except AnewError as error:
            failed.append(f"left out: {error}")
        else:
            yield np.rint(pixels * 255).astype(np.uint8)


def stacked(pictures: Iterable[Bytes]) -> Iterator[Bytes]:
    """Put pictures of one shape together, which are described many times as fast; few wait for others at any time."""
    import numpy as np

    from anew.metrics.features import BATCH_PIXELS

    waiting: dict[tuple[int, ...], list[Bytes]] = {}
    for picture in pictures:
        alike = waiting.setdefault(picture.shape, [])
        alike.append(picture)
        if len(alike) * picture.shape[0] * picture.shape[1] >= BATCH_PIXELS:
            yield np.stack(waiting.pop(picture.shape))
        elif sum(len(some) * some[0].size for some in waiting.values()) > WAITING:
            yield from map(np.stack, waiting.values())
            waiting.clear()
    yield from map(np.stack, waiting.values())


def _array_of(source: Path, names: tuple[str, ...]) -> NDArray[Any]:
    """Give the first of these arrays that a .npz file holds."""
    import zipfile
    import zlib

    import numpy as np

    try:
        opened = np.load(source, allow_pickle=False)
        if isinstance(opened, np.ndarray):
            raise ValueError("holds one array without a name; write it with numpy.savez")
        with opened as file:
            for name in names:
                if name in file:
                    images: NDArray[Any] = file[name]
                    return images
            raise ValueError(f"expected an array {' or '.join(names)}, it holds {', '.join(file) or 'none'}")
    except (OSError, EOFError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"cannot be read ({error})") from None  # a RuntimeError of what zipfile cannot decode


def _figures(compared: SetComparison) -> dict[str, Any]:
    """Give the numbers for JSON."""
    kernel, copying = compared.kernel_distance, compared.copying
    figures: dict[str, Any] = {
        "frechet_distance": compared.frechet_distance,
        "kernel_distance": kernel.value,
        "kernel_distance_95": [kernel.low, kernel.high],
        "precision": compared.fidelity.precision,
        "recall": compared.fidelity.recall,
        "density": compared.spread.density,
        "coverage": compared.spread.coverage,
        "best_coverage": compared.best_coverage,
    }
    if copying is not None:
        figures["nearer_to_training_than_real"] = copying.nearer_than_test
        figures["copies"] = copying.copies
    return figures


def _print(compared: SetComparison, extractor: str) -> None:
    kernel, fidelity, spread, copying = compared.kernel_distance, compared.fidelity, compared.spread, compared.copying
    print(f"{kernel.generated} generated and {kernel.real} real pictures, in the features of {extractor}")
    rows = [
        ("Frechet distance", f"{compared.frechet_distance:.4g}", "0 is best; for the same counts and features"),
        ("kernel distance", f"{kernel.value:.4g}", f"0 is best; 95%: {kernel.low:.4g} to {kernel.high:.4g}"),
        ("precision", f"{fidelity.precision:.3f}", "share of the generated that lie among the real"),
        ("recall", f"{fidelity.recall:.3f}", "share of the real that lie among the generated"),
        ("density", f"{spread.density:.3f}", "1 is as real; less, and they lie outside"),
        ("coverage", f"{spread.coverage:.3f}", f"fresh real pictures have {compared.best_coverage:.3f}"),
    ]
    if copying is not None:
        rows.append(
            ("nearer", f"{copying.nearer_than_test:.3f}", "to training than real ones are: 0.5 is ideal, 1 copies")
        )
        rows.append(("copies", f"{copying.copies:.3f}", "nearer than 99 in 100 real ones: 0.01 is ideal"))
    for name, value, meaning in rows:
        print(f"  {name:<17} {value:>10}  {meaning}")
    if kernel.warning is not None:
        say(kernel.warning)
