"""JPEG as arithmetic on tensors, beside the codec."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from skimage import data

from anew.training.deblocking import compress
from anew.training.jpeg_layer import grey_of, jpeg


def photographs() -> torch.Tensor:
    pictures = [data.astronaut()[3:99, 60:157], data.chelsea()[101:197, 150:247], data.coffee()[50:146, 201:298]]
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("quality", [5, 10, 30, 60, 90])
def test_a_batch_is_what_the_codec_makes_of_each_picture(quality: int, half: bool) -> None:
    x = photographs()
    ours = jpeg(x, torch.full((3,), quality), torch.full((3,), half)).numpy() * 255
    pixels = (x * 255).round().byte().permute(0, 2, 3, 1).numpy()
    codec = np.stack([compress(np.ascontiguousarray(p), quality, half) for p in pixels]).transpose(0, 3, 1, 2)
    damage = np.sqrt(np.mean((codec - x.numpy() * 255) ** 2))
    difference = ours - codec
    assert np.abs(difference).mean() < 0.35
    assert np.sqrt(np.mean(difference**2)) < 0.3 * damage


def test_each_picture_has_its_own_quality() -> None:
    x = photographs()
    together = jpeg(x, torch.tensor([5, 50, 95]), torch.tensor([True, False, True]))
    for index, (quality, half) in enumerate([(5, True), (50, False), (95, True)]):
        alone = jpeg(x[index : index + 1], torch.tensor([quality]), torch.tensor([half]))
        assert torch.equal(together[index : index + 1], alone)


def test_grey_stays_grey_and_is_what_the_codec_makes_of_one_channel() -> None:
    x = grey_of(photographs())
    ours = jpeg(x, torch.tensor([10, 10, 10]), torch.tensor([True, False, True]))
    assert torch.equal(ours[:, 0], ours[:, 1])
    assert torch.equal(ours[:, 0], ours[:, 2])
    plane = (x[0, :1] * 255).round().byte().permute(1, 2, 0).numpy()
    assert np.abs(compress(plane, 10)[:, :, 0] - ours[0, 0].numpy() * 255).mean() < 0.05


def test_reduced_precision_around_it_changes_nothing() -> None:
    x = photographs()
    arguments = (x, torch.tensor([20, 20, 20]), torch.tensor([True, False, True]))
    with torch.autocast("cpu", torch.bfloat16):
        inside = jpeg(*arguments)
    assert torch.equal(inside, jpeg(*arguments))
