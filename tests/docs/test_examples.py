"""Every piece of Python in the documentation runs, and every method has an example that works."""

from __future__ import annotations

import doctest
import importlib
import io
import re
import shlex
import socket
import subprocess
import sys
import threading
import tokenize
from http.client import HTTPConnection
from http.server import HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
from PIL import Image

import anew
from anew.arrays import as_image
from anew.registry import METHODS, Method

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs"))

from benchmark_page import make_benchmark_page  # noqa: E402
from method_examples import example_of  # noqa: E402
from method_page import make_method_page  # noqa: E402

SOURCES = sorted((ROOT / "src").rglob("*.py"))
PAGES = sorted((ROOT / "docs").rglob("*.md"))
BLOCKS = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in [*PAGES, ROOT / "README.md"]
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), re.S))
]


@pytest.mark.parametrize("block", BLOCKS)
def test_python_in_the_pages_runs(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    noisy = anew.degrade(skimage.data.chelsea()[:96, :128], "noise", rng=0, sigma=0.05)
    Image.fromarray(noisy).save("old.png")
    exec(block, {})


def test_the_server_of_the_tutorial_restores_pictures_and_refuses_the_rest() -> None:
    (block,) = [parameters.values[0] for parameters in BLOCKS if "HTTPServer" in str(parameters.values[0])]
    names: dict[str, Any] = {}
    exec(str(block), names)
    noisy = anew.degrade(skimage.data.chelsea()[:96, :120], "noise", rng=0, sigma=0.1)
    picture = io.BytesIO()
    Image.fromarray(noisy).save(picture, "PNG")
    answers = []
    with HTTPServer(("127.0.0.1", 0), names["Restorer"]) as server:
        for data in (picture.getvalue(), b"no picture", b""):
            thread = threading.Thread(target=server.handle_request)
            thread.start()
            connection = HTTPConnection("127.0.0.1", server.server_port, timeout=60)
            connection.request("POST", "/", data)
            response = connection.getresponse()
            answers.append((response.status, response.read()))
            connection.close()
            thread.join()
    assert [status for status, _ in answers] == [200, 400, 400]
    restored = anew.read(answers[0][1])
    assert restored.facts.recipe is not None
    assert restored.pixels.shape == noisy.shape
    assert b"expected 1 to 20000000 bytes, got 0" in answers[2][1]


def test_the_server_of_the_tutorial_does_not_wait_for_ever_for_a_client() -> None:
    (block,) = [parameters.values[0] for parameters in BLOCKS if "HTTPServer" in str(parameters.values[0])]
    names: dict[str, Any] = {}
    exec(str(block), names)
    assert names["Restorer"].timeout <= 60
    names["Restorer"].timeout = 0.2
    with HTTPServer(("127.0.0.1", 0), names["Restorer"]) as server:
        thread = threading.Thread(target=server.handle_request, daemon=True)
        thread.start()
        with socket.create_connection(server.server_address) as client:
            client.sendall(b"POST / HTTP/1.0\r\nContent-Length: 100\r\n\r\nhalf of it")
            thread.join(timeout=20)
        assert not thread.is_alive()


@pytest.mark.parametrize("path", [p for p in SOURCES if ">>> " in p.read_text()], ids=lambda p: p.stem)
def test_examples_in_docstrings_give_what_they_say(path: Path) -> None:
    module = importlib.import_module(".".join(path.relative_to(ROOT / "src").with_suffix("").parts))
    assert doctest.testmod(module).failed == 0


def test_the_demo_runs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / "demo.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    wanted = {"damaged.png", "scratches.png", "restored.png", "sheet.png", "report.html", "generated.png"}
    assert {path.name for path in (tmp_path / "demo").iterdir()} == wanted
    for kind in ("tears", "scratches", "noise", "tilt"):
        assert f"\n  {kind}: left alone" not in done.stdout
        assert f"\n  {kind}: " in done.stdout, f"{kind} was not repaired"


@pytest.mark.parametrize("method", list(METHODS), ids=lambda m: f"{m.task}-{m.name}")
def test_every_method_has_an_example_that_brings_the_picture_nearer_to_the_original(method: Method) -> None:
    if method.trains:
        pytest.importorskip("torch")
    names: dict[str, Any] = {}
    exec(example_of(method), names)
    before, after = names["before"], names["after"]
    assert np.isfinite(after).all()
    if method.task != "upscale":
        photo, before, after = (as_image(names[name]) for name in ("photo", "before", "after"))
        assert before.shape == after.shape
        assert np.mean((after - photo) ** 2) < np.mean((before - photo) ** 2)


@pytest.mark.parametrize("method", list(METHODS), ids=lambda m: f"{m.task}-{m.name}")
def test_every_page_says_when_to_use_the_method_and_what_it_costs(method: Method) -> None:
    page = make_method_page(method, seconds=0.5)
    use = page.split("## When to use it\n\n")[1].split("\n\n## ")[0]
    assert use.startswith("Use it "), "the docstring needs a paragraph that begins with 'Use it'"
    assert "\n" not in use
    assert use.endswith(".")
    for name in re.findall(r'``"([\w-]+)"``', use):
        assert name in METHODS.names(method.task), name
    assert re.search(r"## Cost\n\n(\| megapixels|The example took 0.5 seconds)", page)
    assert page.count(use) == 1


def test_a_method_whose_example_cannot_run_has_a_page_without_a_picture() -> None:
    page = make_method_page(METHODS.get("denoise", "deep-image-prior"), seconds=None)
    assert "![" not in page
    assert "## Cost\n\nIt trains a network for each picture, which takes minutes." in page


def test_every_method_of_the_benchmark_page_has_a_page() -> None:
    pages = {f"{method.task}-{method.name}" for method in METHODS}
    linked = set(re.findall(r"methods/([\w-]+?)(?:\.md|/)", make_benchmark_page()))
    assert linked
    assert linked <= pages


@pytest.mark.parametrize(
    ("task", "name"), [("denoise", "custom"), ("deblur", "wiener"), ("inpaint", "telea"), ("deblur", "unsharp")]
)
def test_the_command_of_a_page_runs(task: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from anew.cli.main import app

    page = make_method_page(METHODS.get(task, name), seconds=0.5)
    command = re.search(r"On the command line: `anew (.*)`", page)
    assert command is not None
    monkeypatch.chdir(tmp_path)
    picture = np.random.default_rng(0).integers(60, 200, (40, 48, 3), np.uint8)
    mask = np.zeros((40, 48), np.uint8)
    mask[10:14, 20:30] = 255
    Image.fromarray(picture).save("in.png")
    Image.fromarray(mask).save("holes.png")
    arguments = shlex.split(command.group(1).replace(" IN -o OUT", " in.png -o out.png"))
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert Path("out.png").exists()


def test_a_page_gives_the_published_figures_of_its_method() -> None:
    page = make_method_page(METHODS.get("denoise", "bm3d"), seconds=0.5)
    assert "| CBSD68, 68 pictures | 33.58 | 30.80 | 27.48 | 2 of 16 |" in page
    assert re.search(r"\| 16 \| \d+ \| [\d,]+ \|", page)
    assert "`anew models`" in make_method_page(METHODS.get("denoise", "unet"), seconds=0.5)


def test_the_readme_names_commands_and_files_that_exist() -> None:
    import typer.main

    from anew.cli.main import app

    commands = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    readme = (ROOT / "README.md").read_text()
    used = set(re.findall(r"^anew (\w+)", readme, re.M))
    assert used <= commands, used - commands
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", readme):
        assert (ROOT / link).exists(), link


def test_the_readme_table_is_the_registry() -> None:
    from make_tables import README, updated

    assert README.read_text() == updated(README.read_text())


def test_per_cent_is_written_in_one_way() -> None:
    texts = {path.name: path.read_text() for path in [*PAGES, ROOT / "README.md"]}
    for path in SOURCES:
        tokens = tokenize.generate_tokens(io.StringIO(path.read_text()).readline)
        texts[str(path)] = "\n".join(t.string for t in tokens if t.type in {tokenize.STRING, tokenize.COMMENT})
    apart = {name: re.findall(r".*(?:\d|[df]\}|percent\}) %.*", text) for name, text in texts.items()}
    assert not {name: lines for name, lines in apart.items() if lines}, "write 5%, not 5 %"
