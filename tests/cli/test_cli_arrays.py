"""Options that are arrays, and what a method cannot do without, at the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import anew

Invoke = Callable[..., tuple[int, str, str]]
KERNEL = np.array([[0.0, 0.2, 0.0], [0.2, 0.2, 0.2], [0.0, 0.2, 0.0]])


@pytest.fixture
def pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """A noisy picture, which the current folder holds as ``x.png``; beside it files of arrays."""
    noisy = np.random.default_rng(0).normal(128, 25, (32, 40, 3)).clip(0, 255).astype(np.uint8)
    monkeypatch.chdir(tmp_path)
    Image.fromarray(noisy).save("x.png")
    np.save("kernel.npy", KERNEL)
    Path("bad.npy").write_text("no array")
    Image.fromarray((255 * KERNEL / KERNEL.max()).astype(np.uint8)).save("blur.png")
    return noisy


@pytest.mark.parametrize("given", [json.dumps(KERNEL.tolist()), "kernel.npy"])
def test_an_array_is_json_or_a_file(given: str, pixels: np.ndarray, invoke: Invoke) -> None:
    code, _, err = invoke("denoise", "x.png", "-o", "y.png", "-m", "custom", "--set", f"kernel={given}")
    assert code == 0, err
    expected = anew.denoise(pixels, method="custom", kernel=KERNEL)
    np.testing.assert_array_equal(np.asarray(Image.open("y.png")), expected)


def test_an_array_may_be_a_picture(pixels: np.ndarray, invoke: Invoke) -> None:
    code, _, err = invoke(
        "denoise", "x.png", "-o", "y.png", "-m", "guided", "--set", "guide=x.png", "--sigma", "25/255"
    )
    assert code == 0, err
    expected = anew.denoise(pixels, 25 / 255, method="guided", guide=pixels / 255)
    np.testing.assert_allclose(np.asarray(Image.open("y.png"), int), expected, atol=1)


@pytest.mark.parametrize("chain", [f"kernel:psf={json.dumps(KERNEL.tolist())}", "kernel:psf=blur.png"])
def test_a_damage_takes_an_array(chain: str, pixels: np.ndarray, invoke: Invoke) -> None:
    code, _, err = invoke("degrade", "x.png", "-o", "y.png", "--with", f"{chain},tilt:angle=180")
    assert code == 0, err
    expected = anew.degrade(pixels, "kernel", psf=KERNEL)[::-1, ::-1]
    np.testing.assert_allclose(np.asarray(Image.open("y.png"), int), expected, atol=1)


AN_ARRAY = "expected an array as JSON, e.g. [[1,1],[1,1]], or an .npy or image file; got "


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("denoise x.png -m bm3d --set psd=x", f"psd: {AN_ARRAY}'x' (no such file)"),
        ("denoise x.png -m custom --set kernel=k.npy", f"kernel: {AN_ARRAY}'k.npy' (no such file)"),
        ("denoise x.png -m custom --set kernel=bad.npy", f"kernel: {AN_ARRAY}'bad.npy' (no array of numbers)"),
        ("denoise x.png -m custom --set kernel=[[1,1],[1]]", f"kernel: {AN_ARRAY}[[1, 1], [1]] (no array of numbers)"),
        ("unwarp x.png -m keystone --set corners=x", f"corners: {AN_ARRAY}'x' (no such file)"),
        ("degrade x.png --with kernel:psf=k.png", f"psf: {AN_ARRAY}'k.png' (no such file)"),
        ("denoise x.png -m custom", "denoise by custom needs the option 'kernel', e.g. --set 'kernel=[["),
        (
            "deblur x.png -m bm3d",
            "deblur by bm3d needs the blur: --psf gaussian:SIGMA, motion:LENGTH,ANGLE, defocus:RADIUS, or a file",
        ),
    ],
)
def test_a_wrong_or_missing_array_is_one_line(command: str, message: str, pixels: np.ndarray, invoke: Invoke) -> None:
    code, out, err = invoke(*command.split(), "-o", "y.png")
    assert code == 2, err
    assert out == ""
    assert message in err
    assert not Path("y.png").exists()


def test_no_error_is_estimated_of_a_method_that_measures_the_noise(pixels: np.ndarray, invoke: Invoke) -> None:
    wanted = ("compare", "x.png", "--methods", "poisson-gaussian,luma-chroma,median", "-o", "sheet.png", "--json")
    code, out, err = invoke(*wanted)
    assert code == 0, err
    estimated = {row["method"]: "estimated_psnr" in row for row in json.loads(out)["methods"]}
    assert estimated == {"median": True, "poisson-gaussian": False, "luma-chroma": False}
