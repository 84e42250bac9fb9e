"""Learning from another network: what it gives, what is refused, and what the card says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from anew.errors import InvalidSetting
from anew.inference.ensemble import self_ensemble
from anew.inference.models import open_model
from anew.networks import build_network
from anew.recipes import RECIPES
from anew.training.data import pack
from anew.training.denoising import DenoiseConfig, make_objective
from anew.training.restoration import RunFacts, export_restorer
from anew.training.run import run_recipe
from anew.training.teacher import Teacher, turned, turned_back

TINY = DenoiseConfig(
    network="unet",
    network_args={"widths": [8, 12], "blocks": 1, "middle_blocks": 1, "unshuffle": 2},
    patch=16,
    batch=2,
    steps=2,
    validation=1,
    validate_every=2,
    bfloat16=False,
)


def exported(path: Path, *, random: bool) -> str:
    """A small denoiser; unless its weights are random it gives back what it gets."""
    network = build_network("unet", channels=3, **TINY.network_args)
    if random:
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter, std=0.1)
    else:
        give_back(network)
    export_restorer(network.eval(), TINY, path, RunFacts(), protocol="none")
    return str(path)


def give_back(network: torch.nn.Module) -> None:
    """Let a U-Net subtract nothing."""
    for parameter in network.tail.parameters():
        torch.nn.init.zeros_(parameter)


def flat_pictures(folder: Path) -> Path:
    """A folder of pictures of one colour each."""
    flat = folder / "flat"
    flat.mkdir()
    for index in range(3):
        Image.new("RGB", (48, 48), (60 * index, 128, 90)).save(flat / f"{index}.png")
    return flat


def test_turning_is_undone_and_has_eight_forms() -> None:
    images = torch.arange(24.0).reshape(1, 2, 3, 4)
    forms = [turned(images, symmetry) for symmetry in range(8)]
    assert len({(tuple(form.shape), tuple(form.flatten().tolist())) for form in forms}) == 8
    for symmetry, form in enumerate(forms):
        torch.testing.assert_close(turned_back(form, symmetry), images, rtol=0, atol=0)


def test_what_a_teacher_gives_is_one_member_of_its_self_ensemble_at_random(tmp_path: Path) -> None:
    name = exported(tmp_path / "teacher.onnx", random=True)
    image = np.random.default_rng(0).random((24, 32, 3), np.float32)
    batch = torch.from_numpy(image.transpose(2, 0, 1)[None].copy())
    teacher, generator = Teacher(name, TINY), torch.Generator().manual_seed(0)
    given = {teacher(batch, torch.full((1, 1, 1, 1), 0.1), generator) for _ in range(60)}
    members = {tuple(np.round(x[0, :, 0, 0].numpy(), 5)): x[0].permute(1, 2, 0).numpy() for x in given}
    assert len(members) == 8
    expected = self_ensemble(lambda x: open_model(name, provider="cpu")(x, 0.1), image, 8)
    np.testing.assert_allclose(np.mean(list(members.values()), axis=0), expected, atol=1e-4)


def test_a_share_of_the_true_image_is_replaced(tmp_path: Path) -> None:
    """Teacher and pupil give back what they get: the loss is what is left of the noise in what is learned."""
    name = exported(tmp_path / "teacher.onnx", random=False)
    images = pack([np.full((40, 40, 3), 128, np.uint8)])

    def loss(teacher: str, share: float) -> float:
        config = replace(TINY, teacher=teacher, teacher_share=share)
        objective = make_objective(config)
        generator = torch.Generator().manual_seed(0)
        give_back(objective.networks["network"])
        return objective.losses["network"](objective.networks, images, config, generator).item()

    whole = loss("", 1)
    assert whole > 0.05
    for share in (0, 0.5, 1):
        assert loss(name, share) == pytest.approx((1 - share) * whole, abs=1e-5)


def test_a_pupil_comes_closer_to_its_teacher_than_to_the_truth(tmp_path: Path) -> None:
    """The teacher leaves all noise where it is; who learns from it alone does so, too."""
    name = exported(tmp_path / "teacher.onnx", random=False)
    flat = flat_pictures(tmp_path)
    noisy = (0.5 + np.random.default_rng(0).normal(0, 0.1, (32, 32, 3))).astype(np.float32)
    left = {}
    for teacher in ("", name):
        config = replace(TINY, steps=120, validate_every=120, learning_rate=1e-2, teacher=teacher, ema=0.9)
        model = run_recipe(config, flat, tmp_path / f"run{bool(teacher)}")
        left[teacher] = float(np.std(open_model(model, provider="cpu")(noisy, 0.1)))
    assert left[name] == pytest.approx(np.std(noisy), rel=0.02)
    assert left[""] < 0.9 * left[name]


@pytest.mark.parametrize(
    ("recipe", "teacher", "message"),
    [
        ("denoise", "denoise-grey", r"for denoise, 1 channel, this recipe for denoise, 3 channels"),
        ("denoise", "deblock-unet", r"is for deblock, 3 channels, this recipe for denoise, 3 channels"),
        ("upscale-x2", "upscale-x3", r"for upscale, 1 channel, factors \[3\], this recipe for upscale, 1 channel, fac"),
        ("denoise", "nothing", r"no teacher: no model 'nothing'; there are "),
        ("denoise", "/nowhere/model.onnx", r"no teacher: /nowhere/model.onnx: there is no such file"),
    ],
)
def test_a_teacher_of_something_else_is_refused_in_one_line(
    recipe: str, teacher: str, message: str, tmp_path: Path
) -> None:
    config = replace(RECIPES[recipe](), teacher=teacher)
    with pytest.raises(InvalidSetting, match=message) as caught:
        run_recipe(config, tmp_path, tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_a_share_of_no_teacher_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match=r"teacher_share = 0\.5 is that of a teacher; name one"):
        run_recipe(replace(TINY, teacher_share=0.5), tmp_path, tmp_path / "run")


def test_the_card_names_the_teacher_its_data_and_its_terms(tmp_path: Path) -> None:
    flat = flat_pictures(tmp_path)
    first = run_recipe(TINY, flat, tmp_path / "first", terms="non-commercial")
    config = replace(TINY, teacher=str(first), teacher_share=0.25)
    card = open_model(run_recipe(config, flat, tmp_path / "second", terms="ours", start_from=str(first))).card
    how = "unet, from which it went on: {0}; unet, from which it learned by a share of 25%: {0}"
    assert card.data == f"flat; {how.format('flat')}"
    assert card.terms == f"ours; {how.format('non-commercial')}"
