"""Flow matching and diffusion: the regression, both parametrisations, and the model that comes out of a run."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from anew.errors import InvalidSetting
from anew.generation.sample import interpolate, sample
from anew.generation.samplers import sample_flow_heun, sample_heun
from anew.generation.schedules import flow_times, karras_sigmas
from anew.inference.models import open_model
from anew.networks.flow_unet import SIGMA_DATA, FlowUNet
from anew.recipes import RECIPES
from anew.recipes.flow import flow, flow_fashion
from anew.training.data import LabelledImages, NoTrainingData
from anew.training.export import load_weights
from anew.training.flow_matching import (
    FlowConfig,
    draw_times,
    flow_loss,
    load_data,
    make_objective,
    regression_loss,
)
from anew.training.loop import train
from anew.training.run import run_recipe

TINY = FlowConfig(
    network_args={"labels": 2, "widths": [8, 12], "blocks": 1, "middle_blocks": 1, "embedding": 8},
    patch=8,
    batch=16,
    steps=8,
    warmup=2,
    validate_every=4,
    validation=8,
    labels=("dark", "bright"),
)
EDM = replace(TINY, network_args={**TINY.network_args, "parametrisation": "edm"}, time_mean=-1.2, time_std=1.2)
BOTH = pytest.mark.parametrize("config", [TINY, EDM], ids=["rectified", "edm"])


@pytest.fixture
def two_kinds(tmp_path: Path) -> Path:
    """64 images of 8 x 8: evenly dark ones and evenly bright ones."""
    labels = np.arange(64) % 2
    images = np.broadcast_to(np.where(labels, 220, 30)[:, None, None], (64, 8, 8)).astype(np.uint8)
    path = tmp_path / "two.npz"
    np.savez(path, train_images=images, train_labels=labels.astype(np.uint8))
    return path


class Ideal(torch.nn.Module):
    """The ideal network for normal data of a mean and a spread."""

    def __init__(self, parametrisation: str, mean: float, spread: float) -> None:
        super().__init__()
        self.parametrisation, self.mean, self.spread = parametrisation, mean, spread
        self.labels = 2

    def forward(self, image, time, label):  # type: ignore[no-untyped-def]
        time = time[:, None, None, None]
        scale, sigma = (1 - time, time) if self.parametrisation == "rectified" else (1.0, time)
        total = scale**2 * self.spread**2 + sigma**2
        x = self.mean + scale * self.spread**2 / total * (image - scale * self.mean)
        n = sigma / total * (image - scale * self.mean)
        return n - x if self.parametrisation == "rectified" else x


@BOTH
def test_no_network_does_better_than_the_ideal_one(config: FlowConfig) -> None:
    generator = torch.Generator().manual_seed(0)
    kind = config.network_args.get("parametrisation", "rectified")
    x = 0.2 + 0.4 * torch.randn(512, 1, 4, 4, generator=generator)
    noise = torch.randn(x.shape, generator=generator)
    draws, label = torch.randn(512, generator=generator), torch.zeros(512, dtype=torch.int64)

    def loss(mean: float, spread: float) -> float:
        return float(regression_loss(Ideal(kind, mean, spread), x, label, noise, draws, config))

    best = loss(0.2, 0.4)
    assert best < min(loss(0.1, 0.4), loss(0.3, 0.4), loss(0.2, 0.3), loss(0.2, 0.5))


def test_the_ideal_velocity_leaves_the_noise_that_theory_says() -> None:
    # for normal data, E |v - v*|^2 = s^2 / ((1 - t)^2 s^2 + t^2), here at t = 1/2 and s = 0.4
    config = replace(TINY, time_std=0.0)
    generator = torch.Generator().manual_seed(1)
    x = 0.4 * torch.randn(4000, 1, 4, 4, generator=generator)
    noise = torch.randn(x.shape, generator=generator)
    zeros = torch.zeros(4000)
    loss = regression_loss(Ideal("rectified", 0.0, 0.4), x, zeros.long(), noise, zeros, config)
    assert float(loss) == pytest.approx(0.4**2 / (0.25 * 0.4**2 + 0.25), rel=0.02)


def test_the_weights_of_edm_even_out_the_levels() -> None:
    # a network that gives zero predicts c_skip x: every level has the same loss for data of the nominal spread
    network = FlowUNet(**EDM.network_args)
    with torch.no_grad():
        network.tail.weight.zero_()
    generator = torch.Generator().manual_seed(2)
    x = SIGMA_DATA * torch.randn(256, 1, 8, 8, generator=generator)
    noise = torch.randn(x.shape, generator=generator)
    for level in (-2.0, 0.0, 2.0):
        draws = torch.full((256,), level)
        loss = regression_loss(network, x, torch.zeros(256).long(), noise, draws, EDM)
        assert float(loss.detach()) == pytest.approx(1, rel=0.05)


def test_the_network_of_edm_sees_and_gives_numbers_of_unit_size(monkeypatch: pytest.MonkeyPatch) -> None:
    # table 1 of Karras et al.: c_in brings the input to variance 1, c_out what c_skip leaves; c_noise is log(sigma) / 4
    network = FlowUNet(**EDM.network_args)
    generator = torch.Generator().manual_seed(2)
    x = SIGMA_DATA * torch.randn(256, 1, 8, 8, generator=generator)
    noise = torch.randn(x.shape, generator=generator)
    for sigma in (0.05, 0.5, 5.0):
        seen: list[torch.Tensor] = []

        def raw(image, time, label, answer=0.0, seen=seen):  # type: ignore[no-untyped-def]
            seen[:] = [image, time]
            return torch.full_like(image, answer)

        monkeypatch.setattr(network, "features", raw)
        arguments = x + sigma * noise, torch.full((256,), sigma), torch.zeros(256).long()
        skipped = network(*arguments)
        assert float(seen[0].std()) == pytest.approx(1, rel=0.02)
        torch.testing.assert_close(seen[1].exp() ** 4, arguments[1])
        monkeypatch.setattr(network, "features", partial(raw, answer=1.0))
        torch.testing.assert_close(network(*arguments) - skipped, (x - skipped).std().expand_as(x), rtol=0.02, atol=0)


def test_times_have_the_distribution_that_is_asked_for() -> None:
    draws = torch.randn(100_000, generator=torch.Generator().manual_seed(3))
    even = draw_times(draws, replace(TINY, times="even"))
    assert torch.quantile(even, torch.tensor([0.1, 0.5, 0.9])).tolist() == pytest.approx([0.1, 0.5, 0.9], abs=0.01)
    logit = torch.logit(draw_times(draws, replace(TINY, time_mean=0.5, time_std=2.0)).double())
    assert float(logit.mean()) == pytest.approx(0.5, abs=0.03)
    assert float(logit.std()) == pytest.approx(2.0, rel=0.02)


def test_labels_are_dropped_as_often_as_asked() -> None:
    class Spy(torch.nn.Module):
        parametrisation, labels = "rectified", 2

        def forward(self, image, time, label):  # type: ignore[no-untyped-def]
            self.seen = label
            return image

    spy = Spy()
    images = torch.zeros(100, 1, 8, 8, dtype=torch.uint8)
    data = LabelledImages(images, torch.ones(100, dtype=torch.int64), ("a", "b"))
    config = replace(TINY, batch=4000, label_dropout=0.25)
    flow_loss({"network": spy}, data, config, torch.Generator().manual_seed(4))
    assert set(spy.seen.tolist()) == {1, 2}
    assert float((spy.seen == 2).float().mean()) == pytest.approx(0.25, abs=0.03)


@BOTH
def test_the_exported_model_is_the_trained_one(config: FlowConfig, two_kinds: Path, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    path = run_recipe(config, two_kinds, tmp_path / "run", terms="none")
    model = open_model(path)
    assert model.card.facts["labels"] == ["dark", "bright"]
    kind = config.network_args.get("parametrisation", "rectified")
    assert model.card.facts["parametrisation"] == kind
    assert model.card.terms == "none"
    training, validation = load_data(two_kinds, config)
    network = train(make_objective(config), config, training, validation, folder=tmp_path / "run").network
    again = FlowUNet(**config.network_args)
    load_weights(again, path)  # so that training can go on from the file
    for name, stored in again.state_dict().items():
        torch.testing.assert_close(stored, network.state_dict()[name], rtol=1e-3, atol=1e-6)
    noise = np.random.default_rng([5, 0]).standard_normal((1, 1, 8, 8), np.float32)

    def run(x, time):  # type: ignore[no-untyped-def]
        with torch.no_grad():
            return network(x, torch.full((1,), time), torch.tensor([1]))

    start = torch.from_numpy(noise)
    if kind == "rectified":
        expected = sample_flow_heun(run, start, flow_times(3))
    else:
        sigmas = karras_sigmas(3)
        expected = sample_heun(run, start * sigmas[0], sigmas)
    got = sample(str(path), 1, label="bright", rng=5, steps=3, guidance=1, sampler="heun")
    np.testing.assert_allclose(got[0, :, :, 0], (expected[0, 0].numpy() / 2 + 0.5).clip(0, 1), atol=0.02)


def test_a_short_run_learns_what_its_labels_mean(two_kinds: Path, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    config = replace(TINY, steps=150, learning_rate=2e-2, ema=0.9, validate_every=150, label_dropout=0.2)
    path = str(run_recipe(config, two_kinds, tmp_path / "run"))
    dark, bright = (sample(path, 4, label=name, steps=8).mean() for name in ("dark", "bright"))
    assert dark < 0.3 < 0.7 < bright
    in_turn = sample(path, 4, steps=8).mean(axis=(1, 2, 3))
    assert (in_turn[::2] < 0.5).all()
    assert (in_turn[1::2] > 0.5).all()
    frames = interpolate(path, 3, label="bright", steps=4)
    assert frames.shape == (3, 8, 8, 1)


def test_data_that_does_not_fit_the_recipe_is_refused_in_one_line(two_kinds: Path) -> None:
    with pytest.raises(NoTrainingData, match="28 x 28 pixels expected, these are 8 x 8"):
        load_data(two_kinds, flow_fashion())
    with pytest.raises(InvalidSetting, match=r"the labels a, b, c are expected, the data has 0, 1; .* --set labels="):
        load_data(two_kinds, replace(TINY, labels=("a", "b", "c")))


def test_a_recipe_takes_size_and_labels_from_folders(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    for name in ("leaf", "stone"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for index in range(6):
            pixels = rng.integers(0, 255, (12, 12), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "data" / name / f"{index}.png")
    small = {"widths": [8, 12], "blocks": 1, "middle_blocks": 1, "embedding": 8}
    config = replace(flow(), network_args=small, steps=2, batch=4, validation=2)
    path = str(run_recipe(config, tmp_path / "data", tmp_path / "run"))
    assert sample(path, 2, label="stone", steps=1).shape == (2, 12, 12, 1)
    assert open_model(path).card.facts["labels"] == ["leaf", "stone"]
    with pytest.raises(ValueError, match="12 pixels a side: this network needs a multiple of 8"):
        run_recipe(flow(), tmp_path / "data", tmp_path / "other")


def folders_of_levels(place: Path, levels: dict[str, int]) -> Path:
    """A folder per label, each with four flat images of 8 x 8."""
    for name, level in levels.items():
        (place / name).mkdir(parents=True)
        for index in range(4):
            Image.fromarray(np.full((8, 8), level, np.uint8)).save(place / name / f"{index}.png")
    return place


def test_labels_are_matched_with_the_folders_by_name(tmp_path: Path) -> None:
    levels = {"bright": 220, "dark": 30}
    source = folders_of_levels(tmp_path / "data", levels)
    for names in (("dark", "bright"), ("bright", "dark")):
        for part in load_data(source, replace(TINY, labels=names)):
            assert part.names == names
            for image, label in zip(part.images, part.labels.tolist(), strict=True):
                assert int(image[0, 0, 0]) == levels[names[label]]


def test_clothes_in_folders_get_the_names_of_their_folders(tmp_path: Path) -> None:
    config = replace(flow_fashion(), patch=8)
    source = folders_of_levels(tmp_path / "data", {name: 9 * n for n, name in enumerate(config.labels)})
    training, _ = load_data(source, config)
    assert training.names == config.labels
    assert torch.equal(training.images[:, 0, 0, 0], 9 * training.labels)


def test_folders_that_are_numbered_are_named_in_their_order(tmp_path: Path) -> None:
    names = tuple("abcdefghijkl")
    source = folders_of_levels(tmp_path / "data", {str(n): n for n in range(12)})  # "10" sorts before "2"
    training, _ = load_data(source, replace(TINY, labels=names))
    assert torch.equal(training.images[:, 0, 0, 0], training.labels)


def test_folders_of_other_names_are_refused_with_both_lists(tmp_path: Path) -> None:
    source = folders_of_levels(tmp_path / "data", {"a": 0, "b": 1})
    with pytest.raises(InvalidSetting, match=r"labels dark, bright are expected, the data has a, b; .* --set labels="):
        load_data(source, TINY)
    assert load_data(source, replace(TINY, labels=()))[0].names == ("a", "b")


@pytest.mark.parametrize("recipe", ["flow", "gan", "vae"])
def test_a_single_image_is_refused_before_anything_is_learned(recipe: str, tmp_path: Path) -> None:
    Image.fromarray(np.zeros((16, 16), np.uint8)).save(tmp_path / "one.png")
    with pytest.raises(NoTrainingData, match="at least 2 images expected, to hold one out; it has 1"):
        run_recipe(RECIPES[recipe](), tmp_path, tmp_path.parent / "run", steps=1)


def test_training_and_validation_share_no_image(tmp_path: Path) -> None:
    images = np.broadcast_to(np.arange(40, dtype=np.uint8)[:, None, None], (40, 8, 8))
    np.savez(tmp_path / "x.npz", train_images=images, train_labels=np.arange(40) % 2)
    training, validation = load_data(tmp_path / "x.npz", TINY)
    seen, held = (set(part.images[:, 0, 0, 0].tolist()) for part in (training, validation))
    assert len(held) == 8
    assert not seen & held
    assert len(seen | held) == 40


def test_the_network_takes_its_label_and_its_time_into_account() -> None:
    network = FlowUNet(**TINY.network_args)
    x = torch.randn(2, 1, 8, 8)
    base = network(x, torch.tensor([0.3, 0.3]), torch.tensor([0, 0]))
    assert not torch.allclose(base, network(x, torch.tensor([0.3, 0.3]), torch.tensor([1, 1])))
    assert not torch.allclose(base, network(x, torch.tensor([0.4, 0.4]), torch.tensor([0, 0])))


def test_the_shipped_size_stays_small() -> None:
    network = FlowUNet(**flow_fashion().network_args)
    assert sum(p.numel() for p in network.parameters()) <= 2_500_000
