"""Training of the upscaler: the branches and their sum, pairs that belong together, and a whole tiny run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from torch.nn import functional

from anew.arrays import luminance
from anew.degradations.downscale import resize_bicubic
from anew.errors import InvalidSetting
from anew.inference.models import open_model
from anew.networks import build_network
from anew.networks.edge_oriented import EDGES, EdgeOrientedConv, EdgeOrientedUpscaler
from anew.resampling import cubic, resample
from anew.restoration.upscaling import compact
from anew.restoration.upscaling import network as tiles
from anew.training.data import NoTrainingData, pack
from anew.training.export import load_weights
from anew.training.restoration import RunFacts
from anew.training.run import run_recipe
from anew.training.upscaling import Pairs, UpscaleConfig, export_upscaler, load_data, make_batch, make_pairs

TINY = UpscaleConfig(
    network="edge-oriented",
    network_args={"scales": [2, 3, 4], "width": 8, "depth": 3},
    patch=12,
    batch=4,
    warmup=1,
    validation=1,
)


@pytest.fixture(scope="module")
def pairs(colour_photo: np.ndarray) -> Pairs:
    pixels = np.rint(colour_photo * 255).astype(np.uint8)
    return make_pairs(pack([pixels, np.ascontiguousarray(pixels[:97, ::-1])]), (2, 3, 4))


@pytest.fixture
def folder(colour_photo: np.ndarray, tmp_path: Path) -> Path:
    """Two photographs as files."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for index in range(2):
        Image.fromarray((colour_photo[index * 8 :] * 255).astype(np.uint8)).save(photos / f"{index}.png")
    return photos


def lively(network: torch.nn.Module) -> torch.nn.Module:
    """Give every parameter a value that matters."""
    torch.manual_seed(3)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return network


@pytest.mark.parametrize(("inputs", "outputs"), [(5, 5), (2, 6)])
def test_one_convolution_does_what_the_branches_do_together(inputs: int, outputs: int) -> None:
    conv = lively(EdgeOrientedConv(inputs, outputs))
    x = torch.randn(2, inputs, 9, 7)
    together = functional.conv2d(x, conv.plain.weight, conv.plain.bias, padding=1)
    wide = functional.conv2d(x, conv.expand[:, :, None, None])
    together = together + functional.conv2d(wide, conv.squeeze, padding=1)
    for edge, mix, strength in zip(EDGES, conv.mix, conv.strength, strict=True):
        mixed = functional.conv2d(x, mix[:, :, None, None])
        kernel = edge[None, None].expand(outputs, 1, 3, 3)
        filtered = functional.conv2d(mixed, kernel, padding=1, groups=outputs)
        together = together + strength[:, None, None] * filtered
    if inputs == outputs:
        together = together + x
    torch.testing.assert_close(conv(x), together, atol=1e-5, rtol=1e-5)


def test_the_collapsed_network_gives_all_scales() -> None:
    network = lively(EdgeOrientedUpscaler(width=8, depth=3))
    plain = network.collapsed()
    assert not any(isinstance(module, EdgeOrientedConv) for module in plain.modules())
    image = torch.rand(2, 1, 7, 9)
    for scale, index in ((2, 0), (3, 1), (4, 2)):
        told = torch.full((1, 1, 1, 1), float(scale))
        expected = network(image, told)
        assert expected.shape == (2, 1, 7 * scale, 9 * scale)
        torch.testing.assert_close(plain(image, told)[index], expected, atol=1e-5, rtol=1e-5)


def test_before_training_it_is_nearly_cubic_convolution(grey_photo: np.ndarray) -> None:
    network = EdgeOrientedUpscaler(width=8, depth=3)
    image = grey_photo[:20, :24]
    for scale in (2, 3, 4):
        base = network.bases[str(scale)](functional.pad(torch.from_numpy(image.copy())[None, None], (2, 2, 2, 2)))
        result = functional.pixel_shuffle(base, scale)[0, 0].detach().numpy()
        inside = np.s_[3 * scale : -3 * scale, 3 * scale : -3 * scale]
        np.testing.assert_allclose(result[inside], resample(image, result.shape, cubic, 2)[inside], atol=1e-6)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_small_crop_is_the_large_one_shrunk(scale: int, pairs: Pairs) -> None:
    large, small = pairs.crops(scale, 6, 16, torch.Generator().manual_seed(1))
    assert large.shape == (6, 1, 16 * scale, 16 * scale)
    for x, y in zip(large[:, 0].numpy(), small[:, 0].numpy(), strict=True):
        inside = np.s_[3:-3, 3:-3]  # the crop's border saw pixels outside of it
        assert np.abs(resize_bicubic(x, scale=1 / scale) - y)[inside].max() < 2 / 255


def test_photographs_are_offered_at_every_size_that_a_crop_fits_in(colour_photo: np.ndarray, folder: Path) -> None:
    config = replace(TINY, sizes=(1.0, 0.75, 0.3))
    training, validation = load_data(folder, config)
    large = min(colour_photo.shape[:2]) * 0.75
    assert large > 12 * 4 > min(colour_photo.shape[:2]) * 0.3
    assert len(training.large) == 2  # the one not held out, twice
    assert (len(training), len(validation), len(validation.large)) == (1, 1, 1)
    whole, shrunk = (training.large.image(index)[0].numpy() for index in (0, 1))
    assert np.abs(resize_bicubic(whole / 255, scale=0.75) - shrunk / 255).mean() < 0.5 / 255  # of clipped colours


@pytest.mark.parametrize("sizes", [(), (1.0, 0.0), (1.5,), (-1.0,)])
def test_sizes_that_make_no_smaller_photograph_are_refused(sizes: tuple[float, ...], folder: Path) -> None:
    with pytest.raises(InvalidSetting, match="sizes must be one or more numbers above 0 and up to 1, not"):
        load_data(folder, replace(TINY, sizes=sizes))


