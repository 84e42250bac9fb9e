"""Adversarial networks: their parts against the equations, and a contract over all architectures and conditionings."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from anew.networks import build_network
from anew.networks.dcgan import coarsest
from anew.networks.label_conditioning import LabelledLatent, Verdict
from anew.networks.minibatch_std import MinibatchStd
from anew.networks.residual_gan import ConditionalBatchNorm, DiscriminatorBlock, SelfAttention
from anew.networks.style_gan import StyledConv, grow_images

SMALL: dict[str, dict[str, Any]] = {  # generator -> arguments of both
    "dense_gan": {"widths": [12, 8]},
    "dcgan": {"widths": [8, 6]},
    "residual_gan": {"widths": [8, 6]},
    "style_gan": {"widths": [8, 6]},
}
CONDITIONINGS = ("projection", "concatenation", "auxiliary")
ALL = pytest.mark.parametrize("name", SMALL)


def pair(name: str, **changes: Any) -> tuple[torch.nn.Module, torch.nn.Module]:
    ours = {key: changes.pop(key) for key in ("spectral", "conditioning") if key in changes}
    arguments = {"channels": 1, "size": 16, "labels": 3, **SMALL[name], **changes}
    generator = build_network(name, **arguments, latent=5)
    return generator, build_network(f"{name}_discriminator", **arguments, **ours)


@ALL
@pytest.mark.parametrize(("channels", "labels"), [(1, 0), (3, 4)])
def test_shapes_and_ranges(name: str, channels: int, labels: int) -> None:
    generator, discriminator = pair(name, channels=channels, labels=labels)
    label = torch.arange(6) % labels if labels else None
    image = generator(10 * torch.randn(6, 5), label)
    assert image.shape == (6, channels, 16, 16)
    assert float(image.detach().abs().max()) <= 1
    score, logits = discriminator(image, label)
    assert score.shape == (6,)
    assert logits.shape == (6, 0)


@ALL
@pytest.mark.parametrize("spectral", [False, True])
@pytest.mark.parametrize("conditioning", CONDITIONINGS)
def test_gradients_reach_everything(name: str, conditioning: str, spectral: bool) -> None:
    generator, discriminator = pair(name, conditioning=conditioning, spectral=spectral)
    label = torch.tensor([0, 1, 2, 0])
    score, logits = discriminator(generator(torch.randn(4, 5), label), label)
    loss = score.sigmoid().sum() + (logits.square().sum() if logits.shape[1] else 0)
    loss.backward()
    for network in (generator, discriminator):
        for key, parameter in network.named_parameters():
            assert parameter.grad is not None, key
            assert parameter.grad.isfinite().all(), key
            assert parameter.grad.abs().sum() > 0, key


@ALL
def test_the_label_changes_the_image_and_the_score(name: str) -> None:
    for conditioning in ("projection", "concatenation"):
        generator, discriminator = (network.eval() for network in pair(name, conditioning=conditioning))
        latent, zeros, ones = torch.randn(2, 5), torch.zeros(2).long(), torch.ones(2).long()
        image, other = generator(latent, zeros), generator(latent, ones)
        assert not torch.allclose(image, other, atol=1e-4)
        assert not torch.allclose(discriminator(image, zeros)[0], discriminator(image, ones)[0])


@ALL
def test_an_auxiliary_classifier_names_labels_and_its_score_does_not_know_them(name: str) -> None:
    _, discriminator = pair(name, conditioning="auxiliary")
    discriminator.eval()
    image = torch.randn(3, 1, 16, 16)
    score, logits = discriminator(image, torch.zeros(3).long())
    again, _ = discriminator(image, torch.ones(3).long())
    torch.testing.assert_close(score, again)
    assert logits.shape == (3, 3)


def test_projection_is_the_inner_product_of_the_paper() -> None:
    verdict = Verdict(6, 3, "projection")
    features, label = torch.randn(4, 6), torch.tensor([2, 0, 1, 1])
    score, _ = verdict(features, label)
    weight, bias = verdict.score.weight[0], verdict.score.bias
    expected = [features[i] @ (weight + verdict.embed.weight[label[i]]) + bias[0] for i in range(4)]
    torch.testing.assert_close(score, torch.stack(expected))


def test_without_labels_the_latent_vector_stays_as_it_is() -> None:
    latent = torch.randn(2, 5)
    assert LabelledLatent(5, 0)(latent, None) is latent
    assert LabelledLatent(5, 2, 7).width == 12


@pytest.mark.parametrize("name", ["dense_gan", "residual_gan", "style_gan"])
def test_spectral_normalisation_brings_every_largest_singular_value_to_one(name: str) -> None:
    _, discriminator = pair(name, spectral=True)
    with torch.no_grad():
        for _ in range(60):
            discriminator(torch.randn(4, 1, 16, 16), torch.zeros(4).long())
    layers = [m for m in discriminator.eval().modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]
    assert layers
    for layer in layers:
        largest = torch.linalg.matrix_norm(layer.weight.flatten(1), ord=2)
        assert float(largest.detach()) == pytest.approx(1, abs=0.02)


def test_minibatch_deviation_is_zero_for_equal_images_and_known_for_others() -> None:
    layer = MinibatchStd(group=2)
    same = torch.randn(1, 3, 4, 4).expand(4, -1, -1, -1)
    assert float(layer(same)[:, 3].max()) == pytest.approx(0, abs=1e-3)
    x = torch.zeros(4, 3, 4, 4)
    x[2:] = 6.0  # groups hold images n and n + 2, whose deviation is 3
    np.testing.assert_allclose(layer(x)[:, 3].numpy(), 3, rtol=1e-5)
    np.testing.assert_array_equal(layer(x)[:, :3], x)
    assert layer(torch.zeros(3, 1, 2, 2)).shape == (3, 2, 2, 2)  # a batch that the group does not divide


def test_conditional_normalisation_equals_its_equation() -> None:
    layer = ConditionalBatchNorm(4, 3)
    x, condition = torch.randn(5, 4, 6, 6), torch.randn(5, 3)
    normal = (x - x.mean((0, 2, 3), keepdim=True)) / (x.var((0, 2, 3), unbiased=False, keepdim=True) + 1e-5).sqrt()
    scale, shift = layer.modulation(condition)[:, :, None, None].chunk(2, dim=1)
    torch.testing.assert_close(layer(x, condition), (1 + scale) * normal + shift, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("shrink", [False, True])
def test_a_block_of_the_discriminator_equals_its_equation(shrink: bool) -> None:
    block = DiscriminatorBlock(3, 5, shrink=shrink)
    x = torch.randn(2, 3, 6, 6)
    half = x.unflatten(2, (3, 2)).unflatten(4, (3, 2)).mean((3, 5)) if shrink else x
    leaky = torch.nn.functional.leaky_relu
    inner = block.second(leaky(block.first(leaky(half, 0.2)), 0.2))
    torch.testing.assert_close(block(x), (block.skip(half) + inner) / 2**0.5)


def test_attention_equals_a_weighted_mean_place_by_place() -> None:
    layer = SelfAttention(8)
    torch.nn.init.constant_(layer.gamma, 0.7)
    x = torch.randn(2, 8, 3, 3)
    q, k, v = (m(x).flatten(2) for m in (layer.query, layer.key, layer.value))
    expected = torch.empty(2, 8, 9)
    for n, place in itertools.product(range(2), range(9)):
        weights = torch.softmax(torch.stack([q[n, :, place] @ k[n, :, other] for other in range(9)]), dim=0)
        expected[n, :, place] = (v[n] * weights).sum(dim=1)
    torch.testing.assert_close(layer(x), x + 0.7 * expected.reshape(x.shape))
    torch.nn.init.zeros_(layer.gamma)
    torch.testing.assert_close(layer(x), x)


@pytest.mark.parametrize("name", ["residual_gan", "residual_gan_discriminator"])
def test_attention_stands_at_the_level_that_is_asked_for(name: str) -> None:
    network = build_network(name, size=16, widths=[8, 8], attention=1)
    assert sum(isinstance(module, SelfAttention) for module in network.modules()) == 1


def test_a_styled_convolution_is_one_with_modulated_and_demodulated_weights() -> None:
    layer = StyledConv(3, 5, 4)
    torch.nn.init.normal_(layer.bias)
    x, w = torch.randn(2, 3, 6, 6), torch.randn(2, 4)
    for n in range(2):
        scaled = layer.weight * (1 + layer.style(w[n]))[None, :, None, None]
        weight = scaled / (scaled.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()  # equations 1 and 3
        y = torch.nn.functional.conv2d(x[n : n + 1], weight, padding=1) + layer.bias[:, None, None]
        expected = 2**0.5 * torch.nn.functional.leaky_relu(y, 0.2)
        torch.testing.assert_close(layer(x, w)[n : n + 1], expected, atol=1e-5, rtol=1e-4)


def test_a_growing_generator_starts_coarse_and_ends_whole() -> None:
    generator, _ = pair("style_gan")
    latent, label = torch.randn(2, 5), torch.zeros(2).long()
    whole = generator(latent, label)

    def detail(image: torch.Tensor) -> float:  # what only the last resolution can show
        coarse = grow_images(image, 1, 2)
        return float((image - coarse).square().mean().detach())

    generator.grown.fill_(1.0)
    coarse = generator(latent, label)
    generator.grown.fill_(1.5)
    between = generator(latent, label)
    assert detail(coarse) < detail(between)
    generator.grown.fill_(2.0)
    torch.testing.assert_close(generator(latent, label), whole)


def test_real_images_grow_alike() -> None:
    x = torch.randn(2, 1, 16, 16)
    torch.testing.assert_close(grow_images(x, 3, 3), x)
    one, two = grow_images(x, 1, 3), grow_images(x, 2, 3)
    torch.testing.assert_close(grow_images(x, 1.25, 3), 0.75 * one + 0.25 * two)
    flat = torch.full((1, 1, 16, 16), 0.3)
    torch.testing.assert_close(grow_images(flat, 1.4, 3), flat)


def test_sizes_that_do_not_divide_are_refused() -> None:
    with pytest.raises(ValueError, match="size must be a multiple of 8, not 28"):
        coarsest(28, 3)
    with pytest.raises(ValueError, match="size must be a multiple of 2, not 15"):
        build_network("residual_gan", size=15)
    with pytest.raises(ValueError, match="size must be a multiple of 2, not 15"):
        build_network("style_gan", size=15)
