"""Sampling: what every shipped generator promises, and what noise, labels and paths between images are."""

from __future__ import annotations

import math
import subprocess
import sys
import tracemalloc
from typing import Any

import numpy as np
import pytest

from anew.generation.sample import (
    choose_labels,
    draw_noise,
    generator_names,
    interpolate,
    open_generator,
    reconstruct,
    sample,
    seed_of,
    slerp,
)
from anew.inference.card import BadModel, ModelCard
from anew.inference.models import read_card

NAMES = generator_names()
OF_KIND = {kind: [n for n in NAMES if read_card(n).facts["kind"] == kind] for kind in ("flow", "vae", "gan")}


def few_steps(name: str) -> dict[str, Any]:
    """Options that make a flow quick."""
    return {"steps": 2} if name in OF_KIND["flow"] else {}


def make_card(**facts: Any) -> ModelCard:
    """A card of no model."""
    return ModelCard(
        name="toy",
        task="generate",
        summary="",
        network="",
        network_args={},
        channels=1,
        size_multiple=1,
        halo=0,
        parameters=0,
        multiply_adds_per_pixel=0,
        recipe={},
        budget="",
        data="",
        terms="",
        date="2026-01-01",
        facts=facts,
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_generator_keeps_the_contract(name: str) -> None:
    card, options = read_card(name), few_steps(name)
    images = sample(name, 5, rng=3, **options)
    assert images.shape == (5, *card.facts["size"], card.channels)
    assert images.dtype == np.float32
    assert images.min() >= 0
    assert images.max() <= 1
    assert images.std(axis=0).mean() > 0.01, "the images are all the same"
    np.testing.assert_array_equal(images, sample(name, 5, rng=3, **options))
    assert not np.allclose(images, sample(name, 5, rng=4, **options), atol=0.05)
    # an image depends on the seed and its place alone, whatever it is computed together with
    np.testing.assert_allclose(images[:2], sample(name, 2, rng=3, **options), atol=2e-3)
    np.testing.assert_allclose(images[2:4], sample(name, 2, first=2, rng=3, **options), atol=2e-3)


@pytest.mark.parametrize("name", NAMES)
def test_labels_by_name_and_index_agree_and_unknown_ones_are_listed(name: str) -> None:
    labels, options = read_card(name).facts.get("labels"), few_steps(name)
    if not labels:
        with pytest.raises(ValueError, match=f"{name} takes no label"):
            sample(name, 1, label=0, **options)
        return
    written = str(labels[1]).upper().replace("-", " ")
    by_name, by_index = (sample(name, 2, label=label, **options) for label in (written, 1))
    np.testing.assert_array_equal(by_name, by_index)
    assert not np.allclose(by_name, sample(name, 2, label=0, **options), atol=0.05)
    np.testing.assert_allclose(sample(name, 2, **options)[1], by_name[1], atol=2e-3)
    with pytest.raises(ValueError, match=f"no label 'centaur'; {name} knows {labels[0]}, {labels[1]}"):
        sample(name, 1, label="centaur", **options)


@pytest.mark.parametrize("name", NAMES)
def test_a_path_starts_and_ends_at_its_samples(name: str) -> None:
    options = few_steps(name)
    first = 0 if read_card(name).facts.get("labels") else None
    stops = sample(name, 3, label=first, rng=1, **options)
    frames = interpolate(name, 5, stops=3, rng=1, **options)
    np.testing.assert_allclose(frames[[0, 2, 4]], stops, atol=2e-3)
    loop = interpolate(name, 6, stops=3, closed=True, rng=1, **options)
    np.testing.assert_allclose(loop[::2], stops, atol=2e-3)


@pytest.mark.parametrize("name", OF_KIND["flow"])
def test_the_samplers_of_a_flow_agree_with_many_steps(name: str) -> None:
    euler, heun, multistep = (
        sample(name, 2, steps=steps, guidance=1, sampler=kind)
        for kind, steps in (("euler", 60), ("heun", 20), ("dpmpp_2m", 40))
    )
    assert np.abs(euler - heun).mean() < 0.02
    assert np.abs(multistep - heun).mean() < 0.02


@pytest.mark.parametrize("name", OF_KIND["flow"])
def test_guidance_of_zero_ignores_the_label(name: str) -> None:
    none, other = (sample(name, 2, label=label, steps=2, guidance=0) for label in (0, 1))
    np.testing.assert_array_equal(none, other)
    assert not np.allclose(none, sample(name, 2, label=0, steps=2, guidance=1), atol=0.05)


@pytest.mark.parametrize("name", OF_KIND["flow"][:1])
def test_options_of_a_flow_are_checked(name: str) -> None:
    with pytest.raises(ValueError, match="no sampler 'magic'; there are euler, heun, dpmpp_2m"):
        sample(name, 1, sampler="magic")
    for guidance in (-1.0, math.nan, math.inf, 1e30):
        with pytest.raises(ValueError, match="guidance must be a number from 0 to 100"):
            sample(name, 1, guidance=guidance)
    for steps in (0, 2.5, True):
        with pytest.raises(ValueError, match="steps must be a whole number of at least 1"):
            sample(name, 1, steps=steps)  # type: ignore[arg-type]
    assert np.isfinite(sample(name, 1, steps=2, guidance=100.0)).all()


@pytest.mark.parametrize("name", [*OF_KIND["vae"], *OF_KIND["gan"]][:2])
def test_options_that_only_a_flow_has_are_refused(name: str) -> None:
    for option in ({"steps": 4}, {"guidance": 2.0}, {"sampler": "heun"}):
        with pytest.raises(ValueError, match=f"{name} takes no {next(iter(option))}"):
            sample(name, 1, **option)


@pytest.mark.parametrize("name", OF_KIND["vae"])
def test_an_autoencoder_gives_its_own_samples_back(name: str) -> None:
    images = sample(name, 70, rng=2)
    again = reconstruct(name, images)
    assert again.shape == images.shape
    assert again.dtype == np.float32
    assert np.square(again - images).mean() < 0.15 * images.var()
    np.testing.assert_allclose(reconstruct(name, images[:1, :, :, 0]), again[:1], atol=2e-3)
    levels = np.rint(images * 255).astype(np.uint8)
    np.testing.assert_array_equal(reconstruct(name, levels), reconstruct(name, levels / np.float32(255)))
    with pytest.raises(ValueError, match="NaN"):
        reconstruct(name, np.full_like(images, np.nan))
    with pytest.raises(ValueError, match=r"images must have shape \(N, 28, 28, 1\), not \(1, 9, 9\)"):
        reconstruct(name, np.zeros((1, 9, 9), np.float32))


def test_what_does_not_generate_is_refused() -> None:
    with pytest.raises(BadModel, match="denoise-unet: a model for the task generate was expected"):
        open_generator("denoise-unet")
    with pytest.raises(BadModel, match="no model 'dragons'"):
        sample("dragons", 1)


@pytest.mark.parametrize("name", NAMES[:1])
def test_counts_without_sense_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="n must be at least 1, not 0"):
        sample(name, 0)
    with pytest.raises(ValueError, match="must be at least 2, not 1 and 2"):
        interpolate(name, 1)
    if OF_KIND["flow"]:
        with pytest.raises(ValueError, match="cannot encode images"):
            reconstruct(OF_KIND["flow"][0], np.zeros((1, 28, 28), np.float32))