def test_photographs_too_small_at_every_size_are_named(folder: Path) -> None:
    with pytest.raises(NoTrainingData, match=r"at sizes of \[0.1\] no image has sides of 48"):
        load_data(folder, replace(TINY, sizes=(0.1,)))


def test_every_scale_is_drawn_and_all_crops_of_a_batch_share_it(pairs: Pairs) -> None:
    generator = torch.Generator().manual_seed(0)
    seen = set()
    for _ in range(20):
        large, small, told = make_batch(pairs, TINY, generator)
        assert large.shape[2] == small.shape[2] * int(told)
        seen.add(int(told))
    assert seen == {2, 3, 4}


def test_onnx_agrees_with_torch_and_tiles_with_the_whole(
    tmp_path: Path, grey_photo: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    network = EdgeOrientedUpscaler(**TINY.network_args)
    path = tmp_path / "model.onnx"
    export_upscaler(network, replace(TINY, stored="float"), path, RunFacts())
    image = grey_photo[:41, :50]
    with torch.no_grad():
        expected = network(torch.from_numpy(image.copy())[None, None], torch.full((1, 1, 1, 1), 3.0))[0, 0].numpy()
    whole = compact.upscale_compact(image, 3, back_project=False, model=str(path))
    np.testing.assert_allclose(whole, expected, atol=1e-5)
    monkeypatch.setattr(tiles, "TILE", 16)
    pieces = compact.upscale_compact(image, 3, back_project=False, model=str(path))
    np.testing.assert_allclose(pieces, whole, atol=1e-5)


@pytest.mark.parametrize(("name", "weights"), [("srcnn", 8032), ("espcn", 1600 + 18432 + 288 * (4 + 9 + 16))])
def test_the_networks_of_the_papers_have_their_sizes_and_reach_as_far_as_they_say(name: str, weights: int) -> None:
    network = lively(build_network(name))
    convolutions = [m for n, m in network.named_modules() if isinstance(m, torch.nn.Conv2d) and "bases" not in n]
    assert sum(m.weight.numel() for m in convolutions) == weights
    image = torch.rand(1, 1, 41, 41, requires_grad=True)
    for scale in (2, 3, 4):
        result = network(image, torch.full((1, 1, 1, 1), float(scale)))
        assert result.shape == (1, 1, 41 * scale, 41 * scale)
        (gradient,) = torch.autograd.grad(result[..., 20 * scale : 21 * scale, 20 * scale : 21 * scale].sum(), image)
        touched = (gradient[0, 0].abs().amax(dim=0) > 0).nonzero().flatten()
        assert 20 - int(touched.min()) <= network.halo
        assert int(touched.max()) - 20 <= network.halo


@pytest.mark.parametrize("name", ["srcnn", "espcn"])
def test_the_networks_of_the_papers_learn_and_run_as_onnx(
    name: str, colour_photo: np.ndarray, folder: Path, tmp_path: Path
) -> None:
    torch.set_num_threads(1)
    config = replace(TINY, network=name, network_args={"scales": [2, 3, 4]})
    path = run_recipe(config, folder, tmp_path / "run", steps=2)
    again = run_recipe(config, folder, tmp_path / "tuned", steps=1, start_from=str(path))
    for scale in (2, 3, 4):
        assert compact.upscale_compact(colour_photo[:13, :20], scale, model=str(again)).shape == (
            13 * scale,
            20 * scale,
            3,
        )


def test_a_whole_run_ends_in_a_model_that_can_be_fine_tuned(
    colour_photo: np.ndarray, folder: Path, tmp_path: Path
) -> None:
    torch.set_num_threads(1)
    path = run_recipe(TINY, folder, tmp_path / "run", steps=2)
    card = open_model(path).card
    assert card.network_args["branches"] is False
    assert set(card.scores["held-out images of the training data"]) == {"x2", "x3", "x4"}
    assert card.parameters == sum(p.numel() for p in EdgeOrientedUpscaler(**card.network_args).parameters())
    again = run_recipe(TINY, folder, tmp_path / "tuned", steps=1, start_from=str(path))
    image = colour_photo[:13, :20]
    for scale in (1.5, 2, 3.3, 4, 6):
        result = compact.upscale_compact(image, scale, model=str(again))
        assert result.shape == (int(13 * scale + 0.5), int(20 * scale + 0.5), 3)
        np.testing.assert_allclose(resample(result, (13, 20), cubic, 2), image, atol=1e-4)
    assert luminance(result).std() > 0.05


def test_an_upscaler_goes_on_in_8_bits_and_runs_as_it_learned(
    colour_photo: np.ndarray, folder: Path, tmp_path: Path
) -> None:
    torch.set_num_threads(1)
    path = run_recipe(TINY, folder, tmp_path / "run", steps=2)
    rounding = replace(TINY, quantised=True, stored="float")
    again = run_recipe(rounding, folder, tmp_path / "rounded", steps=2, start_from=str(path))
    card = open_model(again).card
    assert card.network_args["quantised"] is True
    network = EdgeOrientedUpscaler(**card.network_args).eval()
    load_weights(network, again)
    image = luminance(colour_photo)[:24, :32]
    with torch.no_grad():
        expected = network(torch.from_numpy(image.copy())[None, None], torch.full((1, 1, 1, 1), 3.0))[0, 0].numpy()
    result = compact.upscale_compact(image, 3, back_project=False, model=str(again))
    difference = np.abs(result - expected)
    assert np.mean(difference > 1e-4) < 0.01  # what lies between two levels may fall to either
    assert difference.max() < 0.02
