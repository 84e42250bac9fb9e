"""``anew train``: what a used folder takes, interruptions, settings, and what there is; needs torch."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from anew.cli import train
from anew.inference.models import read_card

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

Invoke = Callable[..., tuple[int, str, str]]
NETWORK = 'network_args={"widths":[8,12],"blocks":1,"middle_blocks":1,"unshuffle":2}'
TINY = [word for setting in (NETWORK, "batch=2", "patch=16", "validation=1", "warmup=1") for word in ("--set", setting)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with four pictures in ``in``, and five in ``others``."""
    rng = np.random.default_rng(0)
    for name, count in (("in", 4), ("others", 5)):
        (tmp_path / name).mkdir()
        for index in range(count):
            Image.fromarray(rng.integers(0, 256, (40, 48, 3), np.uint8)).save(tmp_path / name / f"{index}.png")
    monkeypatch.chdir(tmp_path)
    torch.set_num_threads(1)
    return tmp_path


def run_tiny(invoke: Invoke, *changes: object, data: str = "in", output: str = "runs") -> tuple[int, str, str]:
    """Train the tiny network."""
    code, out, err = invoke("train", "denoise-fast", "--data", data, "-o", output, *TINY, *changes)
    return code, out, " ".join(err.split())


@pytest.mark.parametrize(
    ("changes", "data", "message"),
    [
        (("--steps", 2), "others", "was trained with data = in, 4 images"),
        (("--steps", 4), "others", "was trained with data = in, 4 images"),
        (("--steps", 2, "--terms", "CC0, mine"), "in", "terms = not stated, this run has CC0, mine"),
        (("--steps", 2, "--from", "denoise-fast"), "in", "was trained with network_args"),
        (("--steps", 1), "in", "2 steps are done already, this run has 1"),
    ],
)
def test_a_folder_goes_on_with_its_own_run_alone(
    changes: tuple[object, ...], data: str, message: str, folder: Path, invoke: Invoke
) -> None:
    assert run_tiny(invoke, "--steps", 2)[0] == 0
    before = Path("runs/model.onnx").read_bytes()
    code, _, err = run_tiny(invoke, *changes, data=data)
    assert code == 2
    assert message in err
    assert "--overwrite starts afresh" in err
    assert Path("runs/model.onnx").read_bytes() == before
    if data == "others":
        assert run_tiny(invoke, *changes, "--overwrite", data=data)[0] == 0
        assert read_card("runs/model.onnx").data == "others"


def test_a_finished_run_says_so_and_leaves_its_model(folder: Path, invoke: Invoke) -> None:
    run_tiny(invoke, "--steps", 2)
    before = Path("runs/model.onnx").read_bytes()
    for length in (("--steps", 2), ("--minutes", 5)):
        code, out, err = run_tiny(invoke, *length)
        assert (code, out.strip()) == (0, "runs/model.onnx")
        assert "already done: runs/model.onnx after 2 steps" in err
        assert ("--minutes is for a new one" in err) == ("--minutes" in length)
    assert Path("runs/model.onnx").read_bytes() == before


@pytest.mark.parametrize("name", ["model.onnx", "config.json", "preview.png"])
def test_files_of_others_are_replaced_only_if_asked(name: str, folder: Path, invoke: Invoke) -> None:
    Path("runs").mkdir()
    Path("runs", name).write_text("mine")
    code, _, err = run_tiny(invoke, "--steps", 1)
    assert code == 2
    assert f"runs/{name} exists already, without a checkpoint.pt; use --overwrite" in err
    assert [path.read_text() for path in Path("runs").iterdir()] == ["mine"]
    assert run_tiny(invoke, "--steps", 1, "--overwrite")[0] == 0


def test_a_run_does_not_write_into_its_data(folder: Path, invoke: Invoke) -> None:
    code, _, err = run_tiny(invoke, "--steps", 1, output="in/runs")
    assert code == 2
    assert "in/runs lies in the data" in err
    assert not Path("in/runs").exists()


