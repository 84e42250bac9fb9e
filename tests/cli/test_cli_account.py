"""The command line tells what it did: the method and the level that it used, each file written, what was left out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import anew
from anew.degradations.blur import gaussian_psf
from anew.diagnosis.noise import estimate_noise_sigma
from anew.inference.models import open_model

Invoke = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, colour_photo: np.ndarray) -> Path:
    """The current folder, with a photograph as ``photo.png``, noisy as ``noisy.png``, and as ``hard.jpg``."""
    monkeypatch.chdir(tmp_path)
    noisy = colour_photo + np.random.default_rng(0).normal(0, 0.1, colour_photo.shape)
    for name, pixels in (("photo", colour_photo), ("noisy", noisy)):
        Image.fromarray((pixels.clip(0, 1) * 255).round().astype(np.uint8)).save(f"{name}.png")
    Image.open("photo.png").save("hard.jpg", quality=30)
    return tmp_path


def levels(name: str) -> np.ndarray:
    with Image.open(name) as image:
        return np.asarray(image.convert("RGB"), np.int64)


# -- restore ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ending", "how"), [("gif", "GIF, which holds 256 colours"), ("jpg", "JPEG, which is compressed with loss")]
)
def test_a_format_that_loses_values_is_not_called_unchanged(
    ending: str, how: str, folder: Path, invoke: Invoke
) -> None:
    code, out, _ = invoke("restore", "photo.png", "-o", f"p.{ending}")
    change = np.abs(levels(f"p.{ending}") - levels("photo.png")).max()
    assert code == 0
    assert change > 2
    assert f"Nothing was repaired; written as {how}: values change by up to {change} of 255." in out
    assert "returned as it was" not in out


@pytest.mark.parametrize("ending", ["png", "tif", "webp"])
def test_a_format_that_keeps_every_value_is_called_unchanged(ending: str, folder: Path, invoke: Invoke) -> None:
    _, out, _ = invoke("restore", "photo.png", "-o", f"p.{ending}")
    assert "The picture is returned as it was." in out
    np.testing.assert_array_equal(levels(f"p.{ending}"), levels("photo.png"))
    _, out, _ = invoke("restore", "photo.png", "-o", f"q.{ending}", "--json")
    assert json.loads(out)["results"][0]["loss"] == 0


def test_a_repaired_picture_in_fewer_colours_says_so(folder: Path, invoke: Invoke) -> None:
    _, out, _ = invoke("restore", "noisy.png", "-o", "p.gif")
    assert "Written as GIF, which holds 256 colours: values change by up to" in out
    assert "Written as" not in invoke("restore", "noisy.png", "-o", "p.png")[1]


def test_every_page_beside_a_result_is_named(folder: Path, invoke: Invoke) -> None:
    _, out, _ = invoke("restore", "noisy.png", "-o", "p.png", "--report", "page.html", "--sheet", "sheet.png")
    assert "  report: page.html" in out
    assert "  sheet: sheet.png" in out
    _, out, _ = invoke("restore", "noisy.png", "-o", "q.png", "--report", "other.html", "--json")
    assert json.loads(out)["results"][0]["pages"] == ["other.html"]
    _, out, _ = invoke("degrade", "photo.png", "-o", "bad.png", "--with", "scratches", "--truth")
    assert "  truth: bad.mask.png" in out
    assert "  truth: bad.truth.json" in out


def test_a_folder_of_reports_has_an_index_of_its_own_pages(folder: Path, invoke: Invoke) -> None:
    Path("pages").mkdir()
    Path("pages/mine.html").write_text("mine")
    code, out, _ = invoke("restore", "photo.png", "noisy.png", "-o", "out", "--report", "pages")
    index = Path("pages/index.html").read_text()
    assert code == 0
    assert "all reports: pages/index.html" in out
    assert [name for name in ("photo", "noisy", "mine") if f'href="{name}.html"' in index] == ["photo", "noisy"]
    assert "noisy</a><br><small>Repaired: noise.</small>" in index
    assert "photo</a><br><small>The picture was given back as it came: every pixel is the same.</small>" in index
    Path("pages/index.html").write_text("mine")
    assert invoke("restore", "photo.png", "hard.jpg", "-o", "again", "--report", "pages", "--overwrite")[0] == 0
    assert Path("pages/index.html").read_text() == "mine"


def test_the_results_of_an_earlier_run_are_not_restored_again(folder: Path, invoke: Invoke) -> None:
    Path("scans").mkdir()
    for name in ("photo.png", "noisy.png"):
        Path(name).rename(Path("scans") / name)
    Image.open("hard.jpg").save("scans/well-restored.png")  # a picture of that name, made from none that is here
    options = ("--only", "tilt")
    assert invoke("restore", "scans", *options)[0] == 0
    Path("scans/well-restored-restored.png").unlink()
    code, _, err = invoke("restore", "scans", "-o", "mended", *options)
    assert code == 0
    assert err.startswith("left out: 2 results of an earlier run (noisy-restored.png, ...)\n")
    assert sorted(path.name for path in Path("mended").iterdir()) == ["noisy.png", "photo.png", "well-restored.png"]
    assert "noisy-restored.png" not in invoke("restore", "scans", "-o", "mended", "--dry-run", *options)[1]


def test_a_result_is_known_by_its_recipe_where_its_picture_is_gone(folder: Path, invoke: Invoke) -> None:
    Path("scans").mkdir()
    assert invoke("restore", "noisy.png", "-o", "scans/noisy-restored.png")[0] == 0
    code, _, err = invoke("restore", "scans", "-o", "mended")
    assert code == 2
    assert "are results already" in " ".join(err.split())
    assert invoke("restore", "scans/noisy-restored.png", "-o", "named.png")[0] == 0


def test_what_is_skipped_is_counted(folder: Path, invoke: Invoke) -> None:
    assert invoke("denoise", "photo.png", "noisy.png", "-m", "mean", "-o", "out")[0] == 0
    wanted = ("denoise", "photo.png", "noisy.png", "hard.jpg", "-m", "mean", "-o", "out", "--skip-existing")
    code, _, err = invoke(*wanted)
    assert code == 0
    assert err.startswith("1 done, 2 skipped, 0 failed, ")
    assert json.loads(invoke(*wanted, "--json")[1])["skipped"] == 3


def test_a_restoration_prints_as_at_the_command_line(folder: Path, invoke: Invoke) -> None:
    _, out, _ = invoke("restore", "photo.png", "-o", "p.png")
    restored = anew.restore(anew.read("photo.png"))
    assert [f"  {line}" for line in str(restored).splitlines()] == out.splitlines()[1:]
    assert repr(restored) == "<Restoration of 128 x 128 pixels: found nothing; repaired nothing>"


# -- the tasks -------------------------------------------------------------------------------------------------------


def test_denoising_tells_the_method_and_the_level(folder: Path, invoke: Invoke) -> None:
    sigma = estimate_noise_sigma(anew.read("noisy.png").pixels)
    _, out, _ = invoke("denoise", "noisy.png", "-o", "a.png")
    assert out == f"noisy.png -> a.png  (unet, noise {255 * sigma:.1f} of 255, measured)\n"
    _, out, _ = invoke("denoise", "noisy.png", "-o", "b.png", "--json")
    result = json.loads(out)["results"][0]
    assert (result["method"], result["sigma"]) == ("unet", pytest.approx(sigma, rel=1e-6))
    _, out, _ = invoke("denoise", "noisy.png", "-o", "c.png", "-m", "median", "--sigma", "20/255")
    assert out == "noisy.png -> c.png  (median, noise 20.0 of 255, given)\n"
    expected = anew.denoise(anew.read("noisy.png").pixels)
    np.testing.assert_array_equal(levels("a.png"), np.rint(expected.clip(0, 1) * 255).astype(int))


def test_deblurring_uses_the_level_that_it_tells(folder: Path, invoke: Invoke) -> None:
    _, out, _ = invoke("deblur", "noisy.png", "-o", "a.png", "--psf", "gaussian:1", "--json")
    result = json.loads(out)["results"][0]
    pixels = anew.read("noisy.png").pixels
    for sigma in (None, result["sigma"]):
        expected = anew.deblur(pixels, gaussian_psf(1.0), sigma, method=result["method"])
        np.testing.assert_array_equal(levels("a.png"), np.rint(expected.clip(0, 1) * 255).astype(int))
    _, out, _ = invoke("deblur", "photo.png", "-o", "b.png", "--psf", "gaussian:1", "--sigma", "0")
    assert out == "photo.png -> b.png  (bm3d, psf given, noise 0.3 of 255, that of the rounding)\n"


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("deblock hard.jpg -o x.png", "unet, quality 30, from the tables"),
        ("deblock hard.jpg -o x.png --quality 50 -m sa-filter", "sa-filter, quality 50, given"),
        ("deblock photo.png -o x.png", "no trace of JPEG was found; pixels as they were"),
        ("upscale photo.png -o x.png --scale 1.5", "compact, 1.5 times as large"),
        ("deblur noisy.png -o x.png --sigma 0.1", "unsharp, noise 25.5 of 255, given"),
        ("deblur noisy.png -o x.png --sigma 0.1 --psf gaussian:1", "bm3d, psf given, noise 25.5 of 255, given"),
        ("unwarp photo.png -o x.png", "nothing to straighten; pixels as they were"),
        ("unwarp photo.png -o x.png --set angle=3", "tilt"),
        ("inpaint photo.png -o x.png --mask mask.png", "biharmonic, 6.2% of the picture filled"),
        ("denoise noisy.png -o x.png -m camera", "camera, noise judged by the pixels"),
    ],
)
def test_every_task_tells_what_it_did(command: str, told: str, folder: Path, invoke: Invoke) -> None:
    mask = np.zeros((128, 128), np.uint8)
    mask[32:64, 32:64] = 255
    Image.fromarray(mask).save("mask.png")
    code, out, _ = invoke(*command.split())
    assert code == 0
    assert out == f"{command.split()[1]} -> x.png  ({told})\n"


def test_a_quality_without_tables_is_measured(folder: Path, invoke: Invoke) -> None:
    Image.open("hard.jpg").save("copy.png")
    _, out, _ = invoke("deblock", "copy.png", "-o", "x.png", "--json")
    result = json.loads(out)["results"][0]
    assert (result["method"], result["quality"]) == ("unet", pytest.approx(30, abs=2))


def test_every_frame_is_told_apart(folder: Path, invoke: Invoke) -> None:
    frames = [Image.open(name) for name in ("photo.png", "noisy.png")]
    frames[0].save("moving.png", save_all=True, append_images=frames[1:])
    _, out, _ = invoke("denoise", "moving.png", "-o", "a.png", "-m", "median", "--sigma", "0.1")
    assert out.splitlines()[1:] == [f"  frame {k}: median, noise 25.5 of 255, given" for k in (1, 2)]
    _, out, _ = invoke("denoise", "moving.png", "-o", "b.png", "-m", "median", "--sigma", "0.1", "--json")
    assert [frame["sigma"] for frame in json.loads(out)["results"][0]["frames"]] == [0.1, 0.1]


def test_a_sheet_of_all_methods_names_those_that_it_leaves_out(folder: Path, invoke: Invoke) -> None:
    Image.open("noisy.png").crop((0, 0, 16, 16)).save("tiny.png")
    code, _, err = invoke("denoise", "tiny.png", "--try", "all", "-o", "sheet.png")
    assert code == 0
    for name in ("recorrupted", "deep-image-prior"):
        assert f"{name:<18} left out: it trains for minutes on each picture; name it" in err


# -- help, lists and cards -------------------------------------------------------------------------------------------


def test_no_summary_of_a_command_is_cut(invoke: Invoke) -> None:
    assert "..." not in invoke("--help")[1].partition("Commands:")[2]


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("denoise", "Default: 95 for a JPEG changed all over, 90 for a lossy WebP or AVIF, else as the input."),
        ("generate", "Default: JPEG 95, the others without loss."),
        ("generate", "An option of WHAT; `anew generate WHAT --list` shows them."),
        ("generate", "(.webp, .gif, .png)"),
        ("generate", "one number for a square"),
        ("train", "A setting of the recipe; `anew train RECIPE --list` shows them."),
        ("compare", "deblock, relight, unwarp."),
        ("compare", "For deblur: gaussian:SIGMA, motion:LENGTH,ANGLE, defocus:RADIUS, or an image or .npy file."),
        ("compare", "For deblock: its JPEG quality."),
    ],
)
def test_help_says_what_is_true(command: str, text: str, invoke: Invoke) -> None:
    assert text in " ".join(invoke(command, "--help")[1].split())


def test_comparing_takes_a_quality(folder: Path, invoke: Invoke) -> None:
    wanted = ("compare", "photo.png", "--task", "deblock", "--methods", "reapplication", "--reference", "photo.png")
    psnr = {}
    for quality in (5, 95):
        _, out, _ = invoke(*wanted, "--quality", quality, "-o", f"{quality}.png", "--json")
        psnr[quality] = json.loads(out)["methods"][0]["psnr"]
    assert psnr[5] < psnr[95] - 3


def test_the_list_of_damages_gives_their_settings(invoke: Invoke) -> None:
    code, out, _ = invoke("degrade", "--list")
    assert code == 0
    assert "noise        Gaussian noise, white or correlated\n             sigma=0.1 correlation=0.0 kernel=" in out
    listed = json.loads(invoke("degrade", "--list", "--json")[1])["damages"]
    assert {d["name"]: d["settings"] for d in listed}["tilt"] == {"angle": 5.0, "border": "reflect", "fill": 0.0}
    assert "--list" in invoke("degrade", "--help")[1]


def test_a_method_is_described_as_it_is_typed(invoke: Invoke) -> None:
    out = invoke("methods", "denoise")[1]
    assert "--set model=denoise-fast" in out
    assert 'model="' not in out


def test_a_card_shows_no_internals(invoke: Invoke) -> None:
    code, out, _ = invoke("models", "gan-digits")
    assert code == 0
    assert "size: 28 x 28" in out
    assert "recognised: 0.9826" in out
    for word in ("{", "recipe:", "network args:", "learning_rate"):
        assert word not in out
    assert all(line.partition(": ")[2].strip() for line in out.splitlines() if line != "scores:")
    assert json.loads(invoke("models", "gan-digits", "--json")[1])["recipe"]


def test_a_card_names_what_computes_in_its_place(invoke: Invoke) -> None:
    model = open_model("denoise-unet")
    if model.rounded is None:
        pytest.skip("nothing computes in its place on this machine")
    start = f"on a CPU, from noise of {255 * model.rounded_from:.0f} of 255 on"
    assert start in invoke("models", "denoise-unet")[1]
    assert start not in invoke("models", "deblock-unet")[1]
    assert "on a CPU, for JPEG up to quality 75, deblock-unet-int8 computes" in invoke("models", "deblock-unet")[1]
