"""The runtime of trained models: tiles, failures that are heard, and the choice of what computes them."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data

import anew
from anew.errors import Unavailable
from anew.inference.card import BadModel
from anew.inference.conditions import BLIND, condition_of_quality
from anew.inference.models import RunFailed, model_names, model_path, open_model
from anew.inference.providers import BFLOAT16_FROM, computes_bfloat16
from anew.inference.tiled import apply_network
from anew.restoration.denoising.unet import denoise_unet
from anew.tiles import apply_in_tiles

MODEL = "denoise-unet"
IN_8_BITS = "denoise-unet-int8"
SIGMA = 25 / 255


@pytest.fixture(scope="module")
def noisy(colour_photo: np.ndarray) -> np.ndarray:
    """A noisy photograph, 192 x 256."""
    large = np.tile(colour_photo, (2, 2, 1))[:192]
    large[:, 128:] = large[:, :127:-1].copy()
    return (large + np.random.default_rng(0).normal(0, SIGMA, large.shape)).astype(np.float32)


def test_tiles_equal_the_whole(noisy: np.ndarray) -> None:
    model = open_model(MODEL, provider="cpu")
    whole = model(noisy, SIGMA)
    tiled = apply_in_tiles(lambda tile: model(tile, SIGMA), noisy, halo=model.card.halo, tile=64, whole=0)
    np.testing.assert_allclose(tiled, whole, atol=1e-3)


def test_a_tile_that_fails_fails_the_run(noisy: np.ndarray) -> None:
    """One value beyond all numbers in the last of many tiles."""
    broken = noisy.copy()
    broken[-3, -3] = np.inf
    model = open_model(MODEL, provider="cpu")
    with pytest.raises(RunFailed, match=r"denoise-unet gave values that are not finite on \d+ x \d+ pixels"):
        apply_in_tiles(lambda tile: model(tile, SIGMA), broken, halo=16, tile=64, whole=0)


def test_what_the_runtime_refuses_is_said_in_one_line(noisy: np.ndarray) -> None:
    with pytest.raises(RunFailed, match="denoise-unet failed on 256 x 192 pixels in 5 channels: ") as caught:
        open_model(MODEL, provider="cpu")(np.repeat(noisy[:, :, :1], 5, axis=2), SIGMA)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones((3, 1, 2, 2)), "tiny-upscale failed on 20 x 16 pixels in 1 channels: "),
        (np.full((1, 1, 2, 2), np.nan), "tiny-upscale gave values that are not finite on 20 x 16 pixels"),
    ],
    ids=["of three channels", "of no numbers"],
)
def test_an_upscaler_that_fails_says_so_in_one_line(tmp_path: Path, weights: np.ndarray, message: str) -> None:
    models = pytest.importorskip("hand_made_models")
    enlarge = [models.node("ConvTranspose", "image", "w", "x2", strides=[2, 2])]
    card = models.make_card("upscale", channels=1, scales=[2])
    models.save_model(tmp_path / "tiny.onnx", enlarge, channels=len(weights), output="x2", card=card, w=weights)
    with pytest.raises(RunFailed, match=message) as caught:
        anew.upscale(np.zeros((16, 20), np.float32), 2, model=str(tmp_path / "tiny.onnx"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("task", "options"),
    [
        ("denoise", {"sigma": 0.1, "model": "upscale-x2"}),
        ("denoise", {"sigma": 0.1, "method": "camera", "model": "deblock-unet"}),
        ("deblock", {"quality": 20, "model": "denoise-unet"}),
        ("upscale", {"scale": 2, "model": "deblock-unet"}),
    ],
)
def test_a_model_for_something_else_is_refused(noisy: np.ndarray, task: str, options: dict[str, Any]) -> None:
    with pytest.raises(
        BadModel, match=f"{options['model']}: a model for the task {task} was expected, this one is for"
    ):
        getattr(anew, task)(noisy[:32, :32], **options)


def test_unknown_and_missing_providers_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unavailable, match=r"unknown provider 'abacus'.*cpu"):
        open_model(MODEL, provider="abacus")
    monkeypatch.setenv("ANEW_PROVIDER", "sundial")
    with pytest.raises(Unavailable, match="unknown provider 'sundial'"):
        open_model(MODEL)
    open_model(MODEL, provider="cpu")  # the argument comes first
    import onnxruntime

    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        with pytest.raises(Unavailable, match="'cuda' is not there: pip install onnxruntime-gpu"):
            open_model(MODEL, provider="cuda")
    if find_spec("openvino") is None:
        with pytest.raises(Unavailable, match=r"'openvino' is not installed: pip install openvino"):
            open_model(MODEL, provider="openvino")


def test_a_file_that_was_written_anew_is_opened_anew(tmp_path: Path) -> None:
    copy = tmp_path / "model.onnx"
    content = open_path(MODEL).read_bytes()
    copy.write_bytes(content)
    first = open_model(copy)
    assert open_model(copy) is first
    os.utime(copy, ns=(1, 1))
    assert open_model(copy) is not first
    copy.write_bytes(content[:1000])
    with pytest.raises(BadModel, match="not a model"):
        open_model(copy)


def open_path(name: str) -> Path:
    from anew.inference.models import WEIGHTS

    return WEIGHTS / f"{name}.onnx"


def psnr(image: np.ndarray, reference: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((image.clip(0, 1) - reference) ** 2)))


def test_openvino_gives_the_same_picture(colour_photo: np.ndarray) -> None:
    pytest.importorskip("openvino")
    rng = np.random.default_rng(0)
    noisy = (colour_photo + rng.normal(0, SIGMA, colour_photo.shape)).astype(np.float32)
    exact = open_model(MODEL, provider="cpu")(noisy, SIGMA)
    np.testing.assert_allclose(open_model(MODEL, provider="openvino")(noisy, SIGMA), exact, atol=1e-4)
    if computes_bfloat16():
        rounded = open_model(MODEL, provider="openvino-bf16")(noisy, SIGMA)
        assert abs(psnr(rounded, colour_photo) - psnr(exact, colour_photo)) < 0.02
        chosen = open_model(MODEL, provider="auto")
        np.testing.assert_array_equal(chosen(noisy, SIGMA), rounded)
        low = BFLOAT16_FROM / 2
        np.testing.assert_array_equal(chosen(noisy, low), open_model(MODEL, provider="cpu")(noisy, low))


@pytest.mark.skipif(find_spec("openvino") is not None, reason="OpenVINO computes in bfloat16 instead")
def test_strong_noise_goes_through_8_bits_and_weak_noise_does_not(noisy: np.ndarray, colour_photo: np.ndarray) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("a graphics card computes in float")
    chosen, exact, rounded = (
        open_model(m, provider=p) for m, p in ((MODEL, "auto"), (MODEL, "cpu"), (IN_8_BITS, "cpu"))
    )
    least = rounded.card.facts["least condition"]
    corner, clean = noisy[:96, :96], colour_photo[:96, :96]
    np.testing.assert_array_equal(chosen(corner, SIGMA), rounded(corner, SIGMA))
    np.testing.assert_array_equal(chosen(corner, 0.9 * least), exact(corner, 0.9 * least))
    assert abs(psnr(rounded(corner, SIGMA), clean) - psnr(exact(corner, SIGMA), clean)) < 0.15


def test_jpeg_of_low_quality_goes_through_8_bits_and_what_is_fine_or_unknown_does_not(colour_photo: np.ndarray) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("a graphics card computes in float")
    names = (("deblock-unet", "auto"), ("deblock-unet", "cpu"), ("deblock-unet-int8", "cpu"))
    chosen, exact, rounded = (open_model(name, provider=provider) for name, provider in names)
    corner = colour_photo[:96, :96]
    for quality, expected in ((30, rounded), (75, rounded), (76, exact)):
        condition = condition_of_quality(quality)
        np.testing.assert_array_equal(chosen(corner, condition), expected(corner, condition))
    np.testing.assert_array_equal(chosen(corner, BLIND), exact(corner, BLIND))
    assert 0 < np.abs(rounded(corner, 0.5) - exact(corner, 0.5)).mean() < 1 / 255


@pytest.mark.parametrize("name", ["denoise-unet", "deblock-unet"])
def test_tiles_of_u_nets_in_floating_point_equal_the_whole(name: str) -> None:
    model = open_model(name, provider="cpu")
    photo = skimage.data.camera()[:160, :384, np.newaxis] / 255
    noise = 0 if model.card.task == "deblock" else np.random.default_rng(0).normal(0, 0.2, photo.shape)
    wide = np.repeat(photo + noise, model.card.channels, axis=2).astype(np.float32)
    condition = 0.9 if model.card.task == "deblock" else 0.2
    tiled = apply_in_tiles(lambda tile: model(tile, condition), wide, halo=model.card.halo, tile=64, whole=0)
    np.testing.assert_allclose(tiled, model(wide, condition), atol=1e-5)


def test_tiles_equal_the_whole_in_8_bits(noisy: np.ndarray) -> None:
    model = open_model(IN_8_BITS, provider="cpu")
    wide = np.tile(noisy[:64], (1, 2, 1))  # 64 x 512: wider than what a result depends on
    tiled = apply_in_tiles(lambda tile: model(tile, SIGMA), wide, halo=model.card.halo, tile=128, whole=0)
    np.testing.assert_allclose(tiled, model(wide, SIGMA), atol=1e-3)


def test_the_shipped_weights_stay_below_forty_megabytes() -> None:
    assert sum(model_path(name).stat().st_size for name in model_names()) < 40e6


def test_a_noisy_picture_gets_better(noisy: np.ndarray, colour_photo: np.ndarray) -> None:
    corner = noisy[:128, :128]
    assert psnr(denoise_unet(corner, SIGMA), colour_photo) > psnr(corner, colour_photo) + 5


@pytest.mark.parametrize(
    ("channels", "sigma", "own", "other"),
    [
        (3, 0.1, "denoise-unet", "denoise-grey"),
        (1, 0.1, "denoise-grey", "denoise-unet"),
        (2, 15 / 255, "denoise-grey", "denoise-unet"),
        (1, 14 / 255, "denoise-unet", "denoise-grey"),
    ],
)
def test_strong_noise_of_grey_pictures_goes_through_the_grey_network(
    channels: int, sigma: float, own: str, other: str
) -> None:
    image = np.random.default_rng(0).random((40, 44, channels), np.float32)
    result = denoise_unet(image, sigma)
    np.testing.assert_array_equal(result, denoise_unet(image, sigma, model=own))
    assert np.abs(result - denoise_unet(image, sigma, model=other)).max() > 1e-3


def test_the_grey_network_is_not_chosen_where_its_rounding_shows() -> None:
    """From 15 of 255 on it is at least as good on a grey photograph as the network for colour in float; not at 3."""
    photo = skimage.data.camera()[:256, :256].astype(np.float32) / 255
    rng = np.random.default_rng(0)
    for level, better in ((3, False), (15, True), (50, True)):
        noisy = photo + rng.normal(0, level / 255, photo.shape).astype(np.float32)
        grey, colour = (
            psnr(apply_network(open_model(name, provider="cpu"), noisy, condition=level / 255), photo)
            for name in ("denoise-grey", "denoise-unet")
        )
        assert (grey > colour - 0.03) == better