def test_a_damaged_checkpoint_costs_one_line(folder: Path, invoke: Invoke) -> None:
    run_tiny(invoke, "--steps", 1)
    whole = Path("runs/checkpoint.pt").read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes(byte ^ 128 for byte in whole[middle : middle + 200]) + whole[middle + 200 :]
    for content in (b"junk", b"", b"PK\x03\x04", whole[:middle], flipped):
        Path("runs/checkpoint.pt").write_bytes(content)
        code, _, err = run_tiny(invoke, "--steps", 1)
        assert code == 2
        assert "runs/checkpoint.pt: not a whole checkpoint of a training run" in err


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interruption_keeps_what_was_learned_bit_for_bit(
    number: signal.Signals, status: int, folder: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    length = ("--steps", 6, "--set", "validate_every=3")
    assert run_tiny(invoke, *length, output="unbroken")[0] == 0
    with monkeypatch.context() as during:
        during.setattr(train, "_print_entry", lambda entry: os.kill(os.getpid(), number))
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        code, _, err = run_tiny(invoke, *length)
        signal.signal(signal.SIGINT, before)
    assert code == status
    assert "stopped at step 3 of 6; the same command goes on" in err
    assert run_tiny(invoke, *length)[0] == 0
    weights = [torch.load(f"{name}/checkpoint.pt", weights_only=True)["average"] for name in ("unbroken", "runs")]
    for name, value in weights[0].items():
        assert torch.equal(value, weights[1][name]), name


def test_an_ignored_interruption_stays_ignored(folder: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "_print_entry", lambda entry: os.kill(os.getpid(), signal.SIGINT))
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert run_tiny(invoke, "--steps", 2, "--set", "validate_every=1")[0] == 0
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("patch=7", "patch must be a multiple of 4 for this network, not 7"),
        ("validate_every=0", "greater than or equal to 1"),
        ("seed=-1", "greater than or equal to 0"),
        ("objective=os", "objective is what the recipe stands for"),
        ("task=upscale", "task is what the recipe stands for"),
        ("batch=1000000000", "less than or equal to 4096"),
        ("ema=5", "less than 1"),
        ("sigma_max=1e9", "less than or equal to 255"),
        ("clip=Infinity", "finite number"),
        ("grey_share=1.5", "less than or equal to 1"),
        ("betas=0.9", "expected 2 values with commas, as in betas=0.9,0.99"),
        ("betas=0.9,0.9,0.9", "expected 2 values with commas, as in betas=0.9,0.99"),
        ("channels=7", "should be 1 or 3"),
        ("sigma=3", "no setting 'sigma'; did you mean 'sigma_max'?"),
        ("widths=3", "no setting 'widths'; it takes network, network_args"),
    ],
)
def test_impossible_settings_are_refused_before_any_picture_is_read(
    setting: str, message: str, folder: Path, invoke: Invoke
) -> None:
    shutil.rmtree("in")
    Path("in").mkdir()
    code, _, err = run_tiny(invoke, "--steps", 1, "--set", setting)
    assert code == 2
    assert message in err
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "missing RECIPE and --data DATA and -o DIR; --list says"),
        ("denoise --data in", "missing -o DIR"),
        ("denose --data in -o runs", "unknown recipe 'denose'; did you mean 'denoise'?"),
        ("denoise --data nosuch -o runs --steps 1", "'nosuch' does not exist"),
        ("denoise --data in -o runs --steps 1 --from nosuch", "no model 'nosuch'"),
        ("denoise --data in -o runs --steps 1 --device tpu", "no device 'tpu'"),
        ("denoise --data in -o runs --steps 1 --minutes 1", "not both"),
        ("denoise --data in -o runs --steps 1 --json", "--json belongs to --list"),
    ],
)
def test_wrong_use_ends_with_2(arguments: str, message: str, folder: Path, invoke: Invoke) -> None:
    code, out, err = invoke("train", *arguments.split())
    assert (code, out) == (2, "")
    assert message in " ".join(err.split())


def test_the_list_names_recipes_and_their_settings(invoke: Invoke) -> None:
    listed = json.loads(invoke("train", "--list", "--json")[1])["recipes"]
    lines = invoke("train", "--list")[1].splitlines()
    assert [line.split()[0] for line in lines] == [recipe["name"] for recipe in listed]
    (recipe,) = json.loads(invoke("train", "gan", "--list", "--json")[1])["recipes"]
    assert recipe["settings"]["r1"] == 0.2
    assert "objective" not in recipe["settings"]
    assert "  r1 = 0.2" in invoke("train", "gan", "--list")[1].splitlines()


def test_images_left_out_are_told_and_counted_on_the_card(folder: Path, invoke: Invoke) -> None:
    Path("in/broken.png").write_text("no picture")
    Image.new("RGB", (5, 6)).save("in/small.png")
    code, _, err = run_tiny(invoke, "--steps", 1)
    assert code == 0
    assert (
        "2 of 6 images are left out: broken.png: cannot be decoded (not an image); "
        "small.png: 5 x 6 is smaller than the patch of 16" in err
    )
    assert read_card("runs/model.onnx").data == "in (2 images left out)"


def test_no_name_breaks_a_line_or_steers_the_terminal(folder: Path, invoke: Invoke) -> None:
    strange = "re\nd\x1b[31m"
    shutil.move("in", strange)
    Path(strange, f"{strange}.png").write_text("no picture")
    code, out, err = invoke("train", "denoise-fast", "--data", strange, "-o", f"runs{strange}", *TINY, "--steps", 1)
    shown = invoke("models", f"runs{strange}/model.onnx")[1]
    again = invoke("train", "denoise-fast", "--data", strange, "-o", f"runs{strange}", *TINY, "--set", "batch=3")[2]
    assert code == 0
    assert out == "runsre\\nd\\x1b[31m/model.onnx\n"
    assert "images are left out: re\\nd\\x1b[31m.png: cannot be decoded" in err
    assert "data: re\\nd\\x1b[31m (1 images left out)\n" in shown
    assert "\x1b" not in err + shown + again
