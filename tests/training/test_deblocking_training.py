"""Training of the JPEG repairer: the codec's traces in its crops, its conditions, and a whole tiny run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.fft
from PIL import Image

torch = pytest.importorskip("torch")

from anew.inference.conditions import BLIND
from anew.inference.models import open_model
from anew.jpeg_tables import quantisation_table
from anew.restoration.deblocking.unet import deblock_unet
from anew.training.data import ImageSet, pack
from anew.training.deblocking import DeblockConfig, compress, make_batch, validate
from anew.training.run import run_recipe

TINY = DeblockConfig(
    network="unet",
    network_args={"widths": [8, 12], "blocks": 1, "middle_blocks": 1, "unshuffle": 2},
    patch=32,
    batch=8,
    warmup=1,
    validation=1,
    double_share=0,
    shifted_share=0,
)


@pytest.fixture(scope="module")
def photos(colour_photo: np.ndarray) -> ImageSet:
    pixels = (colour_photo * 255).astype(np.uint8)
    return pack([pixels, np.ascontiguousarray(pixels[::-1, :100])])


def off_steps(image: np.ndarray, quality: int, shift: int = 0) -> float:
    """Give how far the DCT coefficients of blocks lie from multiples of the steps; evenly spread values give 1/4."""
    levels = image[shift:, shift:] * 255 - 128
    levels = levels[: levels.shape[0] // 8 * 8, : levels.shape[1] // 8 * 8]
    blocks = levels.reshape(levels.shape[0] // 8, 8, -1, 8).swapaxes(1, 2)
    coefficients = scipy.fft.dctn(blocks, axes=(2, 3), norm="ortho") / quantisation_table(quality)
    return float(np.abs(coefficients - np.rint(coefficients))[np.abs(coefficients) > 0.5].mean())


def batch(photos: ImageSet, config: DeblockConfig) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return tuple(t.numpy() for t in make_batch(photos, config, torch.Generator().manual_seed(0)))


def test_grey_crops_hold_the_steps_of_the_quantiser_on_a_grid_at_the_corner(photos: ImageSet) -> None:
    config = replace(TINY, quality_min=20, quality_max=20, low_share=1.0, grey_share=1.0)
    _, compressed, _ = batch(photos, config)
    assert (compressed == compressed[:, :1]).all()
    steps = [off_steps(y[0], 20) for y in compressed]
    assert max(steps) < 0.12
    assert min(off_steps(y[0], 20, shift=3) for y in compressed) > max(steps)


def test_a_shifted_grid_is_elsewhere_and_a_second_compression_is_the_last(photos: ImageSet) -> None:
    config = replace(TINY, quality_min=20, quality_max=20, low_share=1.0, grey_share=1.0)
    _, shifted, _ = batch(photos, replace(config, shifted_share=1.0))
    assert max(off_steps(y[0], 20) for y in shifted) > 0.15
    _, twice, _ = batch(photos, replace(config, double_share=1.0))
    assert max(off_steps(y[0], 20) for y in twice) < 0.12


def test_the_clean_crop_belongs_to_the_compressed_one(photos: ImageSet) -> None:
    config = replace(TINY, quality_min=90, quality_max=95, grey_share=0.3, double_share=0.5, shifted_share=0.5)
    clean, compressed, _ = batch(photos, config)
    assert clean.shape == compressed.shape == (8, 3, 32, 32)
    assert np.sqrt(np.mean((clean - compressed) ** 2)) < 0.02


def test_the_condition_is_the_quality_or_nothing(photos: ImageSet) -> None:
    config = replace(TINY, quality_min=30, quality_max=30, low_share=1.0)
    assert batch(photos, replace(config, blind_share=1.0))[2] == pytest.approx(BLIND)
    assert batch(photos, replace(config, blind_share=0.0))[2] == pytest.approx(0.7)


def test_the_codec_keeps_the_order_of_colours() -> None:
    orange = np.full((16, 16, 3), [250, 120, 10], np.uint8)
    for half in (True, False):
        assert np.abs(compress(orange, 95, half).astype(int) - orange).max() < 6


class Nothing(torch.nn.Module):
    """Gives the image back; it is told no quality."""

    size_multiple = 8

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, image: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        assert float(condition) == BLIND
        return image


def test_validation_of_a_network_that_does_nothing_is_the_codecs_psnr(photos: ImageSet) -> None:
    pixels = photos.image(0).permute(1, 2, 0).numpy()
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    _, code = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, 10])
    expected = cv2.PSNR(cv2.imdecode(code, cv2.IMREAD_GRAYSCALE), grey)
    assert validate(Nothing(), pack([pixels]), TINY)["psnr_10"] == pytest.approx(expected, abs=0.01)


def test_validation_without_any_error_gives_a_number_that_json_can_hold() -> None:
    black = pack([np.zeros((32, 32, 3), np.uint8)])
    assert validate(Nothing(), black, TINY)["psnr_10"] == pytest.approx(100)


def test_a_whole_run_ends_in_a_model_that_repairs(colour_photo: np.ndarray, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    folder = tmp_path / "photos"
    folder.mkdir()
    for index in range(2):
        Image.fromarray((colour_photo[index * 8 :] * 255).astype(np.uint8)).save(folder / f"{index}.png")
    path = run_recipe(TINY, folder, tmp_path / "run", steps=2)
    card = open_model(path).card
    assert card.task == "deblock"
    assert set(card.scores["held-out images of the training data"]) == {"10", "20", "40"}
    for quality in (None, 30):
        assert deblock_unet(colour_photo[:31, :17], quality, model=str(path)).shape == (31, 17, 3)
