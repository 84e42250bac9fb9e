"""The benchmark's protocols: that they are those of the literature, and that scores are what they say."""

from __future__ import annotations

import io
import weakref
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
import tifffile
from PIL import Image

import anew
from anew.bench import pictures
from anew.bench.peers import PEERS
from anew.bench.pictures import CleanPicture, load_pictures, spread, timed_picture
from anew.bench.protocols import DEBLUR_KERNELS, PROTOCOLS, QUALITIES, deblur_kernel, luma, score


@pytest.fixture(scope="module")
def clean() -> np.ndarray:
    return skimage.data.astronaut()[100:196, 200:320]


def test_colours_reach_opencv_in_its_order(clean: np.ndarray, tmp_path: Path) -> None:
    trial = PROTOCOLS["denoise"].degrade(clean, 25.0, "")
    peer = next(peer for peer in PEERS if peer.name == "opencv nl-means")
    eight_bit = np.clip(np.rint(trial.degraded * 255), 0, 255).astype(np.uint8)
    Image.fromarray(eight_bit).save(tmp_path / "noisy.png")
    bgr = cv2.imread(str(tmp_path / "noisy.png"))
    cv2.imwrite(str(tmp_path / "out.png"), cv2.fastNlMeansDenoisingColored(bgr, None, 22.5, 22.5, 5, 21))
    expected = np.asarray(Image.open(tmp_path / "out.png")) / 255.0
    np.testing.assert_allclose(peer.run(trial), expected, atol=1e-6)


def test_noise_is_that_of_the_literature(clean: np.ndarray) -> None:
    np.random.seed(0)  # noqa: NPY002 - the published protocol
    expected = clean / 255.0 + np.random.normal(0, 25 / 255.0, clean.shape)  # noqa: NPY002
    trial = PROTOCOLS["denoise"].degrade(clean, 25.0, "")
    np.testing.assert_allclose(trial.degraded, expected, atol=1e-7)
    assert trial.inputs == {"sigma": 25 / 255}
    assert trial.degraded.min() < 0  # not clipped


def test_the_score_of_a_shift_is_closed_form(clean: np.ndarray) -> None:
    trial = PROTOCOLS["denoise"].degrade(np.clip(clean, 0, 200), 15.0, "")
    scores = score("denoise", trial, trial.reference + np.float32(10 / 255))
    assert scores["psnr"] == pytest.approx(20 * np.log10(25.5), abs=1e-6)
    perfect = {"psnr": 100, "ssim": 1, "gmsd": 0, "epi": 1, "perceptual": 0}
    assert score("denoise", trial, trial.reference) == pytest.approx(perfect)
    assert tuple(scores) == QUALITIES


def test_a_result_with_holes_has_no_score(clean: np.ndarray) -> None:
    trial = PROTOCOLS["denoise"].degrade(clean, 25.0, "")
    result = trial.reference.copy()
    result[3, 4] = np.nan
    with pytest.raises(ValueError, match="values that are NaN"):
        score("denoise", trial, result)


def test_pictures_too_small_for_a_score_have_none() -> None:
    small = np.full((12, 40), 90, np.uint8)
    trial = PROTOCOLS["denoise"].degrade(small, 15.0, "")
    scores = score("denoise", trial, trial.degraded)
    assert [name for name, value in scores.items() if value is None] == ["perceptual"]
    tiny = PROTOCOLS["denoise"].degrade(small[:, :8], 15.0, "")
    scores = score("denoise", tiny, tiny.degraded)
    assert [name for name, value in scores.items() if value is not None] == ["psnr"]


def test_compression_is_of_studio_luma(clean: np.ndarray) -> None:
    protocol = PROTOCOLS["deblock"]
    y = protocol.prepare(clean)
    white, black = np.full((8, 8, 3), 255, np.uint8), np.zeros((8, 8, 3), np.uint8)
    assert (luma(white) == 235).all()
    assert (luma(black) == 16).all()
    trial = protocol.degrade(y, 20.0, "")
    file = io.BytesIO()
    Image.fromarray(y).save(file, "JPEG", quality=20)  # another program, the same libjpeg tables
    with Image.open(file) as decoded:
        difference = np.abs(trial.degraded * 255 - np.asarray(decoded, np.float64))
    assert difference.max() <= 1


def test_upscaling_is_scored_on_luma_without_a_border(clean: np.ndarray) -> None:
    trial = PROTOCOLS["upscale"].degrade(clean[:95, :94], 3.0, "")
    assert trial.reference.shape == (93, 93, 3)
    assert trial.degraded.shape == (31, 31, 3)
    np.testing.assert_allclose(trial.degraded * 255, np.rint(trial.degraded * 255), atol=1e-4)  # 8 bits
    wrong = trial.reference.copy()
    wrong[:3], wrong[:, -3:] = 0, 1
    assert score("upscale", trial, wrong)["psnr"] == 100


def test_luma_is_not_rounded_before_it_is_scored(clean: np.ndarray) -> None:
    trial = PROTOCOLS["upscale"].degrade(np.clip(clean, 0, 254), 2.0, "")
    bluer = trial.reference + np.float32([0, 0, 1 / 255])
    assert score("upscale", trial, bluer)["psnr"] == pytest.approx(20 * np.log10(255**2 / 24.966))


