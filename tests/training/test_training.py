"""Training: the data, the schedule, exact resume, export; needs torch."""

from __future__ import annotations

import io
import itertools
import json
import tarfile
import time
import zipfile
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

import anew
from anew.errors import CannotWrite, InvalidSetting
from anew.inference.card import BadModel
from anew.inference.models import open_model
from anew.losses.pixel import LOSSES
from anew.networks.unet import UNet
from anew.recipes import RECIPES
from anew.training.checkpoints import CannotResume, read_checkpoint
from anew.training.config import TrainingConfig
from anew.training.data import NoTrainingData, load_images, load_labelled, pack, split, turn
from anew.training.denoising import DenoiseConfig, make_batch, make_objective
from anew.training.export import load_weights
from anew.training.loop import train
from anew.training.objective import LossFunction, Networks, Objective
from anew.training.restoration import RunFacts, export_restorer
from anew.training.run import run_recipe
from anew.training.schedule import learning_rate
from anew.training.stored_weights import Stored
from full_disk import full_disk

TINY = DenoiseConfig(
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
WIDER = replace(TINY, network_args={**TINY.network_args, "widths": [16, 24]})


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


def test_a_damaged_member_of_a_zip_is_skipped_and_named(photos: Path, tmp_path: Path) -> None:
    archive = tmp_path / "photos.zip"
    with zipfile.ZipFile(archive, "w") as file:  # stored, not compressed
        for path in sorted(photos.glob("?.png")):
            file.write(path, path.name)
    content = bytearray(archive.read_bytes())
    content[1000] ^= 1  # within the first picture
    archive.write_bytes(content)
    images = load_images(archive, channels=3, min_size=16)
    assert len(images) == 3
    assert images.skipped == ("0.png: cannot be decoded (Bad CRC-32 for file '0.png')",)


def test_a_cut_tar_costs_one_line(photos: Path, tmp_path: Path) -> None:
    archive = tmp_path / "photos.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        file.add(photos, "photos")
    archive.write_bytes(archive.read_bytes()[:-2000])
    with pytest.raises(NoTrainingData, match=r"photos.tar.gz: the archive is damaged \(Compressed file ended"):
        load_images(archive, channels=3, min_size=16)


@pytest.mark.parametrize("name", ["moving.gif", "phone.avif", "camera.jfif", "float.pfm"])
def test_every_format_that_is_read_is_learned_from(name: str, tmp_path: Path) -> None:
    levels = np.full((16, 16, 1 if name == "float.pfm" else 3), 0.5, np.float32)
    anew.write(levels, tmp_path / name)
    assert len(load_images(tmp_path, channels=3, min_size=16)) == 1
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as file:
        file.write(tmp_path / name, name)
    assert len(load_images(tmp_path / "all.zip", channels=3, min_size=16)) == 1


def test_the_masks_of_damages_are_not_learned_from(photos: Path) -> None:
    (photos / "0.truth.json").write_text("{}")
    Image.fromarray(np.zeros((40, 40), np.uint8)).save(photos / "0.mask.png")
    assert len(load_images(photos, channels=3, min_size=16)) == 4


def test_links_in_a_tar_that_lead_nowhere_are_skipped_and_named(photos: Path, tmp_path: Path) -> None:
    archive = tmp_path / "photos.tar"
    with tarfile.open(archive, "w") as file:
        file.add(photos / "0.png", "0.png")
        for name, target in (("again.png", "0.png"), ("lost.png", "nowhere.png"), ("round.png", "round.png")):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            file.addfile(link)
    images = load_images(archive, channels=3, min_size=16)
    assert len(images) == 2
    assert [line.split(":")[0] for line in images.skipped] == ["lost.png", "round.png"]


def test_sources_without_images_are_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(NoTrainingData, match="no image to train on"):
        load_images(tmp_path, channels=3, min_size=16)
    with pytest.raises(NoTrainingData, match="not a folder"):
        load_images(tmp_path / "nothing", channels=3, min_size=16)


@pytest.mark.parametrize("name", ["deep.png", "deep.tif", "deep.pgm", "float.tif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_images_of_more_than_eight_bits_are_scaled_not_clipped(name: str, channels: int, tmp_path: Path) -> None:
    levels = np.arange(256, dtype=np.uint16).reshape(16, 16)
    samples = (levels / 255).astype(np.float32) if name == "float.tif" else 257 * levels
    Image.fromarray(samples).save(tmp_path / name)
    images = load_images(tmp_path, channels=channels, min_size=16)
    np.testing.assert_array_equal(images.image(0).numpy(), np.broadcast_to(levels, (channels, 16, 16)))


def test_floats_beyond_the_range_are_skipped_with_their_range(photos: Path) -> None:
    Image.fromarray(np.linspace(-1, 250, 400, dtype=np.float32).reshape(20, 20)).save(photos / "float.tif")
    images = load_images(photos, channels=3, min_size=16)
    assert len(images) == 4
    assert any("float.tif: cannot be decoded (floats from 0 to 1 expected, these go" in s for s in images.skipped)


def test_images_are_read_upright_whatever_their_orientation(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (16, 20, 3), dtype=np.uint8)
    turned = Image.fromarray(np.rot90(pixels))
    exif = turned.getexif()
    exif[274] = 6  # turn right to see it upright
    turned.save(tmp_path / "turned.png", exif=exif)
    upright = load_labelled(tmp_path, channels=3).images
    np.testing.assert_array_equal(upright[0].permute(1, 2, 0).numpy(), pixels)


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


@pytest.mark.parametrize(("count", "held_out"), [(1, 24), (4, 0)])
def test_nothing_is_held_out_of_one_image_nor_if_nothing_shall_be(count: int, held_out: int) -> None:
    images = pack([np.full((16, 16 + n, 3), n, np.uint8) for n in range(count)])
    training, validation = split(images, held_out, seed=0)
    assert (len(training), len(validation)) == (count, 0)
    assert training.pixels.dtype == validation.pixels.dtype


@pytest.mark.parametrize("recipe", ["denoise", "deblock", "upscale"])
def test_a_run_on_one_photograph_has_no_scores_and_counts_it_once(
    recipe: str, colour_photo: np.ndarray, tmp_path: Path
) -> None:
    torch.set_num_threads(1)
    (tmp_path / "data").mkdir()
    Image.fromarray((colour_photo * 255).astype(np.uint8)).save(tmp_path / "data" / "one.png")
    (tmp_path / "data" / "broken.png").write_bytes(b"no picture")
    config = replace(RECIPES[recipe](), patch=16, batch=2)
    told: list[str] = []
    seen: list[dict[str, Any]] = []
    path = run_recipe(config, tmp_path / "data", tmp_path / "run", steps=1, tell=told.append, report=seen.append)
    card = open_model(path).card
    assert card.scores == {}
    assert card.summary.endswith("trained on 1 images")
    assert told[0].startswith("1 of 2 images are left out")
    assert not any(key.startswith("psnr") for key in seen[-1])
    run_recipe(config, tmp_path / "data", tmp_path / "more", steps=1, start_from=str(path), report=seen.append)
    assert not any(key.startswith("psnr") for entry in seen for key in entry)


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


@pytest.mark.parametrize("name", LOSSES)
def test_losses_refuse_images_that_would_broadcast(name: str) -> None:
    with pytest.raises(ValueError, match=r"the same shape, got \(2, 1, 4, 4\) and \(2, 3, 4, 4\)"):
        LOSSES[name](torch.zeros(2, 1, 4, 4), torch.zeros(2, 3, 4, 4))


def run_tiny(folder: Path, photos: Path, **arguments):  # type: ignore[no-untyped-def]
    """Train the tiny network."""
    torch.set_num_threads(1)
    training, validation = split(load_images(photos, channels=3, min_size=16), 1, 0)
    config = arguments.pop("config", TINY)
    return train(make_objective(config), config, training, validation, folder=folder, **arguments)


def test_what_happens_at_every_fourth_step_counts_into_the_time_of_one(photos: Path, tmp_path: Path) -> None:
    objective, calls = make_objective(TINY), iter(range(1, 1 + TINY.steps))

    def loss(networks: Networks, *rest: Any) -> torch.Tensor:
        time.sleep(0.4 if next(calls) % 4 == 0 else 0)
        return objective.losses["network"](networks, *rest)

    images = load_images(photos, channels=3, min_size=16)
    run = train(replace(objective, losses={"network": loss}), TINY, images, images, folder=tmp_path)
    assert run.seconds_per_step > 0.1


def test_an_interrupted_run_equals_an_unbroken_one_bit_for_bit(photos: Path, tmp_path: Path) -> None:
    unbroken = run_tiny(tmp_path / "unbroken", photos)
    while run_tiny(tmp_path / "broken", photos, stop_after_minutes=0).steps_done < TINY.steps:
        pass  # every call does one step, writes its checkpoint and stops
    resumed = run_tiny(tmp_path / "broken", photos)
    for name, value in unbroken.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name]), name


def test_a_full_disk_costs_one_line_and_no_checkpoint(photos: Path, tmp_path: Path) -> None:
    run_tiny(tmp_path, photos, stop_after_minutes=0)
    before = (tmp_path / "checkpoint.pt").read_bytes()
    with full_disk(len(before) // 2), pytest.raises(CannotWrite, match=r"checkpoint.pt: cannot be written \(File too"):
        run_tiny(tmp_path, photos)
    assert (tmp_path / "checkpoint.pt").read_bytes() == before
    assert not list(tmp_path.glob("*part"))
    assert run_tiny(tmp_path, photos).steps_done == TINY.steps


def test_a_checkpoint_keeps_its_permissions_and_a_link_its_target(photos: Path, tmp_path: Path) -> None:
    run_tiny(tmp_path, photos, stop_after_minutes=0)
    kept = tmp_path / "elsewhere.pt"
    (tmp_path / "checkpoint.pt").rename(kept).chmod(0o640)
    (tmp_path / "checkpoint.pt").symlink_to(kept)
    run_tiny(tmp_path, photos)
    assert kept.stat().st_mode & 0o777 == 0o640
    assert read_checkpoint(kept)["step"] == TINY.steps


def test_a_file_of_a_run_that_cannot_be_written_costs_one_line(photos: Path, tmp_path: Path) -> None:
    run_recipe(TINY, photos, tmp_path / "run", steps=1)
    (tmp_path / "run" / "log.jsonl").unlink()
    (tmp_path / "run" / "log.jsonl").mkdir()
    with pytest.raises(CannotWrite, match=r"log.jsonl: cannot be written \(Is a directory; mend that"):
        run_recipe(TINY, photos, tmp_path / "run", steps=6)


def test_a_full_disk_leaves_no_half_model(tmp_path: Path) -> None:
    network = make_objective(TINY).networks["network"]
    with full_disk(10_000), pytest.raises(CannotWrite, match=r"model.onnx: cannot be written \(File too large"):
        export_restorer(network, TINY, tmp_path / "model.onnx", RunFacts(), protocol="none")
    assert not list(tmp_path.iterdir())


def test_the_minutes_of_a_run_are_counted_through_interruptions(photos: Path, tmp_path: Path) -> None:
    images, objective = load_images(photos, channels=3, min_size=16), make_objective(TINY)

    def loss(*told: Any) -> torch.Tensor:
        time.sleep(0.1)
        return objective.losses["network"](*told)

    def go_on(steps: int) -> Any:
        slow, done = replace(objective, losses={"network": loss}), itertools.count(1)
        return train(slow, TINY, images, images, folder=tmp_path / "run", stop=lambda: next(done) == steps)

    first = go_on(7)  # after the validation of step 6
    run = go_on(5)
    assert (first.steps_done, run.steps_done) == (7, TINY.steps)
    assert [entry["step"] for entry in run.log] == [12]
    assert 12 * 0.1 / 60 <= run.log[-1]["minutes"] <= run.minutes
    assert first.minutes < run.minutes


def test_a_card_says_how_long_its_run_took_through_interruptions(photos: Path, tmp_path: Path) -> None:
    run_recipe(TINY, photos, tmp_path, steps=1)
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    torch.save(state | {"minutes": 90.0}, tmp_path / "checkpoint.pt")
    assert open_model(run_recipe(TINY, photos, tmp_path, steps=2)).card.budget.endswith("; 90 minutes")


@pytest.mark.parametrize(
    ("rest", "kept"),
    [
        ('{"step": 8, "lo', []),
        ("\0\0\0", []),
        ('{"step": 8, "minutes": 1}', [8]),
        ('noted by hand\n{"loss": 1}\n{"step": 8, "minutes": 1}\n', [8]),
    ],
)
def test_a_run_goes_on_after_a_log_that_holds_more_than_entries(
    rest: str, kept: list[int], photos: Path, tmp_path: Path
) -> None:
    run_tiny(tmp_path, photos, config=replace(TINY, steps=6))
    with (tmp_path / "log.jsonl").open("a") as log:
        log.write(rest)
    assert run_tiny(tmp_path, photos).steps_done == TINY.steps
    steps = [json.loads(line)["step"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert steps == [6, *kept, 12]


def test_the_best_weights_are_kept_through_interruptions_where_the_recipe_asks_for_them(
    photos: Path, tmp_path: Path
) -> None:
    config = replace(TINY, steps=8, validate_every=2, keep="best")
    seen: list[dict[str, torch.Tensor]] = []

    def validate(network: torch.nn.Module, *_: Any) -> dict[str, float]:
        seen.append({name: value.clone() for name, value in network.state_dict().items()})
        return {"distance": (5.0, 1.0, 3.0, 2.0)[len(seen) - 1]}

    objective = replace(make_objective(config), validate=validate, criterion="distance")
    images = load_images(photos, channels=3, min_size=16)
    run = train(objective, config, images, images, folder=tmp_path / "run", stop_after_minutes=0)
    while run.steps_done < config.steps:
        run = train(objective, config, images, images, folder=tmp_path / "run", stop_after_minutes=0)
    assert run.scores["step"] == 4
    for name, value in run.network.state_dict().items():
        assert torch.equal(value, seen[1][name]), name
    assert not all(torch.equal(seen[1][name], seen[3][name]) for name in seen[1])


def test_settings_that_do_not_fit_are_refused_in_one_line(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="denoising has no score to choose by; set keep to 'last'"):
        run_tiny(tmp_path / "best", photos, config=replace(TINY, keep="best"))
    with pytest.raises(InvalidSetting, match="no loss 'l3'; there are l1, mse"):
        run_tiny(tmp_path / "loss", photos, config=replace(TINY, loss="l3"))


def test_a_run_from_before_a_setting_was_there_goes_on_with_its_default(photos: Path, tmp_path: Path) -> None:
    run_tiny(tmp_path, photos, stop_after_minutes=0)
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    del state["config"]["keep"]
    torch.save(state, tmp_path / "checkpoint.pt")
    assert run_tiny(tmp_path, photos).steps_done == TINY.steps


@pytest.mark.parametrize("then", [{}, {"quantised": False}])
def test_a_run_from_before_8_bits_could_be_left_to_the_model_goes_on(
    then: dict[str, bool], photos: Path, tmp_path: Path
) -> None:
    given = run_recipe(replace(TINY, quantised=True), photos, tmp_path / "given", steps=1)
    run_recipe(TINY, photos, tmp_path / "on", steps=1, start_from=str(given))
    checkpoint = tmp_path / "on" / "checkpoint.pt"
    state = torch.load(checkpoint, weights_only=True)
    del state["config"]["quantised"]
    state["config"] |= then
    torch.save(state, checkpoint)
    run_recipe(TINY, photos, tmp_path / "on", steps=2, start_from=str(given))
    assert torch.load(checkpoint, weights_only=True)["step"] == 2


def test_a_run_from_before_its_data_was_noted_goes_on(photos: Path, tmp_path: Path) -> None:
    run_recipe(TINY, photos, tmp_path, steps=1)
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    del state["origin"]
    torch.save(state, tmp_path / "checkpoint.pt")
    assert open_model(run_recipe(TINY, photos, tmp_path, steps=2, terms="ours")).card.terms == "ours"


def test_minutes_become_steps_once(photos: Path, tmp_path: Path) -> None:
    told: list[str] = []
    path = run_recipe(TINY, photos, tmp_path, minutes=1e-3, tell=told.append)
    steps = open_model(path).card.recipe["steps"]
    assert f"about {steps} steps in 0.001 minutes, as fast as now; --steps {steps} repeats it" in told
    (tmp_path / "config.json").write_text("{no json")  # for people to read, not for the run
    assert run_recipe(TINY, photos, tmp_path, minutes=60, tell=told.append) == path
    assert told[-2].startswith(f"the run goes on to its {steps} steps, {steps} are done")


def test_a_step_beyond_the_memory_costs_one_line_and_leaves_the_folder_free(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="batch = 1000000000000 and patch = 16 needs more memory than there is"):
        run_recipe(replace(TINY, batch=10**12), photos, tmp_path / "run", steps=1)
    assert run_recipe(TINY, photos, tmp_path / "run", steps=1).exists()


def test_resuming_with_another_setting_is_refused_by_name(photos: Path, tmp_path: Path) -> None:
    run_tiny(tmp_path / "run", photos, stop_after_minutes=0)
    with pytest.raises(CannotResume, match="patch = 16, this run has 24"):
        run_tiny(tmp_path / "run", photos, config=replace(TINY, patch=24))


@pytest.mark.parametrize("optimiser", ["adamw", "muon", "adam", "momentum", "sgd"])
def test_every_optimiser_lowers_the_loss(optimiser: str, photos: Path, tmp_path: Path) -> None:
    rate = 0.05 if optimiser == "sgd" else 0.01 if optimiser == "momentum" else 2e-3
    config = replace(TINY, optimiser=optimiser, steps=60, validate_every=20, learning_rate=rate)
    log = run_tiny(tmp_path / optimiser, photos, config=config).log
    assert log[-1]["loss"] < log[0]["loss"]
    assert len((tmp_path / optimiser / "log.jsonl").read_text().splitlines()) == 3


def exported(tmp_path: Path, stored: Stored = "half") -> tuple[UNet, Path]:
    """A random network with distinct biases, and its file."""
    torch.manual_seed(1)
    network = make_objective(WIDER).networks["network"]
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    path = tmp_path / f"model-{stored}.onnx"
    export_restorer(network, replace(WIDER, stored=stored), path, RunFacts(), protocol="")
    return network, path


def test_onnx_agrees_with_torch(tmp_path: Path) -> None:
    tolerances: dict[Stored, float] = {"float": 1e-4, "half": 5e-3}
    for stored, tolerance in tolerances.items():
        network, path = exported(tmp_path, stored)
        image = np.random.default_rng(0).random((24, 40, 3), np.float32)
        result = open_model(path, provider="cpu")(image, 0.1)
        with torch.no_grad():
            batch = torch.from_numpy(image.transpose(2, 0, 1)[None])
            expected = network(batch, torch.full((1, 1, 1, 1), 0.1))[0].numpy().transpose(1, 2, 0)
        np.testing.assert_allclose(result, expected, atol=tolerance)


def test_any_size_runs_and_keeps_its_shape(tmp_path: Path) -> None:
    _, path = exported(tmp_path)
    model = open_model(path)
    for shape in [(1, 1, 3), (1, 9, 3), (7, 2, 3), (33, 31, 3)]:
        assert model(np.zeros(shape, np.float32), 0.1).shape == shape


def test_weights_come_back_from_the_file(tmp_path: Path) -> None:
    network, path = exported(tmp_path, "float")
    again = make_objective(replace(WIDER, seed=5)).networks["network"]
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
    assert card.summary == "unet trained on 3 images"  # of four, one is held out
    assert card.recipe["steps"] == 4
    assert card.parameters == sum(p.numel() for p in make_objective(TINY).networks["network"].parameters())
    assert json.loads((tmp_path / "run" / "config.json").read_text())["steps"] == 4
    seen: list[dict[str, Any]] = []
    tuned = run_recipe(TINY, photos, tmp_path / "tuned", steps=2, start_from=str(path), report=seen.append)
    assert open_model(tuned).card.network_args == card.network_args
    assert [entry["step"] for entry in seen] == [0, 2]
    reached = card.scores["held-out images of the training data"]["25"]
    assert seen[0]["psnr_25"] == pytest.approx(reached, abs=0.02)  # the weights are stored in half precision
    scores = open_model(tuned).card.scores
    run_recipe(TINY, photos, tmp_path / "tuned", steps=2, start_from=str(path), report=seen.append)
    assert [entry["step"] for entry in seen] == [0, 2]  # it was finished
    assert open_model(tuned).card.scores == scores


def test_the_weights_as_given_are_measured_like_those_that_follow(photos: Path, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    path = run_recipe(TINY, photos, tmp_path / "run", steps=4)
    seen: list[dict[str, Any]] = []
    unmoved = replace(TINY, learning_rate=0.0)
    run_recipe(unmoved, photos, tmp_path / "on", steps=1, start_from=str(path), report=seen.append)
    given, then = ({key: value for key, value in entry.items() if key.startswith("psnr")} for entry in seen)
    assert given == then


def test_a_run_leaves_a_sheet_of_examples_and_its_figures_for_tensorboard(photos: Path, tmp_path: Path) -> None:
    from tensorboardX.proto.event_pb2 import Event

    torch.set_num_threads(1)
    run_recipe(replace(TINY, validate_every=2), photos, tmp_path, steps=4)
    with Image.open(tmp_path / "preview.png") as sheet:
        pixels = np.asarray(sheet)
    row = 4 * (TINY.patch + 2)  # small crops are enlarged four times
    assert pixels.shape == (3 * row, 6 * row, 3)
    given, wanted = pixels[:row].astype(int), pixels[2 * row :].astype(int)
    assert np.abs(given - wanted).mean() > 5  # of 255; the noise

    (events,) = tmp_path.glob("events.out.tfevents.*")
    content, written = events.read_bytes(), []
    while content:  # a record: its length in 8 bytes, their checksum in 4, the event, its checksum in 4
        end = 12 + int.from_bytes(content[:8], "little")
        event = Event.FromString(content[12:end])
        written += [(event.step, value.tag, value.simple_value) for value in event.summary.value]
        content = content[end + 4 :]
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    for entry in log:
        (psnr,) = [value for step, tag, value in written if (step, tag) == (entry["step"], "psnr_25")]
        assert psnr == pytest.approx(entry["psnr_25"], rel=1e-6)
    assert {step for step, tag, _ in written if tag == "preview"} == {2, 4}
    run_recipe(replace(TINY, validate_every=2), photos, tmp_path, steps=4)  # it was finished
    assert list(tmp_path.glob("events.out.tfevents.*")) == [events]


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_build(name: str) -> None:
    config = RECIPES[name]()
    config = replace(config, patch=config.patch or 32)  # 0 leaves the side to the data
    task = import_module(f"anew.training.{config.objective}")
    objective = task.make_objective(config)
    assert objective.product in objective.networks
    assert set(objective.losses) == set(objective.networks)


def test_labelled_images_from_folders_equal_those_from_npz(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 9, 8), dtype=np.uint8)
    labels = np.array([0, 1, 1, 0, 1, 0])
    for index, (image, label) in enumerate(zip(pixels, labels, strict=True)):
        folder = tmp_path / "classes" / f"class-{label}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{index}.png")
    np.savez(tmp_path / "set.npz", train_images=pixels, train_labels=labels)
    from_folder, from_npz = load_labelled(tmp_path / "classes"), load_labelled(tmp_path / "set.npz")
    order = np.argsort(labels, kind="stable")
    assert torch.equal(from_folder.images, from_npz.images[order])
    assert from_folder.names == ("class-0", "class-1")
    images, drawn = from_npz.batch(5, torch.Generator().manual_seed(0))
    assert images.shape == (5, 1, 9, 8)
    assert -1 <= float(images.min()) <= float(images.max()) <= 1
    assert drawn.shape == (5,)


def test_labelled_images_must_share_one_size(tmp_path: Path) -> None:
    for side in (8, 9):
        Image.fromarray(np.zeros((side, side), np.uint8)).save(tmp_path / f"{side}.png")
    with pytest.raises(NoTrainingData, match=r"one size expected; the first is 8 x 8, 9.png is 9 x 9"):
        load_labelled(tmp_path)
    np.savez(tmp_path / "set.npz", test_images=np.zeros((1, 2, 2), np.uint8))
    with pytest.raises(NoTrainingData, match="train_images and train_labels expected"):
        load_labelled(tmp_path / "set.npz")


def test_a_header_that_lies_about_its_size_is_said_to_be_that_files(tmp_path: Path) -> None:
    header = io.BytesIO()
    lie = {"descr": "|u1", "fortran_order": False, "shape": (10**9, 1000, 1000)}
    np.lib.format.write_array_header_1_0(header, lie)
    with zipfile.ZipFile(tmp_path / "set.npz", "w") as file:
        file.writestr("train_images.npy", header.getvalue() + bytes(100))
    with pytest.raises(NoTrainingData, match=r"set.npz: train_images and train_labels expected \(Unable to allocate"):
        load_labelled(tmp_path / "set.npz")


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["a", "b", "c"]),
        np.array([0, 1, -1]),
        np.array([0, 1, 20_000]),
        np.array([0.0, 0.5, 1.0]),
        np.eye(3, dtype=np.int64),
    ],
    ids=["words", "negative", "huge", "float", "one-hot"],
)
def test_labels_that_are_no_classes_are_refused(labels: np.ndarray, tmp_path: Path) -> None:
    np.savez(tmp_path / "set.npz", train_images=np.zeros((3, 8, 8), np.uint8), train_labels=labels)
    with pytest.raises(NoTrainingData, match=r"train_labels must be integers from 0 to 9999|with labels \(3, 3\)"):
        load_labelled(tmp_path / "set.npz")


