"""``anew evaluate MADE --real REAL`` as a person uses it: sets of pictures against sets of pictures."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

import anew
from anew.cli.evaluate_sets import WAITING, stacked
from anew.metrics.distribution import frechet_distance, kernel_distance, memorisation
from anew.metrics.features import extract

Invoke = Callable[..., tuple[int, str, str]]


@pytest.fixture
def sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    """Folders of marble, of other marble and of dots, 12 pictures each, and their pixels."""
    monkeypatch.chdir(tmp_path)
    made = {}
    for name, kind, seed in (("marble", "marble", 0), ("other", "marble", 1), ("dots", "dots", 0)):
        pictures = np.rint(anew.generate(kind, 12, rng=seed, size=40) * 255).astype(np.uint8)
        (tmp_path / name / "deep").mkdir(parents=True)
        for index, picture in enumerate(pictures):
            folder = tmp_path / name / ("deep" if index % 2 else "")
            Image.fromarray(picture.squeeze()).save(folder / f"{index}.png")
        made[name] = pictures
    return made


def test_figures_are_those_of_the_measures(invoke: Invoke, sets: dict[str, np.ndarray]) -> None:
    code, out, err = invoke("evaluate", "marble", "--real", "other", "--train", "dots", "--json")
    assert (code, err) == (0, "")
    figures = json.loads(out)
    x, y, z = (extract(sets[name], "photos") for name in ("other", "marble", "dots"))
    assert figures["frechet_distance"] == pytest.approx(frechet_distance(x, y), rel=1e-3)
    assert figures["kernel_distance"] == pytest.approx(kernel_distance(x, y).value, rel=1e-3)
    assert figures["copies"] == memorisation(z, y, x).copies
    assert (figures["generated"], figures["real"], figures["failed"]) == (12, 12, [])
    assert "fewer than 2048" in figures["warning"]


def test_a_set_is_nearest_to_itself_and_nearer_to_its_kind(invoke: Invoke, sets: dict[str, np.ndarray]) -> None:
    distances = {}
    for real in ("marble", "other", "dots"):
        distances[real] = json.loads(invoke("evaluate", "marble", "--real", real, "--json")[1])
    assert distances["marble"]["frechet_distance"] < 1e-6
    assert distances["marble"]["coverage"] == distances["marble"]["precision"] == 1
    assert distances["other"]["frechet_distance"] < distances["dots"]["frechet_distance"]
    assert distances["dots"]["coverage"] == 0


def test_arrays_stand_for_folders_and_the_table_explains_itself(invoke: Invoke, sets: dict[str, np.ndarray]) -> None:
    np.savez("real.npz", test_images=sets["other"], train_images=sets["dots"])
    code, out, err = invoke("evaluate", "marble", "--real", "real.npz", "--train", "real.npz")
    assert code == 0
    assert out.startswith("12 generated and 12 real pictures, in the features of features-photos")
    assert "copies" in out
    assert err.count("\n") == 1
    assert "fewer than 2048" in err


def test_memory_does_not_grow_with_the_number_of_pictures(tmp_path: Path, invoke: Invoke) -> None:
    many, few = tmp_path / "many", tmp_path / "few"
    for folder, count in ((many, 40), (few, 6)):
        folder.mkdir()
        for index in range(count):
            anew.write(np.full((600, 600, 3), 5 * index, np.uint8), folder / f"{index}.png")
    assert invoke("evaluate", few, "--real", few)[0] == 0  # loads what it needs
    tracemalloc.start()
    assert invoke("evaluate", many, "--real", few)[0] == 0
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * 600 * 600 * 3 * 4 / 1.5  # as float32 all of them are 173 MB


def test_pictures_of_many_shapes_do_not_wait_for_each_other() -> None:
    pictures = (np.zeros((500, width, 3), np.uint8) for width in range(100, 500))
    tracemalloc.start()
    assert sum(len(stack) for stack in stacked(pictures)) == 400  # 180 MB in all
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.2 * WAITING


def test_pictures_that_both_sets_hold_are_said(invoke: Invoke, sets: dict[str, np.ndarray]) -> None:
    for index in (0, 2, 4):
        Image.fromarray(sets["marble"][index].squeeze()).save(Path("other") / f"more {index}.png")
    code, _, err = invoke("evaluate", "marble", "--real", "other", "--train", "other")
    assert code == 0
    assert "anew: 3 of the 12 generated pictures are among those of --real; the figures flatter\n" in err
    assert "anew: 15 of the 15 real pictures are among those of --train; the figures flatter\n" in err
    assert "among those" not in invoke("evaluate", "marble", "--real", "dots")[2]


def test_a_broken_picture_is_left_out_and_said(invoke: Invoke, sets: dict[str, np.ndarray]) -> None:
    Path("marble/broken.png").write_bytes(b"\x89PNG nothing")
    code, out, err = invoke("evaluate", "marble", "--real", "other")
    assert code == 1
    assert "12 generated and 12 real" in out
    assert "left out: marble/broken.png: " in err


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e38])
@pytest.mark.parametrize("options", [[], ["--reference", "clean"], ["--real", "marble"]])
def test_values_of_no_picture_are_left_out_and_said(
    invoke: Invoke, sets: dict[str, np.ndarray], options: list[str], value: float
) -> None:
    pictures = sets["marble"][:7].astype(np.float32) / 255
    for folder in (Path("clean"), Path("damaged")):
        folder.mkdir()
        for index, picture in enumerate(pictures):
            tifffile.imwrite(folder / f"{index}.tif", picture, photometric="rgb")
        pictures[6, 3, 4] = value
    code, _, err = invoke("evaluate", "damaged", *options)
    assert code == 1
    assert "damaged/6.tif: the image holds 3 values that are " in err


def write_damaged_arrays(images: np.ndarray) -> None:
    """Write .npz files whose data, header, flags or kind is not what it should be."""
    np.savez_compressed("garbled.npz", images=images)
    data = bytearray(Path("garbled.npz").read_bytes())
    data[60:80] = 20 * b"\xff"
    Path("garbled.npz").write_bytes(data)
    array = io.BytesIO()
    np.lib.format.write_array_header_1_0(array, {"descr": "|u1", "fortran_order": False, "shape": (10**13, 28, 28)})
    for name in ("lying.npz", "locked.npz"):
        with zipfile.ZipFile(name, "w") as file:
            file.writestr("images.npy", array.getvalue())
    data = bytearray(Path("locked.npz").read_bytes())
    for flags in (6, data.find(b"PK\x01\x02") + 8):  # of the file itself, and of the directory behind it
        data[flags] |= 1
    Path("locked.npz").write_bytes(data)
    with Path("one.npz").open("wb") as one:
        np.save(one, images)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--real", "nosuch"], "nosuch does not exist"),
        (["--real", "marble/0.png"], "expected a folder of pictures or a .npz file, got marble/0.png"),
        (["--real", "few"], "at least 6 pictures are needed, few has 0"),
        (["--real", "other", "--features", "digits"], "digits describes images of 28 x 28 pixels, these have 40 x 40"),
        (["--real", "other.npz"], "expected an array test_images or images, it holds faces"),
        (["--real", "other", "--reference", "other"], "give one of them"),
        (["--real", "empty.npz"], "empty.npz: cannot be read (No data left in file)"),
        (["--real", "bytes.npz"], "bytes.npz: expected images of float in [0, 1], got values from"),
        (["--real", "garbled.npz"], "garbled.npz: cannot be read (Error -3 while decompressing data"),
        (["--real", "lying.npz"], "lying.npz: cannot be read (Unable to allocate"),
        (["--real", "locked.npz"], "locked.npz: cannot be read (File 'images.npy' is encrypted"),
        (["--real", "one.npz"], "one.npz: holds one array without a name; write it with numpy.savez"),
        (["--real", "other", "--features", "numbers"], "no feature extractor 'numbers'"),
        (["--train", "other"], "--train goes with --real"),
        (["--features", "digits"], "--features goes with --real"),
    ],
)
def test_wrong_use_is_one_line(invoke: Invoke, sets: dict[str, np.ndarray], arguments: list[str], message: str) -> None:
    Path("few").mkdir()
    Path("empty.npz").touch()
    np.savez("other.npz", faces=sets["other"])
    np.savez("bytes.npz", images=sets["other"].astype(np.float32))
    write_damaged_arrays(sets["other"])
    code, out, err = invoke("evaluate", "marble", *arguments)
    assert (code, out) == (2, "")
    assert message in " ".join(err.split())
