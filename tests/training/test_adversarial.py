"""Adversarial training: one loop for every loss, exact resume, augmentation, warnings, and the exported generator."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from anew.generation.sample import interpolate, sample
from anew.inference.models import open_model
from anew.losses.adversarial import LOSSES, gradient_penalty, squared_gradient
from anew.networks import build_network
from anew.recipes.gan import dcgan_plain, gan, gan_digits, gan_faces, gan_fashion, wgan_gp_plain
from anew.training.adversarial import (
    AdversarialConfig,
    Judge,
    adapt,
    discriminator_loss,
    export,
    generate,
    generator_loss,
    load_data,
    make_objective,
)
from anew.training.data import LabelledImages, NoTrainingData
from anew.training.differentiable_augmentation import OPERATIONS, augment, next_chance
from anew.training.export import load_weights
from anew.training.game_report import GameReport, describe, find_trouble
from anew.training.log_summary import draw_log, read_log
from anew.training.loop import train
from anew.training.restoration import RunFacts
from anew.training.run import run_recipe

TINY = AdversarialConfig(
    network_args={"latent": 4, "widths": [8, 6]},
    discriminator_args={"widths": [6, 8], "minibatch_std": True},
    patch=8,
    batch=8,
    steps=8,
    validate_every=4,
    validation=16,
    labels=("dark", "bright"),
    r1=1.0,
    r2=1.0,
    penalty_every=2,
)
FULL = replace(  # everything that has a state
    TINY,
    network="style_gan",
    discriminator_args={**TINY.discriminator_args, "spectral": True},
    augment=OPERATIONS,
    augment_chance=0.3,
    augment_target=0.6,
    growing=0.5,
    discriminator_updates=2,
    ema=0.9,
)


@pytest.fixture
def two_kinds(tmp_path: Path) -> Path:
    """64 images of 8 x 8: dark ones and bright ones, a little noisy."""
    labels = np.arange(64) % 2
    noise = np.random.default_rng(0).integers(-20, 20, (64, 8, 8))
    images = (np.where(labels, 220, 30)[:, None, None] + noise).astype(np.uint8)
    path = tmp_path / "two.npz"
    np.savez(path, train_images=images, train_labels=labels.astype(np.uint8))
    return path


def run_tiny(folder: Path, data: Path, config: AdversarialConfig, **options: Any) -> Any:
    torch.set_num_threads(1)
    training, validation = load_data(data, config)
    return train(make_objective(config), config, training, validation, folder=folder, **options)


def images_of(count: int) -> LabelledImages:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (count, 1, 8, 8), generator=generator).byte()
    return LabelledImages(pixels, torch.arange(count) % 2, ("dark", "bright"))


@pytest.mark.parametrize("config", [TINY, FULL], ids=["plain", "full"])
def test_an_interrupted_run_equals_an_unbroken_one_bit_for_bit(
    config: AdversarialConfig, two_kinds: Path, tmp_path: Path
) -> None:
    unbroken = run_tiny(tmp_path / "unbroken", two_kinds, config)
    while run_tiny(tmp_path / "broken", two_kinds, config, stop_after_minutes=0).steps_done < config.steps:
        pass  # every call does one step, writes its checkpoint and stops
    resumed = run_tiny(tmp_path / "broken", two_kinds, config)
    for name, value in unbroken.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name]), name
    states = [torch.load(tmp_path / kind / "checkpoint.pt", weights_only=True) for kind in ("unbroken", "broken")]
    for name, value in states[0]["networks"]["discriminator"].items():
        assert torch.equal(value, states[1]["networks"]["discriminator"][name]), name
    assert int(states[0]["networks"]["discriminator"]["updates"]) == config.steps * config.discriminator_updates


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("network", ["dense_gan", "dcgan", "residual_gan", "style_gan"])
def test_every_loss_trains_every_architecture(network: str, loss: str, two_kinds: Path, tmp_path: Path) -> None:
    config = replace(
        TINY,
        network=network,
        discriminator=f"{network}_discriminator",
        network_args={"latent": 4, "widths": [8, 6]},
        discriminator_args={"widths": [6, 8]},
        loss=loss,
        r1=0.5,
        r2=0.0,
        gradient_penalty=10.0 if loss == "wasserstein" else 0.0,
        penalty_every=1,
        steps=2,
        validate_every=2,
    )
    run = run_tiny(tmp_path / "run", two_kinds, config)
    entry = run.log[-1]
    for key in ("loss_generator", "loss_discriminator", "gradient_generator", "gradient_discriminator"):
        assert np.isfinite(entry[key]), key
    assert entry["gradient_generator"] > 0
    objective = make_objective(config)
    generator = torch.Generator().manual_seed(0)
    for name, of in objective.losses.items():
        for other, module in objective.networks.items():
            module.requires_grad_(other in (name, objective.product))
        of(objective.networks, images_of(32), config, generator).backward()
        for key, parameter in objective.networks[name].named_parameters():
            assert parameter.grad is not None, key
            assert parameter.grad.isfinite().all(), key


@pytest.mark.parametrize("conditioning", ["projection", "concatenation", "auxiliary"])
def test_the_generator_learns_what_its_labels_mean(conditioning: str, two_kinds: Path, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    config = replace(
        TINY,
        network="dense_gan",
        discriminator="dense_gan_discriminator",
        network_args={"latent": 4, "widths": [16, 16]},
        discriminator_args={"widths": [16, 16], "conditioning": conditioning},
        steps=250,
        batch=16,
        learning_rate=5e-3,
        betas=(0.5, 0.9),
        ema=0.9,
        validate_every=250,
        penalty_every=1,
    )
    path = str(run_recipe(config, two_kinds, tmp_path / "run"))
    dark, bright = (sample(path, 8, label=name).mean() for name in ("dark", "bright"))
    assert dark < 0.3 < 0.7 < bright


@pytest.mark.parametrize("network", ["dense_gan", "dcgan", "residual_gan", "style_gan"])
def test_the_exported_model_is_the_trained_one(network: str, two_kinds: Path, tmp_path: Path) -> None:
    config = replace(
        TINY,
        network=network,
        discriminator=f"{network}_discriminator",
        network_args={"latent": 4, "widths": [8, 6]},
        discriminator_args={"widths": [6, 8]},
        steps=3,
    )
    torch.set_num_threads(1)
    path = run_recipe(config, two_kinds, tmp_path / "run", terms="none")
    card = open_model(path).card
    assert (card.facts["kind"], card.facts["latent"], card.facts["size"]) == ("gan", 4, [8, 8])
    assert card.facts["labels"] == ["dark", "bright"]
    assert card.facts["measured_in"] == "thumbnails of 8 x 8 pixels"
    assert card.terms == "none"
    assert "validation_coverage" in card.scores["held-out images of the training data"]
    again = build_network(card.network, channels=1, **card.network_args).eval()
    load_weights(again, path)  # so that training can go on from the file
    noise = [np.random.default_rng([3, i]).standard_normal(4, np.float32) for i in range(6)]
    with torch.no_grad():
        expected = again(torch.from_numpy(np.stack(noise)), torch.arange(6) % 2)
    np.testing.assert_allclose(sample(str(path), 6, rng=3)[..., 0], (expected[:, 0] + 1) / 2, atol=1e-4)
    assert interpolate(str(path), 3, label="bright").shape == (3, 8, 8, 1)


def test_a_run_without_labels_makes_a_model_without_labels(two_kinds: Path, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    small = {"latent": 4, "widths": [8]}
    config = replace(dcgan_plain(), network_args=small, discriminator_args={"widths": [8]}, patch=0, steps=2, batch=4)
    path = str(run_recipe(config, two_kinds, tmp_path / "run"))
    assert sample(path, 3).shape == (3, 8, 8, 1)
    with pytest.raises(ValueError, match="takes no label"):
        sample(path, 3, label="dark")


def test_training_goes_on_from_an_exported_file(two_kinds: Path, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    first = run_recipe(TINY, two_kinds, tmp_path / "first")
    config = replace(TINY, steps=1, learning_rate=0.0)
    second = run_recipe(config, two_kinds, tmp_path / "second", start_from=str(first))
    one, two = (build_network("residual_gan", channels=1, size=8, labels=2, **TINY.network_args) for _ in range(2))
    load_weights(one, first)
    load_weights(two, second)
    for (name, a), b in zip(one.named_parameters(), two.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=2e-3, atol=1e-6, msg=name)


def test_penalties_are_taken_at_every_kth_update_and_k_times_as_strong() -> None:
    config = replace(TINY, penalty_every=3, r1=2.0, r2=0.0)
    networks = make_objective(config).networks
    data = images_of(32)

    def value(**changes: Any) -> float:
        loss = discriminator_loss(networks, data, replace(config, **changes), torch.Generator().manual_seed(1))
        return float(loss.detach())

    judge: Any = networks["discriminator"]
    judge.updates.fill_(0)
    with_penalty = value()
    judge.updates.fill_(1)
    without = value()
    x, label = data.batch(config.batch, torch.Generator().manual_seed(1))
    x.requires_grad_()
    slope = float(squared_gradient(judge(x, label)[0], x).detach())
    assert slope > 1e-4
    assert with_penalty - without == pytest.approx(3 * 2.0 / 2 * slope, rel=1e-3)
    judge.updates.fill_(2)
    assert value() == pytest.approx(without, rel=1e-6)
    judge.updates.fill_(3)
    assert value() == pytest.approx(with_penalty, rel=1e-5)


def test_each_penalty_is_taken_at_its_own_images() -> None:
    config = replace(TINY, penalty_every=3, r1=0.0, r2=0.0)
    networks = make_objective(config).networks
    data, judge = images_of(32), networks["discriminator"]
    draws = torch.Generator().manual_seed(1)
    x, label = data.batch(config.batch, draws)
    fake = generate(networks["generator"], label, draws).detach()
    part = torch.rand(len(x), generator=draws)

    def added(**penalty: float) -> float:
        losses = []
        for changes in (penalty, {}):
            judge.updates.fill_(0)
            of = discriminator_loss(networks, data, replace(config, **changes), torch.Generator().manual_seed(1))
            losses.append(float(of.detach()))
        return losses[0] - losses[1]

    def slope(images: torch.Tensor) -> float:
        images = images.clone().requires_grad_()
        return float(squared_gradient(judge(images, label)[0], images).detach())

    assert abs(slope(x) - slope(fake)) > 0.1 * slope(x)
    assert added(r1=2.0) == pytest.approx(3 * 2.0 / 2 * slope(x), rel=1e-3)
    assert added(r2=2.0) == pytest.approx(3 * 2.0 / 2 * slope(fake), rel=1e-3)
    between = gradient_penalty(lambda images: judge(images, label)[0], x, fake, part)
    assert added(gradient_penalty=10.0) == pytest.approx(3 * 10.0 * float(between.detach()), rel=1e-4)


def test_the_discriminator_names_real_and_generated_images_and_both_players_see_them_augmented() -> None:
    arguments = {**TINY.discriminator_args, "conditioning": "auxiliary"}
    config = replace(TINY, discriminator_args=arguments, r1=0.0, r2=0.0, augment=("cutout",))
    networks = make_objective(config).networks
    seen, named = [], []
    networks["discriminator"].register_forward_hook(lambda module, inputs, output: seen.append(inputs[0].detach()))
    networks["discriminator"].register_forward_hook(lambda module, inputs, output: named.append(output[1].detach()))

    def loss(of: Any, weight: float) -> float:
        value = of(networks, images_of(32), replace(config, class_weight=weight), torch.Generator().manual_seed(0))
        return float(value.detach())

    with_names, without = (loss(discriminator_loss, weight) for weight in (3.0, 0.0))
    label = networks["discriminator"].batch[2]
    real, fake = (float(torch.nn.functional.cross_entropy(logits, label)) for logits in named[:2])
    assert with_names - without == pytest.approx(3 * (real + fake) / 2, rel=1e-4)
    named.clear()
    with_names, without = (loss(generator_loss, weight) for weight in (3.0, 0.0))
    own = float(torch.nn.functional.cross_entropy(named[0], label))
    assert with_names - without == pytest.approx(3 * own, rel=1e-4)
    assert len(seen) == 8
    assert all((images == 0).any() for images in seen)  # no other pixel is exactly grey


def test_clipping_holds_the_critic_in_its_box() -> None:
    config = replace(TINY, loss="wasserstein", weight_limit=0.01, r1=0.0, r2=0.0)
    networks = make_objective(config).networks
    discriminator_loss(networks, images_of(32), config, torch.Generator())
    assert max(float(p.detach().abs().max()) for p in networks["discriminator"].parameters()) <= 0.01


def test_two_time_scales_and_updates_reach_the_loop() -> None:
    objective = make_objective(replace(TINY, discriminator_rate=4.0, discriminator_updates=5))
    assert objective.rates["discriminator"] == 4
    assert objective.repeats["discriminator"] == 5


def test_the_generator_is_shown_no_real_gradient_and_the_judge_no_generators() -> None:
    config = replace(TINY, loss="relativistic")
    networks = make_objective(config).networks
    discriminator_loss(networks, images_of(32), config, torch.Generator()).backward()
    assert all(p.grad is None for p in networks["generator"].parameters())


def test_both_players_see_the_images_that_were_made_once() -> None:
    networks = make_objective(TINY).networks
    made, seen = [], []
    networks["generator"].register_forward_hook(lambda module, inputs, output: made.append(output.detach().clone()))
    networks["discriminator"].register_forward_hook(lambda module, inputs, output: seen.append(inputs[0].detach()))
    for loss in (discriminator_loss, generator_loss):
        loss(networks, images_of(32), TINY, torch.Generator().manual_seed(0)).backward()
    assert len(made) == 1
    real, *fakes = seen[0], seen[1], seen[2]  # the generator's turn begins with its own
    for fake in fakes:
        torch.testing.assert_close(fake, made[0])
    torch.testing.assert_close(seen[3], real)
    assert all(p.grad is not None for p in networks["generator"].parameters())


def test_growing_follows_the_run() -> None:
    config = replace(FULL, steps=100, growing=0.5, discriminator_updates=1, augment=(), augment_target=0.0)
    networks = make_objective(config).networks
    judge: Any = networks["discriminator"]
    for updates, grown in ((0, 1.0), (25, 1.5), (50, 2.0), (90, 2.0)):
        judge.updates.fill_(updates)
        discriminator_loss(networks, images_of(32), config, torch.Generator())
        assert float(networks["generator"].grown) == grown
    with pytest.raises(ValueError, match="residual_gan cannot grow"):
        make_objective(replace(TINY, growing=0.5))


def test_the_best_weights_are_kept_as_grown_as_they_were_scored(two_kinds: Path, tmp_path: Path) -> None:
    config = replace(FULL, growing=1.0, validate_every=1, keep="best", bfloat16=False)
    objective = make_objective(config)
    seen: list[torch.Tensor] = []
    latent, label = torch.randn(4, 4, generator=torch.Generator().manual_seed(0)), torch.arange(4) % 2

    def validate(network: torch.nn.Module, *_: Any) -> dict[str, float]:
        seen.append(network(latent, label).detach().clone())
        return {"validation_distance": (4.0, 3.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0)[len(seen) - 1]}

    torch.set_num_threads(1)
    training, validation = load_data(two_kinds, config)
    run = train(replace(objective, validate=validate), config, training, validation, folder=tmp_path)
    with torch.no_grad():
        torch.testing.assert_close(run.network(latent, label), seen[2], rtol=0, atol=0)
    assert float(run.network.grown) == 1.25


@pytest.mark.parametrize("grown", [1.0, 1.5, 2.0])
def test_a_file_is_as_grown_as_the_network_was(grown: float, tmp_path: Path) -> None:
    objective = make_objective(FULL)
    generator: Any = objective.networks["generator"]
    generator.grown.fill_(grown)
    export(generator, FULL, tmp_path / "model.onnx", RunFacts())
    again: Any = make_objective(replace(FULL, seed=5)).networks["generator"].eval()
    load_weights(again, tmp_path / "model.onnx")  # what has not begun to grow is not in it
    assert float(again.grown) == grown
    noise = [np.random.default_rng([3, i]).standard_normal(4, np.float32) for i in range(4)]
    with torch.no_grad():
        expected = again(torch.from_numpy(np.stack(noise)), torch.arange(4) % 2)
    made = sample(str(tmp_path / "model.onnx"), 4, rng=3)
    np.testing.assert_allclose(made[..., 0], (expected[:, 0] + 1) / 2, atol=1e-4)


def test_a_checkpoint_from_before_growth_was_kept_goes_on(two_kinds: Path, tmp_path: Path) -> None:
    run_tiny(tmp_path, two_kinds, FULL, stop_after_minutes=0)
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    del state["networks"]["generator"]["grown"], state["average"]["grown"]
    torch.save(state, tmp_path / "checkpoint.pt")
    assert run_tiny(tmp_path, two_kinds, FULL).steps_done == FULL.steps


def test_too_few_held_out_images_are_refused_before_anything_is_learned(two_kinds: Path) -> None:
    with pytest.raises(NoTrainingData, match="a game needs 2 held-out images or more, here 1 of 64"):
        load_data(two_kinds, replace(TINY, validation=1))


def test_an_unknown_loss_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"no adversarial loss 'l1'; there are minimax, .*relativistic"):
        make_objective(replace(TINY, loss="l1"))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_augmentation_passes_gradients_and_does_nothing_at_strength_zero(operation: str) -> None:
    x = torch.rand(6, 3, 8, 8, requires_grad=True)
    for off in ({"strength": 0.0}, {"chance": 0.0}):
        same = augment(x, [operation], torch.Generator().manual_seed(0), **off)
        torch.testing.assert_close(same, x, atol=1e-6, rtol=0)
    changed = augment(x, [operation], torch.Generator().manual_seed(0))
    assert not torch.allclose(changed, x)
    (gradient,) = torch.autograd.grad(changed.sum(), x)
    assert gradient.isfinite().all()
    assert gradient.abs().sum() > 0
    again = augment(x, [operation], torch.Generator().manual_seed(0))
    torch.testing.assert_close(changed, again)


def test_augmentation_happens_as_often_as_its_chance_says() -> None:
    x = torch.ones(4000, 1, 8, 8)
    changed = augment(x, ["colour"], torch.Generator().manual_seed(0), chance=0.3)
    share = float(((changed - x).abs().amax((1, 2, 3)) > 1e-6).float().mean())
    assert share == pytest.approx(0.3, abs=0.03)


def test_colour_changes_brightness_and_contrast_within_the_ranges_of_the_paper() -> None:
    x = torch.linspace(-0.5, 0.5, 64).reshape(1, 1, 8, 8).expand(3000, -1, -1, -1)
    changed = augment(x, ["colour"], torch.Generator().manual_seed(0))
    shift = changed.mean((1, 2, 3))
    contrast = changed.std((1, 2, 3)) / x.std((1, 2, 3))
    assert (float(shift.min()), float(shift.max())) == pytest.approx((-0.5, 0.5), abs=0.01)  # images are in [-1, 1]
    assert (float(contrast.min()), float(contrast.max())) == pytest.approx((0.5, 1.5), abs=0.01)


def test_colour_changes_saturation_within_the_range_of_the_paper() -> None:
    grey = torch.linspace(-0.5, 0.5, 64).reshape(1, 1, 8, 8)
    x = (grey + torch.tensor([0.2, 0.0, -0.2]).reshape(1, 3, 1, 1)).expand(3000, -1, -1, -1)
    changed = augment(x, ["colour"], torch.Generator().manual_seed(0))
    contrast = changed.mean(1).std((1, 2)) / grey.std()
    saturation = (changed[:, 0] - changed[:, 2]).mean((1, 2)) / 0.4 / contrast
    assert (float(saturation.min()), float(saturation.max())) == pytest.approx((0, 2), abs=0.01)


def test_translation_shifts_by_up_to_an_eighth_of_the_side() -> None:
    x = torch.zeros(2000, 1, 16, 16)
    x[:, :, 8, 8] = 1
    moved = augment(x, ["translation"], torch.Generator().manual_seed(0))
    assert (moved.sum((1, 2, 3)) == 1).all()  # nothing is lost or doubled
    places = moved.flatten(1).argmax(dim=1)
    rows = (places // 16 - 8).tolist()
    assert set(rows) == {-2, -1, 0, 1, 2}
    counts = np.bincount(np.array(rows) + 2)
    assert counts.min() > 300  # each of the five as likely


def test_cut_out_blanks_a_square_of_half_the_side() -> None:
    x = torch.ones(500, 1, 16, 16)
    blanked = augment(x, ["cutout"], torch.Generator().manual_seed(0)) == 0
    areas = blanked.sum((1, 2, 3))
    assert int(areas.max()) == 64
    assert int(areas.min()) >= 16  # a corner at least


def test_unknown_augmentation_is_refused() -> None:
    with pytest.raises(ValueError, match="no augmentation 'blur'; there are colour, translation, cutout"):
        augment(torch.zeros(1, 1, 8, 8), ["blur"], torch.Generator())


def test_the_chance_of_augmentation_follows_how_sure_the_discriminator_is() -> None:
    assert next_chance(0.5, 0.9, target=0.6, images=1000) > 0.5 > next_chance(0.5, 0.3, target=0.6, images=1000)
    assert next_chance(1.0, 0.9, target=0.6, images=1000) == 1
    assert next_chance(0.0, 0.1, target=0.6, images=1000) == 0


@pytest.mark.parametrize(("loss", "zero"), [("hinge", 0.0), ("least-squares", 0.5), ("relativistic", 0.0)])
def test_a_judge_remembers_how_sure_it_is(loss: str, zero: float) -> None:
    config = replace(TINY, loss=loss, augment=("colour",), augment_target=0.6)
    judge = Judge(torch.nn.Identity(), 0.5)
    for _ in range(400):
        judge.remember(torch.full((8,), zero + 1), torch.full((8,), zero - 1), config)
    assert float(judge.ranked_right) == pytest.approx(1, abs=0.01)
    assert float(judge.sureness) == pytest.approx(1, abs=0.01)
    assert float(judge.chance) > 0.5
    for _ in range(400):
        judge.remember(torch.randn(8) * 1e-3 + zero, torch.randn(8) * 1e-3 + zero, config)
    assert float(judge.ranked_right) == pytest.approx(0.5, abs=0.1)


def test_trouble_is_said_in_plain_words() -> None:
    fine = {
        "loss_generator": 0.7,
        "loss_discriminator": 0.6,
        "gradient_generator": 1.0,
        "ranked_right": 0.7,
        "validation_coverage": 0.6,
    }
    assert find_trouble([]) is None
    assert find_trouble([fine, fine]) is None
    won = find_trouble([fine, {**fine, "ranked_right": 0.995, "gradient_generator": 0.001}])
    assert won is not None
    assert "the discriminator wins" in won
    assert "faded to 0.1%" in won
    vanished = find_trouble([fine, {**fine, "validation_coverage": 0.2}])
    assert vanished is not None
    assert "coverage fell from 0.60 to 0.20" in vanished
    broken = find_trouble([fine, {**fine, "loss_generator": float("nan")}])
    assert broken is not None
    assert "no number" in broken


def test_the_loop_writes_trouble_into_the_log(two_kinds: Path, tmp_path: Path) -> None:
    config = replace(
        TINY,
        network="dense_gan",
        discriminator="dense_gan_discriminator",
        discriminator_args={"widths": [32]},
        loss="minimax",
        learning_rate=1e-3,
        discriminator_rate=30.0,
        r1=0.0,
        r2=0.0,
        steps=200,
        validate_every=100,
    )
    run_tiny(tmp_path / "run", two_kinds, config)
    entries = read_log(tmp_path / "run" / "log.jsonl")
    assert any("the discriminator wins" in entry.get("trouble", "") for entry in entries)


def test_the_report_sees_equal_sets_and_collapsed_ones() -> None:
    report = GameReport("")
    real = images_of(200).images
    itself = report.compare(real, real.float() / 127.5 - 1)
    assert itself["validation_distance"] == pytest.approx(0, abs=1e-6)
    assert itself["validation_coverage"] == itself["validation_recall"] == 1
    one = report.compare(real, (real[:1].float() / 127.5 - 1).expand(200, -1, -1, -1))
    assert one["validation_coverage"] < 0.1
    assert one["validation_recall"] < 0.01
    assert one["validation_distance"] > itself["validation_distance"]
    assert report.compare(real, torch.full((200, 1, 8, 8), float("nan"))) == {}


def test_an_extractor_of_another_size_gives_way_to_thumbnails() -> None:
    real = images_of(20).images
    for name in ("digits", "none such"):  # the first is for 28 x 28
        assert "validation_distance" in GameReport(name).compare(real, real.float() / 127.5 - 1)
        assert describe(name, 8) == "thumbnails of 8 x 8 pixels"
    assert describe("digits", 28) == "features-digits"


def test_a_log_is_read_without_what_an_interruption_undid(tmp_path: Path) -> None:
    lines = [
        {"step": 10, "minutes": 1.0, "loss": 3.0},
        {"step": 20, "minutes": 2.0, "loss": 2.0},
        {"step": 20, "minutes": 1.9, "loss": 2.1},  # gone on from a checkpoint of step 10
        {"step": 30, "minutes": 2.8, "loss": 1.0},
    ]
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    entries = read_log(path)
    assert [(e["step"], e["loss"]) for e in entries] == [(10, 3.0), (20, 2.1), (30, 1.0)]
    assert [e["minutes"] for e in entries] == pytest.approx([1.0, 1.9, 2.8])
    assert read_log(tmp_path / "none.jsonl") == []


def test_the_summary_draws_a_panel_for_each_kind_of_figure() -> None:
    entries = [
        {"step": s, "minutes": s / 2, "loss_a": 1 / s, "loss_b": s, "gradient_a": s, "validation_distance": 3 - s}
        for s in (1, 2)
    ]
    picture = draw_log(entries)
    assert picture.shape == (190, 990, 3)
    for column in range(3):
        panel = picture[:, column * 330 : (column + 1) * 330]
        assert (panel.max(axis=2).astype(int) - panel.min(axis=2) > 60).any()  # a coloured line
    assert draw_log([]).shape == (190, 330, 3)
    assert draw_log(entries[:1]).shape == (190, 990, 3)


def test_a_run_leaves_its_sheet_and_its_summary(two_kinds: Path, tmp_path: Path) -> None:
    run_tiny(tmp_path / "run", two_kinds, TINY)
    for name in ("preview.png", "summary.png", "log.jsonl", "config.json", "checkpoint.pt"):
        assert (tmp_path / "run" / name).stat().st_size > 0


@pytest.mark.parametrize("recipe", [gan, gan_digits, gan_fashion, gan_faces, dcgan_plain, wgan_gp_plain])
def test_recipes_are_complete_and_small(recipe: Any) -> None:
    config = replace(recipe(), patch=recipe().patch or 64)
    names = config.labels or ("a", "b", "c")
    pixels = torch.zeros(4, 1, config.patch, config.patch, dtype=torch.uint8)
    config = adapt(config, LabelledImages(pixels, torch.arange(4) % len(names), names))
    networks = make_objective(config).networks
    assert sum(p.numel() for p in networks["generator"].parameters()) <= 1_000_000
    assert config.conditional == bool(config.labels)