def test_images_with_opacity_keep_their_colours(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 4), dtype=np.uint8)
    np.savez(tmp_path / "set.npz", train_images=pixels, train_labels=np.array([0, 1]))
    colour = load_labelled(tmp_path / "set.npz", channels=3).images
    np.testing.assert_array_equal(colour.permute(0, 2, 3, 1).numpy(), pixels[..., :3])


@pytest.mark.parametrize(("name", "size", "multiple"), [("gan", 28, 8), ("vae", 30, 4), ("flow", 30, 8)])
def test_sizes_that_a_network_cannot_take_are_said_with_those_it_can(name: str, size: int, multiple: int) -> None:
    config = replace(RECIPES[name](), patch=size)
    task = import_module(f"anew.training.{config.objective}")
    with pytest.raises(InvalidSetting, match=rf"images of {size} .*\b{multiple}\b"):
        task.make_objective(config)


def test_two_networks_are_updated_as_often_as_asked_and_each_alone(tmp_path: Path) -> None:
    """Two scalars that pull each other: what the loop does is worked out by hand for plain gradient descent."""

    def pull(name: str, other: str) -> LossFunction:
        def loss(networks, data, config, generator):  # type: ignore[no-untyped-def]
            return 0.5 * (networks[name].weight - networks[other].weight).square().sum()

        return loss

    networks = {name: torch.nn.Linear(1, 1, bias=False) for name in "ab"}
    for name, value in (("a", 0.0), ("b", 1.0)):
        torch.nn.init.constant_(networks[name].weight, value)
    objective = Objective(
        networks=networks,
        losses={"a": pull("a", "b"), "b": pull("b", "a")},
        product="b",
        validate=lambda *_: {},
        repeats={"a": 2},
        rates={"b": 0.5},
    )
    config = TrainingConfig(
        objective="", task="", network="", steps=1, optimiser="sgd", learning_rate=0.2, warmup=0, clip=9, ema=0.0
    )
    data = pack([np.zeros((2, 2, 1), np.uint8)])
    train(objective, config, data, data, folder=tmp_path / "run")
    a = 0.2 + 0.2 * (1 - 0.2)  # two steps of 0.2 towards 1
    assert float(networks["a"].weight.detach()) == pytest.approx(a)
    assert float(networks["b"].weight.detach()) == pytest.approx(1 - 0.1 * (1 - a))


def test_crops_come_in_all_eight_symmetries_of_the_square() -> None:
    square = torch.arange(9).reshape(3, 3)
    turned = {tuple(x.flatten().tolist()) for x in turn(square.expand(8, 3, 3), torch.arange(8))}
    quarters = [torch.rot90(square, k) for k in range(4)]
    assert turned == {tuple(x.flatten().tolist()) for q in quarters for x in (q, q.flip(0))}