def test_noise_depends_on_seed_and_place_alone_and_is_normal() -> None:
    card = make_card(kind="gan", latent=1000)
    noise = draw_noise(card, 7, range(20))
    np.testing.assert_array_equal(noise[12:15], draw_noise(card, 7, range(12, 15)))
    assert not np.allclose(noise, draw_noise(card, 8, range(20)))
    assert noise.mean() == pytest.approx(0, abs=0.03)
    assert noise.std() == pytest.approx(1, abs=0.03)
    assert np.abs(np.corrcoef(noise) - np.eye(20)).max() < 0.15


def test_noise_of_a_flow_has_the_shape_of_its_images() -> None:
    assert draw_noise(make_card(kind="flow", size=[6, 9]), 0, range(2)).shape == (2, 1, 6, 9)


def test_labels_take_turns_unless_one_is_asked_for() -> None:
    card = make_card(labels=["cat", "dog", "7"])
    assert choose_labels(card, None, 5).tolist() == [0, 1, 2, 0, 1]
    assert choose_labels(card, None, 2, first=10**30 + 1).tolist() == [2, 0]
    assert choose_labels(card, "dog", 2).tolist() == [1, 1]
    assert choose_labels(card, 1, 2).tolist() == [1, 1]
    assert choose_labels(card, "7", 1).tolist() == [2]  # a name comes before an index
    for wrong in (3, -1, "bird", "3"):
        with pytest.raises(ValueError, match="toy knows cat, dog, 7"):
            choose_labels(card, wrong, 1)


@pytest.mark.parametrize("name", [kind[0] for kind in OF_KIND.values() if kind])
def test_only_what_is_shown_is_drawn(name: str) -> None:
    options, few = few_steps(name), 100_000
    tracemalloc.start()
    late = sample(name, 3, first=10**12, **options)
    frames = interpolate(name, 2, stops=few, label=0, rng=1, **options)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30e6
    last = sample(name, 1, first=few - 1, label=0, rng=1, **options)
    np.testing.assert_allclose(frames[1], last[0], atol=2e-3)
    labels = len(read_card(name).facts["labels"])
    again = sample(name, 1, first=10**12 + 1, label=(10**12 + 1) % labels, **options)
    np.testing.assert_allclose(late[1], again[0], atol=2e-3)


def test_great_circles_keep_the_length() -> None:
    a, b = np.float32([3, 0, 0]), np.float32([0, 3, 0])
    np.testing.assert_allclose(slerp(a, b, 0.5), [3 / 2**0.5, 3 / 2**0.5, 0], rtol=1e-6)
    np.testing.assert_allclose(slerp(a, b, 1 / 3), [3 * 3**0.5 / 2, 1.5, 0], rtol=1e-6)
    np.testing.assert_allclose(slerp(a, a, 0.3), a)


def test_a_generator_is_drawn_from_once() -> None:
    assert seed_of(np.random.default_rng(1)) == seed_of(np.random.default_rng(1))
    assert seed_of(5) == 5


def test_sampling_loads_no_torch() -> None:
    code = "import sys, anew.generation.sample as s; s.generator_names(); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"
