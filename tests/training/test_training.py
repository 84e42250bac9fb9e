"""Training: the data, the schedule, exact resume, export; needs torch."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from anew.inference.card import BadModel
from anew.inference.models import open_model
from anew.losses.pixel import LOSSES
from anew.networks.unet import UNet
from anew.recipes.denoise import RECIPES
from anew.training.checkpoints import CannotResume
from anew.training.config import TrainingConfig
from anew.training.data import NoTrainingData, load_images, pack, split
from anew.training.denoising import make_batch, validate
from anew.training.export import export_onnx, load_weights
from anew.training.loop import train
from anew.training.run import build_network, make_card, run_recipe
from anew.training.schedule import learning_rate

TINY = TrainingConfig(
    task="denoise",
    network="unet",
    network_args={"widths": [8, 12], "blocks": 1, "middle_blocks": 1, "unshuffle": 2},
    patch=16,
    batch=4,
    steps=12,
    warmup=3,
    validate_every=6,
    validation=1,
    grey_share=0.3,
)


@pytest.fixture
def photos(tmp_path: Path, colour_photo: np.ndarray) -> Path:
    """A folder of four photographs, a broken one, a small one and a text file."""
    folder = tmp_path / "photos"
    folder.mkdir()
    pixels = (colour_photo * 255).astype(np.uint8)
    for index in range(4):
        Image.fromarray(pixels[index * 8 :, : 100 + index]).save(folder / f"{index}.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 this is no picture")
    Image.fromarray(pixels[:9, :9]).save(folder / "small.png")
    (folder / "notes.txt").write_text("not a picture")
    return folder


def test_loading_skips_what_cannot_serve_and_says_so(photos: Path) -> None:
    images = load_images(photos, channels=3, min_size=16)
    assert len(images) == 4
    assert any("broken.jpg: cannot be decoded" in line for line in images.skipped)
    assert any("small.png: 9 x 9 is smaller" in line for line in images.skipped)


def test_a_zip_gives_the_same_images_as_its_folder(photos: Path, tmp_path: Path) -> None:
    archive = tmp_path / "photos.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(photos.glob("*.png")):
            file.write(path, path.name)
    from_zip, from_folder = (load_images(p, channels=3, min_size=16) for p in (archive, photos))
    assert torch.equal(from_zip.pixels, from_folder.pixels)


def test_sources_without_images_are_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(NoTrainingData, match="no image to train on"):
        load_images(tmp_path, channels=3, min_size=16)
    with pytest.raises(NoTrainingData, match="not a folder"):
        load_images(tmp_path / "nothing", channels=3, min_size=16)


def test_crops_are_true_pieces_of_the_images() -> None:
    first = np.arange(40 * 30, dtype=np.int64).reshape(40, 30, 1) % 251
    second = (first[:20, :25] + 5) % 251
    images = pack([first.astype(np.uint8), second.astype(np.uint8)])
    crops = images.crops(64, 8, torch.Generator().manual_seed(0))
    assert crops.shape == (64, 1, 8, 8)
    windows = {
        np.ascontiguousarray(np.rot90(w, k)[:, :: -1 if flip else 1]).tobytes()
        for image in (first, second)
        for w in np.lib.stride_tricks.sliding_window_view(image[:, :, 0].astype(np.uint8), (8, 8)).reshape(-1, 8, 8)
        for k in range(4)
        for flip in (False, True)
    }
    for crop in (crops[:, 0] * 255).round().byte().numpy():
        assert crop.tobytes() in windows


def test_split_shares_no_image(photos: Path) -> None:
    images = load_images(photos, channels=3, min_size=16)
    training, validation = split(images, 2, seed=0)
    assert len(training) == len(validation) == 2
    sizes = [tuple(s.image(i).shape[1:]) for s in (training, validation) for i in range(2)]
    assert len(set(sizes)) == 4


def test_noise_has_the_level_that_is_said() -> None:
    images = pack([np.full((64, 64, 3), 128, np.uint8)])
    config = replace(TINY, batch=64, grey_share=0.0)
    clean, noisy, sigma = make_batch(images, config, torch.Generator().manual_seed(0))
    measured = (noisy - clean).std(dim=(1, 2, 3))
    torch.testing.assert_close(measured, sigma[:, 0, 0, 0], rtol=0.12, atol=1e-4)
    assert float(sigma.max()) <= 75 / 255


def test_grey_crops_have_equal_channels_before_and_after_the_noise(colour_photo: np.ndarray) -> None:
    images = pack([(colour_photo * 255).astype(np.uint8)])
    clean, noisy, _ = make_batch(images, replace(TINY, grey_share=1.0), torch.Generator().manual_seed(0))
    for x in (clean, noisy):
        torch.testing.assert_close(x[:, :1].expand_as(x), x)


def test_schedule_rises_stays_and_falls_to_zero() -> None:
    rates = [learning_rate(s, steps=100, peak=1.0, warmup=10, decay_from=0.5) for s in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9:50] == [1.0] * 41
    assert rates[75] == pytest.approx(0.5)
    assert rates[-1] < 1e-3
    assert rates[10:] == sorted(rates[10:], reverse=True)


def test_losses_at_known_points() -> None:
    zero, two = torch.zeros(1, 1, 4, 4), torch.full((1, 1, 4, 4), 2.0)
    assert float(LOSSES["l1"](zero, two)) == 2
    assert float(LOSSES["mse"](zero, two)) == 4
    assert float(LOSSES["charbonnier"](zero, two)) == pytest.approx(2, abs=1e-5)
    # the orthonormal transform of a constant 2 on 4 x 4 has one coefficient of 8 among 4 x 3 x 2 real numbers
    assert float(LOSSES["fft"](zero, two)) == pytest.approx(2 + 0.05 * 8 / 24)
    for loss in LOSSES.values():
        assert float(loss(two, two)) == pytest.approx(0, abs=1.1e-3)


def run_tiny(folder: Path, photos: Path, **arguments):  # type: ignore[no-untyped-def]
    """Train the tiny network."""
    torch.set_num_threads(1)
    training, validation = split(load_images(photos, channels=3, min_size=16), 1, 0)
    config = arguments.pop("config", TINY)
    network = build_network(config)
    return train(
        network, config, training, validation, make_batch=make_batch, validate=validate, folder=folder, **arguments
    )


def test_an_interrupted_run_equals_an_unbroken_one_bit_for_bit(photos: Path, tmp_path: Path) -> None:
    unbroken = run_tiny(tmp_path / "unbroken", photos)
    while run_tiny(tmp_path / "broken", photos, stop_after_minutes=0).steps_done < TINY.steps:
        pass  # every call does one step, writes its checkpoint and stops
    resumed = run_tiny(tmp_path / "broken", photos)
    for name, value in unbroken.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name]), name


def test_resuming_with_another_setting_is_refused_by_name(photos: Path, tmp_path: Path) -> None:
    run_tiny(tmp_path / "run", photos, stop_after_minutes=0)
    with pytest.raises(CannotResume, match="patch = 16, this run has 24"):
        run_tiny(tmp_path / "run", photos, config=replace(TINY, patch=24))


@pytest.mark.parametrize("optimiser", ["adamw", "adam", "momentum", "sgd"])
def test_every_optimiser_lowers_the_loss(optimiser: str, photos: Path, tmp_path: Path) -> None:
    rate = 0.05 if optimiser == "sgd" else 0.01 if optimiser == "momentum" else 2e-3
    config = replace(TINY, optimiser=optimiser, steps=60, validate_every=20, learning_rate=rate)
    log = run_tiny(tmp_path / optimiser, photos, config=config).log
    assert log[-1]["loss"] < log[0]["loss"]
    assert len((tmp_path / optimiser / "log.jsonl").read_text().splitlines()) == 3


def exported(tmp_path: Path, *, half: bool) -> tuple[UNet, Path]:
    """A random network with distinct biases, and its file."""
    torch.manual_seed(1)
    network = build_network(TINY)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    path = tmp_path / f"model-{half}.onnx"
    export_onnx(network, make_card(network, TINY, (), "nothing", "none", 0, 0), path, half=half)
    return network, path


def test_onnx_agrees_with_torch(tmp_path: Path) -> None:
    for half, tolerance in ((False, 1e-4), (True, 5e-3)):
        network, path = exported(tmp_path, half=half)
        image = np.random.default_rng(0).random((24, 40, 3), np.float32)
        result = open_model(path)(image, 0.1)
        with torch.no_grad():
            batch = torch.from_numpy(image.transpose(2, 0, 1)[None])
            expected = network(batch, torch.full((1, 1, 1, 1), 0.1))[0].numpy().transpose(1, 2, 0)
        np.testing.assert_allclose(result, expected, atol=tolerance)


def test_any_size_runs_and_keeps_its_shape(tmp_path: Path) -> None:
    _, path = exported(tmp_path, half=True)
    model = open_model(path)
    for shape in [(1, 1, 3), (1, 9, 3), (7, 2, 3), (33, 31, 3)]:
        assert model(np.zeros(shape, np.float32), 0.1).shape == shape


def test_weights_come_back_from_the_file(tmp_path: Path) -> None:
    network, path = exported(tmp_path, half=False)
    again = build_network(replace(TINY, seed=5))
    load_weights(again, path)
    for name, value in network.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value)


def test_files_that_are_no_models_of_ours_are_refused(tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.onnx"
    garbage.write_bytes(b"not a model")
    with pytest.raises(BadModel, match="not a model"):
        open_model(garbage)
    with pytest.raises(BadModel, match="no model"):
        open_model("never-trained")


def test_a_whole_run_ends_in_a_model_that_can_be_fine_tuned(photos: Path, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    path = run_recipe(TINY, photos, tmp_path / "run", steps=4, terms="ours")
    card = open_model(path).card
    assert card.terms == "ours"
    assert card.recipe["steps"] == 4
    assert card.parameters == sum(p.numel() for p in build_network(TINY).parameters())
    assert json.loads((tmp_path / "run" / "config.json").read_text())["steps"] == 4
    tuned = run_recipe(TINY, photos, tmp_path / "tuned", steps=2, start_from=str(path))
    assert open_model(tuned).card.network_args == card.network_args


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_build(name: str) -> None:
    config = RECIPES[name]()
    assert sum(p.numel() for p in build_network(config).parameters()) > 1e5
