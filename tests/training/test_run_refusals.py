"""What a training refuses before it costs time, and what its card says of where the weights come from."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from anew.errors import InvalidSetting
from anew.inference.models import open_model
from anew.inference.tiled import apply_network
from anew.networks import build_network
from anew.recipes import RECIPES
from anew.restoration.denoising.camera import denoise_camera
from anew.training.damage_masks import DamageConfig
from anew.training.deblocking import DeblockConfig
from anew.training.deblocking import make_objective as make_deblocking
from anew.training.denoising import DenoiseConfig
from anew.training.loop import Diverged
from anew.training.real_noise import RealNoiseConfig
from anew.training.real_noise import make_objective as make_real_noise
from anew.training.restoration import RunFacts, export_restorer
from anew.training.robust_upscaling import damage
from anew.training.run import run_recipe
from anew.training.schedule import learning_rate
from anew.training.upscaling import make_objective as make_upscaling

UNET = {"widths": [8, 12], "blocks": 1, "middle_blocks": 1, "unshuffle": 2}
TINY = DenoiseConfig(
    network="unet", network_args=UNET, patch=16, batch=2, steps=2, warmup=1, validate_every=2, validation=1
)


@pytest.fixture
def photos(tmp_path: Path, colour_photo: np.ndarray) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for index in range(3):
        Image.fromarray((colour_photo[index * 8 :, :100] * 255).astype(np.uint8)).save(folder / f"{index}.png")
    return folder


def test_a_run_that_diverges_ends_in_one_line_and_leaves_the_last_good_checkpoint(photos: Path, tmp_path: Path) -> None:
    wild = replace(TINY, optimiser="sgd", learning_rate=1e30, clip=1e30, steps=8, validate_every=8, bfloat16=False)
    with pytest.raises(Diverged, match="by step 8 the weights of network have become no numbers"):
        run_recipe(wild, photos, tmp_path / "run")
    assert not (tmp_path / "run" / "model.onnx").exists()
    assert not (tmp_path / "run" / "log.jsonl").exists() or "NaN" not in (tmp_path / "run" / "log.jsonl").read_text()


def test_the_card_of_a_model_that_went_on_from_another_names_it_its_data_and_its_terms(
    photos: Path, tmp_path: Path
) -> None:
    first = run_recipe(TINY, photos, tmp_path / "first", terms="non-commercial")
    told: list[str] = []
    second = run_recipe(TINY, photos, tmp_path / "second", terms="ours", start_from=str(first), tell=told.append)
    card = open_model(second).card
    assert card.terms == "ours; unet, from which it went on: non-commercial"
    assert card.data == "photos; unet, from which it went on: photos"
    assert told == []  # the network is the recipe's
    wider = replace(TINY, network_args={**UNET, "widths": [16, 24]})
    run_recipe(wider, photos, tmp_path / "third", start_from=str(first), tell=told.append)
    assert len(told) == 1
    assert "the network is that of unet" in told[0]


def test_a_file_of_any_name_can_be_gone_on_from(photos: Path, tmp_path: Path) -> None:
    model = run_recipe(TINY, photos, tmp_path / "first")
    shutil.copy(model, tmp_path / "mine")
    assert run_recipe(TINY, photos, tmp_path / "second", start_from=str(tmp_path / "mine")).exists()


def test_models_of_another_factor_of_other_channels_or_with_other_labels_are_refused(
    photos: Path, tmp_path: Path
) -> None:
    with pytest.raises(InvalidSetting, match=r"upscale-x2 enlarges by \[2\], this recipe by \[4\]"):
        run_recipe(RECIPES["upscale-x4"](), photos, tmp_path / "run", start_from="upscale-x2")
    with pytest.raises(InvalidSetting, match="denoise-grey is for 1 channels; this recipe needs 3"):
        run_recipe(RECIPES["deblock"](), photos, tmp_path / "run", start_from="denoise-grey")
    for config in (RealNoiseConfig, DamageConfig):
        assert config.__dataclass_fields__["channels"].type == "Literal[3]"
    labelled = tmp_path / "labelled"
    for name in "ab":
        (labelled / name).mkdir(parents=True)
        for k in range(8):
            Image.fromarray(np.full((28, 28), 9 * k, np.uint8)).save(labelled / name / f"{k}.png")
    flow = replace(RECIPES["flow"](), batch=4, steps=2)
    with pytest.raises(InvalidSetting, match="flow-digits do not fit; its size, labels or layers are not"):
        run_recipe(flow, labelled, tmp_path / "run", start_from="flow-digits")
    assert not (tmp_path / "run" / "checkpoint.pt").exists()


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("dncnn", {"widths": [8]}, "dncnn takes no 'widths'"),
        ("unet", {"widths": []}, "the network unet cannot be built with widths = "),
        ("attention_cnn", {"heads": 5, "widths": [16, 16]}, "width must be a multiple of heads, 5, not 16"),
        ("vae", {"likelihood": "poisson"}, "likelihood must be one of bernoulli, gaussian"),
        ("resnet", {}, "no network 'resnet'"),
    ],
)
def test_networks_say_what_they_cannot_be_built_with(name: str, arguments: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidSetting, match=words):
        build_network(name, **arguments)


@pytest.mark.parametrize("shares", [(0.0,), (1.0, 1.0)])
def test_shares_are_one_for_each_scale_and_not_all_zero(shares: tuple[float, ...]) -> None:
    with pytest.raises(InvalidSetting, match=r"shares .*scales \[4\]"):
        make_upscaling(replace(RECIPES["upscale-x4"](), shares=shares))


def test_ranges_that_are_turned_round_are_refused_by_both_names() -> None:
    with pytest.raises(InvalidSetting, match="quality_min = 90 must not exceed quality_max = 40"):
        make_deblocking(DeblockConfig(network="unet", network_args=UNET, quality_min=90, quality_max=40))
    with pytest.raises(InvalidSetting, match=r"gain_min = 0\.1 must not exceed gain_max = 0\.001"):
        make_real_noise(RealNoiseConfig(network="unet", network_args=UNET, gain_min=0.1, gain_max=0.001))


def test_the_best_quality_alone_can_be_asked_for() -> None:
    from anew.training.deblocking import _draw_quality

    config = DeblockConfig(network="unet", quality_min=100, quality_max=100, low_share=0.5)
    draws = torch.rand(2, 200, generator=torch.Generator().manual_seed(0))
    assert (_draw_quality(config, *draws) == 100).all()
    robust = replace(RECIPES["upscale-robust"](), quality_min=100)
    large = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert damage(large, 1, robust, torch.Generator().manual_seed(1)).isfinite().all()


def test_a_short_run_rises_over_a_tenth_of_its_steps_and_ends_low() -> None:
    rates = [learning_rate(step, steps=20, peak=1.0, warmup=200) for step in range(20)]
    assert rates[:2] == [0.5, 1.0]
    assert rates[-1] < 0.02
    assert learning_rate(0, steps=1, peak=1.0, warmup=200) == 1.0


def test_tiles_of_a_network_lie_on_its_grid_whatever_its_multiple(tmp_path: Path) -> None:
    config = replace(TINY, network_args={"widths": [8, 8, 8], "blocks": 1, "middle_blocks": 1, "unshuffle": 3})
    network = build_network("unet", seed=3, channels=3, **config.network_args)
    export_restorer(network, config, tmp_path / "m.onnx", RunFacts(), protocol="")
    model = open_model(tmp_path / "m.onnx")
    assert (model.card.size_multiple, model.card.halo % model.card.size_multiple) == (12, 0)
    image = np.random.default_rng(0).random((600, 1200, 3), np.float32)
    np.testing.assert_allclose(apply_network(model, image, 0.1), model(image, 0.1), atol=1e-3)


def test_a_denoiser_that_cannot_judge_the_noise_is_refused_where_the_level_is_not_told() -> None:
    image = np.random.default_rng(0).random((16, 16, 3), np.float32)
    with pytest.raises(ValueError, match="denoise-fast cannot judge the noise: give sigma"):
        denoise_camera(image, model="denoise-fast")
    assert denoise_camera(image, 0.1, model="denoise-fast").shape == image.shape
    assert denoise_camera(image).shape == image.shape
