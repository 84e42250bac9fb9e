"""Variational autoencoders: likelihoods and bounds against closed forms, and the model that comes out of a run."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from anew.generation.sample import reconstruct, sample
from anew.inference.models import open_model
from anew.losses.likelihood import (
    bernoulli_log_likelihood,
    gaussian_log_likelihood,
    importance_weighted_nll,
    kl_to_standard_normal,
    normal_log_density,
)
from anew.networks.vae import VAE
from anew.recipes.vae import vae
from anew.training.data import LabelledImages
from anew.training.export import load_weights
from anew.training.run import run_recipe
from anew.training.variational import (
    VALIDATION_SAMPLES,
    VariationalConfig,
    as_observed,
    fit_mixtures,
    load_data,
    make_objective,
    negative_bound,
    preview,
    validate,
)

TINY = VariationalConfig(
    network_args={"latent": 3, "widths": [8], "blocks": 1, "unshuffle": 4},
    patch=8,
    batch=16,
    steps=6,
    warmup=2,
    validate_every=3,
    validation=8,
)
GAUSSIAN = replace(TINY, network_args={**TINY.network_args, "likelihood": "gaussian"})


class LinearGaussian:
    """x = W z + b + s n: the one latent-variable model whose marginal and posterior are known."""

    def __init__(self, pixels: int, latent: int) -> None:
        generator = torch.Generator().manual_seed(0)
        self.W = torch.randn(pixels, latent, generator=generator, dtype=torch.float64)
        self.b = torch.randn(pixels, generator=generator, dtype=torch.float64)
        self.s = 0.7
        self.generator = generator

    def draw(self, count: int):  # type: ignore[no-untyped-def]
        z = torch.randn(count, self.W.shape[1], generator=self.generator, dtype=torch.float64)
        n = torch.randn(count, len(self.b), generator=self.generator, dtype=torch.float64)
        return z @ self.W.T + self.b + self.s * n

    def nll(self, x):  # type: ignore[no-untyped-def]
        covariance = self.W @ self.W.T + self.s**2 * torch.eye(len(self.b), dtype=torch.float64)
        return -torch.distributions.MultivariateNormal(self.b, covariance).log_prob(x)

    def log_likelihood(self, x, z):  # type: ignore[no-untyped-def]
        return normal_log_density(x, z @ self.W.T + self.b, torch.tensor(2 * math.log(self.s)))


def test_importance_weighting_finds_the_marginal_likelihood() -> None:
    model = LinearGaussian(5, 2)
    x = model.draw(40)
    precision = torch.eye(2, dtype=torch.float64) + model.W.T @ model.W / model.s**2
    mean = (x - model.b) @ model.W @ torch.linalg.inv(precision).T / model.s**2
    log_var = (torch.linalg.inv(precision).diagonal() * 2).log().expand_as(mean)  # a little too wide, and no covariance

    def estimate(samples: int, chunk: int = 400):  # type: ignore[no-untyped-def]
        generator = torch.Generator().manual_seed(1)
        likelihood = lambda z: model.log_likelihood(x, z)  # noqa: E731
        return importance_weighted_nll(mean, log_var, likelihood, samples=samples, chunk=chunk, generator=generator)

    truth = model.nll(x)
    torch.testing.assert_close(estimate(5000), truth, atol=0.1, rtol=0)
    assert float(estimate(1).mean()) > float(estimate(10).mean()) > float(truth.mean()) - 0.02
    # all at once or a few at a time, the last ones fewer
    torch.testing.assert_close(estimate(1000, 1000), estimate(1000, 300), atol=0.2, rtol=0)


def test_the_exact_posterior_needs_one_sample() -> None:
    # one latent number, so that a diagonal posterior can be exact: every weight is p(x)
    model = LinearGaussian(4, 1)
    x = model.draw(10)
    variance = 1 / (1 + model.W.square().sum() / model.s**2)
    mean = variance * (x - model.b) @ model.W / model.s**2
    nll = importance_weighted_nll(
        mean,
        variance.log().expand_as(mean),
        lambda z: model.log_likelihood(x, z),
        samples=1,
        generator=torch.Generator().manual_seed(0),
    )
    torch.testing.assert_close(nll, model.nll(x), atol=1e-6, rtol=0)


def test_likelihoods_agree_with_torch_distributions() -> None:
    generator = torch.Generator().manual_seed(2)
    logits = torch.randn(3, 2, 1, 4, 5, generator=generator)
    x = (torch.rand(2, 1, 4, 5, generator=generator) < 0.5).float()
    expected = torch.distributions.Bernoulli(logits=logits).log_prob(x).sum((-1, -2, -3))
    torch.testing.assert_close(bernoulli_log_likelihood(logits, x), expected)
    spread = torch.distributions.Normal(logits, math.exp(-0.3))
    torch.testing.assert_close(
        gaussian_log_likelihood(logits, x, torch.tensor(-0.3)), spread.log_prob(x).sum((-1, -2, -3))
    )


def test_divergence_agrees_with_torch_distributions() -> None:
    generator = torch.Generator().manual_seed(3)
    mean, log_var = torch.randn(2, 5, 4, generator=generator)
    normal, standard = torch.distributions.Normal(mean, (log_var / 2).exp()), torch.distributions.Normal(0.0, 1.0)
    expected = torch.distributions.kl_divergence(normal, standard).sum(-1)
    torch.testing.assert_close(kl_to_standard_normal(mean, log_var), expected)


def test_learned_variance_is_best_at_the_mean_squared_error() -> None:
    generator = torch.Generator().manual_seed(4)
    x, mean = torch.rand(2, 8, 1, 6, 6, generator=generator)
    best = 0.5 * (x - mean).square().mean().log()

    def total(log_sigma: torch.Tensor) -> float:
        return float(gaussian_log_likelihood(mean, x, log_sigma).sum())

    assert total(best) > max(total(best - 0.1), total(best + 0.1))


def test_more_samples_tighten_the_bound(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", train_images=_blobs(200), train_labels=np.zeros(200, np.int64))
    training, _ = load_data(tmp_path / "x.npz", TINY)
    networks = make_objective(TINY).networks
    with torch.no_grad():
        networks["network"].encoder[-1].bias[3:] = 1.0  # a posterior that is too wide
        few, many = (
            negative_bound(
                networks,
                training,
                replace(TINY, batch=512, importance_samples=k),
                torch.Generator().manual_seed(0),
            )
            for k in (1, 50)
        )
    assert float(many) < float(few)


@pytest.mark.parametrize("config", [TINY, GAUSSIAN], ids=["bernoulli", "gaussian"])
def test_training_and_validation_see_the_same_bounds(config: VariationalConfig) -> None:
    images = torch.from_numpy(_blobs(1000)[:, None])
    data = LabelledImages(images, torch.zeros(1000, dtype=torch.int64), ("0",))
    networks = make_objective(config).networks
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        networks["network"].encoder[-1].bias[3:] = -2.0  # a posterior unlike the prior
        scores = validate(networks["network"], data, config)
        for samples, key in ((1, "validation_bound"), (VALIDATION_SAMPLES, "validation_nll_50")):
            bound = negative_bound(networks, data, replace(config, batch=2000, importance_samples=samples), generator)
            assert 64 * float(bound) == pytest.approx(scores[key], rel=0.05), key
    assert scores["validation_nll_50"] < scores["validation_bound"]


def test_beta_weighs_the_divergence(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", train_images=_blobs(50), train_labels=np.zeros(50, np.int64))
    training, _ = load_data(tmp_path / "x.npz", TINY)
    networks = make_objective(TINY).networks
    with torch.no_grad():
        zero, one, three = (
            float(negative_bound(networks, training, replace(TINY, beta=beta), torch.Generator().manual_seed(0)))
            for beta in (0.0, 1.0, 3.0)
        )
    assert one > zero
    assert three - zero == pytest.approx(3 * (one - zero), rel=1e-3)
    with pytest.raises(ValueError, match="beta must be 1"):
        make_objective(replace(TINY, beta=2.0, importance_samples=5))


def test_binarised_pixels_are_white_as_often_as_they_are_bright() -> None:
    images = torch.linspace(0, 1, 5).reshape(1, 1, 1, 5).expand(20_000, 1, 1, 5)
    seen = as_observed(images, replace(TINY, binarise=True), torch.Generator().manual_seed(0))
    assert set(seen.unique().tolist()) == {0.0, 1.0}
    torch.testing.assert_close(seen.mean(0)[0, 0], torch.linspace(0, 1, 5), atol=0.015, rtol=0)


def test_the_sheet_shows_each_image_above_its_reconstruction() -> None:
    network = make_objective(TINY).networks["network"].eval()
    images = torch.from_numpy(_blobs(4)[:, None])
    sheet = preview(network, LabelledImages(images, torch.zeros(4, dtype=torch.int64), ("0",)), TINY)
    side = 8 * (8 + 2)  # drawn eight times as large, with a margin
    assert sheet.shape == (6 * side, 4 * side, 3)
    with torch.no_grad():
        decoded = network.decode(network.encode(images.float() / 255)[0]).sigmoid()
    for row, shown in enumerate((images.float() / 255, decoded)):
        for column, image in enumerate(shown):
            drawn = sheet[row * side : row * side + 64 : 8, column * side : column * side + 64 : 8, 0]
            np.testing.assert_allclose(drawn, 255 * image[0].numpy(), atol=1)


@pytest.mark.parametrize("config", [TINY, GAUSSIAN], ids=["bernoulli", "gaussian"])
def test_the_exported_model_is_the_trained_one(config: VariationalConfig, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    images = _blobs(60)
    np.savez(tmp_path / "x.npz", train_images=images, train_labels=np.zeros(60, np.int64))
    path = run_recipe(config, tmp_path / "x.npz", tmp_path / "run")
    card = open_model(path).card
    assert card.facts["kind"] == "vae"
    assert set(card.scores["held-out images of the training data"]) == {
        "validation_bound",
        "validation_divergence",
        "validation_nll_50",
    }
    network = VAE(channels=1, size=8, **config.network_args)
    load_weights(network, path)
    x = torch.from_numpy(images[:7, None].astype(np.float32) / 255)
    z = torch.from_numpy(np.stack([np.random.default_rng([3, i]).standard_normal(3, np.float32) for i in range(2)]))
    none = torch.zeros(2, dtype=torch.int64)
    with torch.no_grad():
        fit_mixtures(network, load_data(tmp_path / "x.npz", config)[0], config)
        mean, _, placed, *_ = network(x, z, none, none)
        _, _, _, decoded, log_sigma, _ = network(x, placed, none, none)
        again = network(x, mean, *torch.zeros(2, 7, dtype=torch.int64))[3]
    spread = decoded * (1 - decoded) if network.likelihood == "bernoulli" else network.log_sigma.exp().square()
    torch.testing.assert_close(log_sigma.exp().square(), spread.detach().expand_as(decoded))
    np.testing.assert_allclose(sample(str(path), 2, rng=3)[..., 0], decoded[:, 0].clamp(0, 1), atol=2e-3)
    np.testing.assert_allclose(reconstruct(str(path), x[:, 0].numpy())[..., 0], again[:, 0].clamp(0, 1), atol=1e-5)


def test_a_component_has_the_moments_of_the_mixture_of_its_posteriors() -> None:
    generator = torch.Generator().manual_seed(5)
    skew = torch.tensor([[1.0, 0.0, 0.0], [0.8, 0.3, 0.0], [-0.5, 0.2, 0.1]])
    mean = torch.randn(90, 3, generator=generator) @ skew.T + torch.tensor([3.0, 0.0, -1.0])
    log_var = torch.randn(90, 3, generator=generator) - 2
    network = _Encoding(mean, log_var)
    fit_mixtures(network, _unlike_images(90, labels=1), TINY)
    assert network.component_weight.tolist() == [[1.0] + 9 * [0.0]]  # too few images for two components

    posteriors = mean + (0.5 * log_var).exp() * torch.randn(3000, 90, 3, generator=generator)
    noise, first = torch.randn(200_000, 3, generator=generator), torch.zeros(200_000, dtype=torch.int64)
    placed = network.place(noise, first, first)
    torch.testing.assert_close(placed.mean(0), posteriors.mean((0, 1)), atol=0.02, rtol=0)
    torch.testing.assert_close(torch.cov(placed.T), torch.cov(posteriors.reshape(-1, 3).T), atol=0.02, rtol=0)


def test_mixtures_find_the_clusters_of_each_label() -> None:
    generator = torch.Generator().manual_seed(6)
    centres = torch.tensor([[[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]], [[0.0, 9.0, 0.0], [0.0, 0.0, 9.0]]])
    images = _unlike_images(240, labels=2)
    which = torch.arange(240) // 2 % 4 // 3  # a quarter of each label lies around its second centre
    mean = centres[images.labels, which] + 0.1 * torch.randn(240, 3, generator=generator)
    network = _Encoding(mean, torch.full_like(mean, -6))
    fit_mixtures(network, images, replace(TINY, labels=("a", "b", "unseen")))
    assert network.component_weight.count_nonzero(1).tolist() == [2, 2, 1]
    for label in range(2):
        order = network.component_weight[label].argsort(descending=True)[:2]
        torch.testing.assert_close(network.component_weight[label][order], torch.tensor([0.75, 0.25]))
        torch.testing.assert_close(network.component_mean[label][order], centres[label], atol=0.1, rtol=0)
        spread = torch.linalg.det(network.component_factor[label][order]) ** (1 / 3)
        torch.testing.assert_close(spread, torch.full((2,), (0.1**2 + math.exp(-6)) ** 0.5), atol=0.02, rtol=0)


def test_a_trained_model_shows_the_label_that_is_asked_for(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 2
    images = rng.integers(0, 90, (400, 8, 8), np.uint8)
    for half, side in enumerate((slice(0, 4), slice(4, 8))):
        images[labels == half, :, side] += 150
    np.savez(tmp_path / "x.npz", train_images=images, train_labels=labels)
    config = replace(GAUSSIAN, steps=150, learning_rate=3e-3, validate_every=150)
    path = str(run_recipe(config, tmp_path / "x.npz", tmp_path / "run"))
    assert open_model(path).card.facts["labels"] == ["0", "1"]
    for label, brighter, darker in (("0", slice(0, 4), slice(4, 8)), ("1", slice(4, 8), slice(0, 4))):
        made = sample(path, 40, label=label)[..., 0]
        contrast = made[:, :, brighter].mean((1, 2)) - made[:, :, darker].mean((1, 2))
        assert contrast.min() > 0.3, f"label {label}"


def test_a_size_that_does_not_divide_is_refused() -> None:
    with pytest.raises(ValueError, match="size must be a multiple of 8, not 28"):
        VAE(size=28, widths=[8, 8], unshuffle=4)


def test_a_recipe_takes_its_size_from_the_data(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    np.savez(tmp_path / "x.npz", train_images=_blobs(60), train_labels=np.arange(60) % 3)
    config = replace(vae(), steps=2, batch=4, network_args=GAUSSIAN.network_args)
    path = str(run_recipe(config, tmp_path / "x.npz", tmp_path / "run"))
    assert sample(path, 2).shape == (2, 8, 8, 1)


class _Encoding(VAE):
    """A network whose encoder answers with what it was given."""

    def __init__(self, mean, log_var) -> None:  # type: ignore[no-untyped-def]
        super().__init__(size=8, **TINY.network_args)
        self.answer = (mean, log_var)

    def encode(self, image):  # type: ignore[no-untyped-def]
        return self.answer


def _unlike_images(count: int, labels: int) -> LabelledImages:
    names = tuple("abc"[:labels])
    return LabelledImages(torch.zeros(count, 1, 8, 8, dtype=torch.uint8), torch.arange(count) % labels, names)


def _blobs(count: int) -> np.ndarray:
    """Images of 8 x 8 with one bright spot each."""
    rng = np.random.default_rng(0)
    centre = rng.uniform(2, 6, (count, 2, 1, 1))
    y, x = np.mgrid[:8, :8]
    distance = (y - centre[:, 0]) ** 2 + (x - centre[:, 1]) ** 2
    return (255 * np.exp(-distance / 4)).astype(np.uint8)
