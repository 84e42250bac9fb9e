"""Every command that README, tutorials and help print runs as it stands, on small pictures of the names they use.

Only its cost is cut: fewer samples, steps and methods, one process.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import typer.main
from PIL import Image
from typer.testing import CliRunner

import anew
from anew.cli.main import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "docs" / "index.md", *sorted((ROOT / "docs" / "tutorials").glob("*.md"))]
TABLES = [ROOT / "docs" / "figures.md", ROOT / "docs" / "formats.md"]
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
CHEAPER = (
    (r"-n \d+", "-n 6"),
    (r"--size \S+", "--size 48x32"),
    (r"--jobs \d+", "--jobs 1"),
    (r"--interpolate \d+", "--interpolate 4"),
    (r"--(minutes|steps) \d+", "--steps 1 --set batch=2 --set validation=2"),
    (r"--set batch=8", ""),
    (r"^anew bench \w+", r"\g<0> --methods mean"),
)
SETS = ("photos", "made")  # of which the figures of a set take six
MINUTES = ("--inspect",)  # what takes them is only read, not run


def blocks_of(text: str) -> list[str]:
    """Give the commands that stand in blocks, without comments and redirections."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.S | re.M)
    lines = "\n".join(block for language, block in blocks if not language).replace("\\\n", " ").splitlines()
    return [re.sub(r"\s+(#|>).*", "", line) for line in lines if line.startswith("anew ")]


def inline_of(text: str) -> list[str]:
    """Give the commands in running text."""
    return [
        " ".join(c.split()) for c in re.findall(r"`(anew [^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.S | re.M))
    ]


def examples_of_help() -> list[str]:
    """Give the examples at the foot of every command's help."""
    feet = [re.sub(r"\s*\n\s*", " ", command.epilog or "") for command in COMMANDS.values()]
    return [found for foot in feet for found in re.findall(r"anew .+?(?=     |;|$)", foot)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with everything that the commands name, and work there."""
    photo = skimage.data.chelsea()[80:176, 130:258]
    noisy = anew.degrade(photo, "noise", rng=0, sigma=0.08)
    mask = np.zeros(photo.shape[:2], np.uint8)
    mask[40:44, 30:80] = 255
    monkeypatch.chdir(tmp_path)
    for name in ("old.jpg", "old.png", "night.png", "noisy.png", "noisy.jpg", "x.png", "scan.png"):
        Image.fromarray(noisy).save(name, quality=95)
    for name in (
        "photo.png",
        "photo.jpg",
        "print.png",
        "shaken.jpg",
        "soft.jpg",
        "blocky.jpg",
        "dark.jpg",
        "crooked.jpg",
    ):
        Image.fromarray(photo).save(name, quality=90)
    Image.fromarray(photo[:32, :40]).save("stamp.png")
    for name in ("holes.png", "scratches.png"):
        Image.fromarray(mask).save(name)
    for held in ("my-photos", "scans", "originals", "clean", "results", "restored", *SETS):
        image = photo if held in ("photos", "originals", "clean", "real") else noisy
        fill(Path(held), image, count=6 if held in SETS else 2)
    fill(Path("labels"), mask, count=6)
    for held in ("real", "learned"):
        fill(Path(held), skimage.data.camera()[200:228, 200:228], count=6)
    fill(Path("drawings"), photo)
    for label in ("round", "square"):
        fill(Path("shapes") / label, skimage.data.camera()[:32, :32], count=6)
    rules = json.dumps({"layers": [{"what": "paper"}, {"what": "voronoi", "opacity": 0.5}], "size": [48, 32]})
    for name in ("rules.json", "inlay.json"):
        Path(name).write_text(rules)
    Path("boxes.json").write_text(json.dumps({"0.png": [[30, 30, 60, 50]]}))
    return tmp_path


def fill(folder: Path, image: np.ndarray, count: int = 2) -> None:
    """Put pictures into a folder."""
    folder.mkdir(parents=True)
    for index in range(count):
        Image.fromarray(np.roll(image, index, axis=1)).save(folder / f"{index}.png")


def run(command: str) -> None:
    """Run a command; what it writes may be there from an earlier one, which a reader need not have run."""
    cheap = command
    for pattern, smaller in CHEAPER:
        cheap = re.sub(pattern, smaller, cheap)
    words = shlex.split(cheap)[1:]
    if any(word in MINUTES for word in words):
        COMMANDS[words[0]].make_context(words[0], words[1:])
        return
    target = Path(words[words.index("-o") + 1]) if "-o" in words else None
    if target is not None and target.is_dir():
        shutil.rmtree(target)
    elif target is not None:
        target.unlink(missing_ok=True)
    Path("old-restored.jpg").unlink(missing_ok=True)
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, f"{command}\n{cheap}\n{done.output}"
    assert target is None or target.exists(), command


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_page_run_one_after_the_other(page: Path, folder: Path) -> None:
    text = page.read_text()
    whole = [c for c in inline_of(text) if re.match(r"anew \w+ ([\w-]+[./]\S*|\w+ --list|--list)", c)]
    commands = [*blocks_of(text), *(c for c in whole if ".npz" not in c)]
    for command in commands:
        if find_spec("torch") or not (command.startswith("anew train") or "mine/model.onnx" in command):
            run(command)


def test_the_examples_of_the_help_run(folder: Path) -> None:
    examples = examples_of_help()
    assert len(examples) >= len(COMMANDS)
    run("anew restore old.png -o old-restored.png")
    for command in examples:
        if find_spec("torch") or not command.startswith("anew train"):
            run(command)


@pytest.mark.parametrize("page", [*PAGES, *TABLES], ids=lambda page: page.stem)
def test_commands_in_running_text_name_commands_and_options_that_exist(page: Path) -> None:
    for command in inline_of(page.read_text()):
        name, *words = shlex.split(command)[1:]
        if name.startswith("-"):
            continue
        known = {option for parameter in COMMANDS[name].params for option in parameter.opts}
        unknown = {word for word in words if re.match(r"--?[a-z]", word)} - known - {"--help", "-h"}
        assert not unknown, f"{command}: {unknown}"


def test_public_names_stand_in_the_reference() -> None:
    reference = (ROOT / "docs" / "reference.md").read_text()
    for name in anew.__all__:
        assert re.search(rf"\b{name}\b", reference), name


@pytest.mark.parametrize("name", COMMANDS)
def test_the_usage_of_a_command_has_each_bracket_once(name: str) -> None:
    usage = CliRunner().invoke(app, [name, "--help"]).output.splitlines()[0]
    assert "[[" not in usage
    assert "...}" not in usage
    assert "...]" not in usage


@pytest.mark.parametrize("page", [*PAGES, *TABLES], ids=lambda page: page.stem)
def test_benchmarks_that_are_named_exist_and_know_their_options(page: Path) -> None:
    for command in re.findall(r"python (?:-m benchmarks\.|benchmarks/)([^`\"]+)", page.read_text()):
        name, *words = command.split()
        path = ROOT / "benchmarks" / f"{name.removesuffix('.py')}.py"
        assert path.exists(), command
        for option in (word for word in words if word.startswith("--")):
            assert f'"{option}"' in path.read_text(), command
