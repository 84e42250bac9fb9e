"""Training of the damage detector: layers, truth, lookalikes and export; needs torch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

import onnx
import onnxruntime

from anew.degradations.cracks import cracks
from anew.degradations.scratches import scratches
from anew.degradations.tears import folds
from anew.inference.models import open_model
from anew.networks.mask_unet import MaskUNet
from anew.networks.normalisation import settle
from anew.networks.quantised import QuantisedConv2d, calibrate
from anew.recipes import RECIPES
from anew.training import damage_masks
from anew.training.damage_layers import (
    SIDE,
    SOURCES,
    drawn_layers,
    film_layers,
    film_overlays,
    lookalikes,
    make_layer,
)
from anew.training.damage_masks import DamageConfig
from anew.training.export import load_weights
from anew.training.restoration import RunFacts
from anew.training.run import run_recipe

TINY = DamageConfig(
    network="mask_unet",
    network_args={"widths": [8, 12], "blocks": [1, 1], "unshuffle": 2},
    patch=32,
    batch=4,
    steps=2,
    validate_every=2,
    validation=1,
    lookalikes=7,
    drawn=1,
    misleading_share=0.5,
)


@pytest.fixture
def source(tmp_path: Path, colour_photo: np.ndarray) -> Path:
    """Four photographs and three film overlays of two kinds, each a white bar of its own height."""
    (tmp_path / "photos").mkdir()
    pixels = (colour_photo * 255).astype(np.uint8)
    for index in range(4):
        Image.fromarray(pixels[index * 8 :]).save(tmp_path / "photos" / f"{index}.png")
    for kind in ("scratches", "lint", "unknown"):
        folder = tmp_path / "film_damage" / kind
        folder.mkdir(parents=True)
        for index in range(3):
            overlay = np.zeros((SIDE, SIDE, 4), np.uint8)
            overlay[100 : 110 + 10 * index, 50:350] = 255
            Image.fromarray(overlay).save(folder / f"{index}.png")
    return tmp_path


def test_overlays_left_for_tests_are_not_read(source: Path) -> None:
    read = [(kind, int(alpha.sum())) for kind, alpha in film_overlays(source / "film_damage", 0, 2)]
    assert read == [("lint", 3000), ("lint", 9000), ("scratches", 3000), ("scratches", 9000)]
    rest = [(kind, int(alpha.sum())) for kind, alpha in film_overlays(source / "film_damage", 1, 2)]
    assert rest == [("lint", 6000), ("scratches", 6000)]
    layers = film_layers(source / "film_damage", 0, 2, np.random.default_rng(0))
    assert [layer.source for layer in layers] == [kind for kind, _ in read]


def test_layers_repeat_the_degradation_that_they_were_measured_from() -> None:
    rng = np.random.default_rng(0)
    scene = rng.random((SIDE, SIDE), np.float32)
    recipes = (
        lambda x: scratches(x, dark=0, rng=5).image,
        lambda x: folds(x, rng=6).image,
        lambda x: cracks(x, rng=7).image,
    )
    for recipe in recipes:
        black, white = (recipe(np.full((SIDE, SIDE), v, np.float32)) for v in (0.0, 1.0))
        layer = make_layer("drawn folds", 1 - (white - black), black, rng)
        again = (1 - layer.opacity / np.float32(127)) * scene + layer.paint / np.float32(255)
        np.testing.assert_allclose(again, recipe(scene), atol=1 / 127)


def test_a_layer_in_place_is_its_own_pixels_and_white_paint_has_its_opacity() -> None:
    layers = drawn_layers(1, np.random.default_rng(1))
    assert {layer.source for layer in layers} <= set(SOURCES)
    for seed in range(6):
        opacity, paint = damage_masks.place(layers[0], 64, np.random.default_rng(seed))
        assert opacity.shape == paint.shape == (64, 64)
        assert opacity.max() > 0.1  # laid around a damaged pixel


def test_truth_is_where_pixels_were_changed(source: Path) -> None:
    config = replace(TINY, clean_share=0.0, overlay_step=1)
    data, _ = damage_masks.load_data(source, config)
    rng = np.random.default_rng(0)
    clean = np.full((48, 48, 3), 0.4, np.float32)
    seen = 0
    for _ in range(20):
        damaged, truth = damage_masks.damage(clean, data.layers, config, rng, grey=False)
        change = np.abs(damaged - clean).max(axis=2)
        assert truth.shape == (48, 48, 1)
        marked = truth.max(axis=2) > 0
        assert np.mean(change[marked] > 0.02) > 0.95 or not marked.any()  # a second layer may hide the first
        assert change[~marked].max(initial=0) < 0.13  # the faintest, and the relief of folds
        seen += int(truth.sum())
    assert seen > 1000


def test_clean_crops_have_no_truth_and_batches_follow_from_the_generator(source: Path) -> None:
    data, held_out = damage_masks.load_data(source, TINY)
    image, truth = damage_masks.make_batch(data, replace(TINY, clean_share=1.0), torch.Generator().manual_seed(1))
    assert image.shape == (4, 3, 32, 32)
    assert truth.shape == (4, 1, 32, 32)
    assert not truth.any()
    assert 0 <= float(image.min()) <= float(image.max()) <= 1
    first, again, other = (
        damage_masks.make_batch(data, TINY, torch.Generator().manual_seed(seed))[0] for seed in (3, 3, 4)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not {id(layer) for layer in data.layers} & {id(layer) for layer in held_out.layers}


def test_photographs_are_offered_at_every_size_and_counted_once(source: Path) -> None:
    data, held_out = damage_masks.load_data(source, replace(TINY, sizes=(1.0, 0.5)))
    assert (len(data.photographs), len(data)) == (6, 3)
    assert (len(held_out.photographs), len(held_out)) == (1, 1)
    whole, shrunk = (data.photographs.image(index).shape[1:] for index in (0, 3))
    assert tuple(shrunk) == tuple(-(-side // 2) for side in whole)


def test_busy_clean_crops_hold_more_fine_lines(source: Path) -> None:
    data, _ = damage_masks.load_data(source, TINY)
    clean = {"clean_share": 1.0, "lookalike_share": 0.0, "noisy_share": 0.0, "impulse_share": 0.0}
    plain = replace(TINY, batch=64, busy_share=0.0, misleading_share=0.0, **clean)

    def mean_fineness(config: DamageConfig) -> float:
        image, _ = damage_masks.make_batch(data, config, torch.Generator().manual_seed(0))
        return float(np.mean([damage_masks.fineness(x) for x in image.permute(0, 2, 3, 1).numpy()]))

    assert mean_fineness(replace(plain, busy_share=1.0)) > 1.2 * mean_fineness(plain)
    line = np.zeros((32, 32, 3), np.float32)
    line[:, 15:17] = 1
    assert damage_masks.fineness(line) == pytest.approx(2 / 32)
    assert damage_masks.fineness(np.ones((32, 32, 3), np.float32)) == 0


def test_lookalikes_are_drawn_in_every_sort() -> None:
    drawn = lookalikes(18, np.random.default_rng(0))
    assert all(x.shape == (SIDE, SIDE, 3) and x.dtype == np.uint8 and x.std() > 2 for x in drawn)
    assert len({x.tobytes() for x in drawn}) == 18


def test_charts_have_lines_from_edge_to_edge_of_their_field() -> None:
    charts = lookalikes(45, np.random.default_rng(0))[8::9]
    ruled = 0
    for chart in charts:
        grey = chart.mean(axis=2)
        above, below = grey[1:-1] - grey[:-2], grey[1:-1] - grey[2:]
        line = (np.minimum(np.abs(above), np.abs(below)) > 8) & (above * below > 0)
        ruled += int(line.mean(axis=1).max() > 0.4)  # a row unlike both of its neighbours, through most of the picture
    assert ruled >= 3  # others have lines two pixels wide, or hidden by bars


def test_dice_loss_is_known_for_known_overlaps() -> None:
    truth = torch.zeros(1, 1, 20, 20)
    truth[:, :, :10] = 1
    assert float(damage_masks.dice_loss(truth, truth)) == pytest.approx(0)
    assert float(damage_masks.dice_loss(1 - truth, truth)) == pytest.approx(1 - 1 / 401)
    half = torch.zeros(1, 1, 20, 20)
    half[:, :, 5:15] = 1
    assert float(damage_masks.dice_loss(half, truth)) == pytest.approx(1 - 201 / 401)


def test_a_network_of_wrong_levels_is_refused_and_size_is_kept() -> None:
    with pytest.raises(ValueError, match="one number for each of 2 widths"):
        MaskUNet(widths=(8, 12), blocks=(1,))
    network = MaskUNet(channels=1, kinds=2, widths=(8, 12), blocks=(1, 1))
    assert network(torch.rand(2, 1, 16, 24)).shape == (2, 2, 16, 24)
    assert network.size_multiple == 4


def test_a_run_exports_what_the_runtime_computes_too(source: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = run_recipe(TINY, source, tmp_path_factory.mktemp("run"), steps=2)
    model = open_model(path)
    assert model.card.facts["kinds"] == ["damage"]
    assert model.card.multiply_adds_per_pixel > 0
    image = np.random.default_rng(0).random((1, 3, 40, 24), np.float32)
    (result,) = model.session.run(None, {"image": image})
    assert result.shape == (1, 1, 40, 24)
    assert 0 < (1 / (1 + np.exp(-result))).mean() < 0.3  # at first damage is unlikely


def test_variances_that_half_precision_cannot_hold_are_exported_as_they_are(tmp_path: Path) -> None:
    network = damage_masks.make_objective(TINY).networks["network"].eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_var.fill_(1e5)
            module.weight.data.fill_(300)
    damage_masks.export(network, TINY, tmp_path / "model.onnx", RunFacts())
    image = np.random.default_rng(0).random((1, 3, 40, 24), np.float32)
    (result,) = open_model(tmp_path / "model.onnx").session.run(None, {"image": image})
    with torch.no_grad():
        expected = network(torch.from_numpy(image)).numpy()
    np.testing.assert_allclose(result, expected, rtol=5e-3, atol=5e-3)


@pytest.fixture
def normalised(tmp_path: Path) -> tuple[torch.nn.Module, Path]:
    """A network whose normalisations have seen much, and its file."""
    torch.set_num_threads(1)
    network = damage_masks.make_objective(TINY).networks["network"].eval()
    generator = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for tensor in (module.running_mean, module.bias.data):
                tensor.normal_(0, 0.3, generator=generator)
            for tensor in (module.running_var, module.weight.data):
                tensor.uniform_(0.5, 2, generator=generator)
    path = tmp_path / "normalised.onnx"
    damage_masks.export(network, replace(TINY, stored="float"), path, RunFacts())
    return network, path


def in_8_bits(path: Path, image: torch.Tensor) -> torch.nn.Module:
    config = replace(TINY, network_args={**TINY.network_args, "quantised": True})
    network = damage_masks.make_objective(config).networks["network"].eval()
    load_weights(network, path)
    calibrate(network, lambda: network(image))
    return network


def test_normalisation_is_folded_into_the_convolutions_of_8_bits(normalised: tuple[torch.nn.Module, Path]) -> None:
    network, path = normalised
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    rounded = in_8_bits(path, image)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in rounded.modules())
    layers = [m for m in rounded.modules() if isinstance(m, QuantisedConv2d)]
    with torch.no_grad():
        expected, seen = network(image), rounded(image)
        for layer in layers:
            layer.observed = {"input": [], "output": []}  # computes without rounding
        torch.testing.assert_close(rounded(image), expected, atol=1e-4, rtol=1e-4)
    assert float((seen - expected).square().mean().sqrt()) < 0.1 * float(expected.std())
    for layer in layers:
        if layer.rectified:
            assert all(float(values.min()) >= 0 for values in layer.observed["input"])


def test_the_runtime_computes_the_8_bits_of_the_training(
    normalised: tuple[torch.nn.Module, Path], tmp_path: Path
) -> None:
    image = torch.rand(1, 3, 64, 48, generator=torch.Generator().manual_seed(1))
    rounded = in_8_bits(normalised[1], image)
    config = replace(TINY, network_args={**TINY.network_args, "quantised": True}, stored="float")
    path = tmp_path / "rounded.onnx"
    damage_masks.export(rounded, config, path, RunFacts())
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    kinds = [node.op_type for node in onnx.load(options.optimized_model_filepath).graph.node]
    assert kinds.count("QLinearConv") == sum(isinstance(m, QuantisedConv2d) for m in rounded.modules()) == 8
    assert kinds.count("Conv") == 2
    (result,) = session.run(None, {"image": image.numpy()})
    with torch.no_grad():
        expected = rounded(image).numpy()
    assert np.mean(np.abs(result - expected) > 1e-3) < 0.02  # what lies between two levels may fall to either
    again = damage_masks.make_objective(config).networks["network"].eval()
    load_weights(again, path)  # to train on from there
    with torch.no_grad():
        torch.testing.assert_close(again(image).numpy(), expected, atol=5e-3, rtol=0)


def test_folded_normalisation_is_made_anew_and_learns_on(
    normalised: tuple[torch.nn.Module, Path], source: Path, tmp_path: Path
) -> None:
    image = torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    config = replace(TINY, network_args={**TINY.network_args, "quantised": True}, stored="float")
    path = tmp_path / "rounded.onnx"
    damage_masks.export(in_8_bits(normalised[1], image), config, path, RunFacts())
    rounded, network = (damage_masks.make_objective(c).networks["network"].eval() for c in (config, TINY))
    for each in (rounded, network):
        load_weights(each, path)
    with torch.no_grad():
        for layer in (m for m in rounded.modules() if isinstance(m, QuantisedConv2d)):
            layer.observed = {"input": [], "output": []}  # computes without rounding
        expected = rounded(image)
        torch.testing.assert_close(network(image), expected, atol=1e-4, rtol=1e-4)
        settle(network, lambda: network(image), times=2)
        torch.testing.assert_close(network(image), expected, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(network.train()(image), expected, atol=1e-4, rtol=1e-4)  # by the batch's statistics
    told: list[dict[str, float]] = []
    plain, out = replace(TINY, quantised=False), tmp_path / "on"
    on = run_recipe(plain, source / "photos", out, steps=1, start_from=str(path), report=told.append)
    assert open_model(on).card.network_args["quantised"] is False
    assert told[0]["step"] == 0


def test_the_recipe_is_small_enough() -> None:
    config = RECIPES["damage-masks"]()
    network = damage_masks.make_objective(config).networks["network"]
    assert sum(p.numel() for p in network.parameters()) <= 1_200_000


def test_misleading_crops_are_those_that_the_network_marks_most(source: Path) -> None:
    data, _ = damage_masks.load_data(source, TINY)
    plain = replace(TINY, clean_share=1.0, lookalike_share=0.0, dark_share=0.0, faded_share=0.0, noisy_share=0.0)
    seen: list[np.ndarray] = []

    def darkness(crops: np.ndarray) -> np.ndarray:
        seen.append(crops.mean(axis=(1, 2, 3)))
        return 1 - seen[-1]

    chosen, _ = damage_masks.make_batch(
        data, replace(plain, misleading_share=1.0), torch.Generator().manual_seed(1), darkness
    )
    assert len(seen) == TINY.batch
    assert all(len(choices) == damage_masks.CHOICE for choices in seen)
    for crop, choices in zip(chosen, seen, strict=True):  # scans are softened and compressed a little
        assert abs(float(crop.mean()) - choices.min()) < abs(float(crop.mean()) - np.median(choices))