def test_only_missing_pixels_count_in_the_psnr_of_inpainting(clean: np.ndarray) -> None:
    for level in PROTOCOLS["inpaint"].levels:
        trial = PROTOCOLS["inpaint"].degrade(clean, level, "")
        mask = trial.inputs["mask"]
        assert 0.005 < mask.mean() < 0.6, level
        assert (trial.degraded[mask] == 0).all()
        np.testing.assert_array_equal(trial.degraded[~mask], trial.reference[~mask])
        wrong = np.where(mask[:, :, None], trial.reference, 0)
        assert score("inpaint", trial, wrong)["psnr"] == 100


def test_blur_is_circular_and_keeps_the_mean() -> None:
    flat = np.full((64, 64), 128, np.uint8)
    impulse = np.zeros((64, 64), np.uint8)
    impulse[0, 0] = 255
    for name in DEBLUR_KERNELS:
        psf = deblur_kernel(name)
        assert psf.sum() == pytest.approx(1, abs=1e-5)
        protocol = PROTOCOLS["deblur"]
        trial = protocol.degrade(flat, 0.0, name)
        np.testing.assert_allclose(trial.degraded, 128 / 255, atol=1e-5)
        wrapped = protocol.degrade(impulse, 0.0, name).degraded
        assert wrapped.sum() == pytest.approx(1, abs=1e-4)
        assert wrapped[-1, -1] + wrapped[-1, 0] + wrapped[0, -1] > 0 or psf.shape[0] == 1


def test_grey_pictures_have_no_wrong_colours(clean: np.ndarray) -> None:
    protocol = PROTOCOLS["relight"]
    assert [protocol.applies(clean[:, :, 0], level) for level in protocol.levels] == [True, True, False, False, False]
    for level in protocol.levels:
        trial = protocol.degrade(clean, level, "")
        assert np.abs(trial.degraded - trial.reference).mean() > 0.02, level


@pytest.mark.parametrize("task", list(PROTOCOLS))
def test_damage_is_the_same_every_time(task: str, clean: np.ndarray) -> None:
    protocol = PROTOCOLS[task]
    prepared = protocol.prepare(clean)
    for level in protocol.levels:
        one, two = (protocol.degrade(prepared, level, protocol.variants[-1]) for _ in range(2))
        np.testing.assert_array_equal(one.degraded, two.degraded)


def test_pictures_are_spread_cut_and_named(tmp_path) -> None:  # type: ignore[no-untyped-def]
    assert spread(list(range(10)), 3) == [0, 3, 6]
    assert spread([1, 2], 5) == [1, 2]
    (tmp_path / "sub").mkdir()
    Image.fromarray(skimage.data.astronaut()).save(tmp_path / "sub" / "a.png")
    Image.fromarray(skimage.data.astronaut()).save(tmp_path / "sub" / "copy.png")
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "tiny.png")
    (tmp_path / "note.txt").write_text("no picture")
    (tmp_path / "bench" / "crops").mkdir(parents=True)
    Image.fromarray(skimage.data.astronaut()[:40, :120]).save(tmp_path / "bench" / "crops" / "worst.webp")
    (tmp_path / "bench" / "results.jsonl").touch()
    said: list[str] = []
    (picture,) = load_pictures(str(tmp_path), limit=None, grey=True, crop_megapixels=0.1, unusable=said.append)
    assert said == ["tiny.png: 8 x 8 pixels are too few (give 32 x 32 or more)"]
    assert picture.pixels.ndim == 2
    assert 80_000 < picture.pixels.size <= 100_000
    assert picture.pixels.shape[0] % 8 == 0
    with pytest.raises(ValueError, match="no folder"):
        load_pictures("nowhere", limit=None, grey=False, crop_megapixels=1)


def test_what_is_no_clean_picture_is_left_out_and_named(tmp_path: Path) -> None:
    values = np.full((40, 40, 3), 0.5, np.float32)
    anew.write(values, tmp_path / "good.tif")
    values[3, 4] = np.nan
    tifffile.imwrite(tmp_path / "holed.tif", values, photometric="rgb")
    anew.write(np.full((3, 4000), 0.5, np.float32), tmp_path / "thin.png")
    anew.write(np.full((40, 4000), 0.5, np.float32), tmp_path / "wide.png")
    said: list[str] = []
    found = load_pictures(str(tmp_path), limit=None, grey=False, crop_megapixels=0.01, unusable=said.append)
    assert [(picture.name, picture.pixels.shape[0]) for picture in found] == [("good.tif", 40), ("wide.png", 32)]
    assert "holed.tif: holds values that are NaN" in said[0]
    assert said[1].startswith("thin.png: 4000 x 3 pixels are too few")


def test_whole_photographs_are_not_held_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(3):
        Image.fromarray(np.full((80, 80), 60 * i, np.uint8)).save(tmp_path / f"{i}.png")
    whole: list[weakref.ref[np.ndarray]] = []

    def read(path: Path) -> np.ndarray:
        assert all(picture() is None for picture in whole[:-1])
        pixels = np.asarray(Image.open(path))
        whole.append(weakref.ref(pixels))
        return pixels

    monkeypatch.setattr(pictures, "_from_file", read)
    assert len(load_pictures(str(tmp_path), limit=None, grey=False, crop_megapixels=0.004)) == 3
    assert len(whole) == 3


def test_the_timed_picture_is_of_a_size_that_counts() -> None:
    small = CleanPicture("small", skimage.data.astronaut()[:100, :150])
    grown = timed_picture([small]).pixels
    assert 250_000 <= grown.shape[0] * grown.shape[1] <= 1_000_000
    np.testing.assert_array_equal(grown[:100, :150], small.pixels)
