"""The deep image prior: it denoises, it stops at the noise, and it leaves random numbers alone."""

from __future__ import annotations

import numpy as np
import pytest

import anew

torch = pytest.importorskip("torch")

from anew.networks.hourglass import Hourglass  # noqa: E402
from anew.restoration.denoising.deep_image_prior import AVERAGED, denoise_deep_image_prior  # noqa: E402


@pytest.fixture(scope="module")
def smooth() -> np.ndarray:
    y, x = np.mgrid[0:64, 0:64] / 64
    return (0.5 + 0.3 * np.sin(7 * x + 3 * y)).astype(np.float32)


def rms(image: np.ndarray) -> float:
    return float(np.sqrt((image**2).mean()))


def test_it_halves_the_error_and_stops_where_the_noise_is_left(smooth: np.ndarray) -> None:
    noisy = smooth + 0.1 * np.random.default_rng(0).standard_normal(smooth.shape, np.float32)
    told: list[float] = []
    result = denoise_deep_image_prior(noisy, 0.1, steps=600, progress=told.append)
    assert rms(result - smooth) < 0.05
    assert rms(result - noisy) <= 0.1
    assert AVERAGED < len(told) < 600
    assert told[-1] == 1


def test_it_ends_after_its_steps(smooth: np.ndarray) -> None:
    told: list[float] = []
    denoise_deep_image_prior(smooth, 0.001, steps=3, progress=told.append)
    np.testing.assert_allclose(told, [1 / 3, 2 / 3, 1])


def test_the_callers_random_numbers_are_left_alone(smooth: np.ndarray) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    denoise_deep_image_prior(smooth, 0.1, steps=2)
    assert torch.equal(torch.rand(3), expected)


def test_steps_must_be_some() -> None:
    with pytest.raises(ValueError, match="steps should be greater than or equal to 1, got 0"):
        anew.denoise(np.zeros((16, 16), np.float32), 0.1, method="deep-image-prior", steps=0)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (65, 97)])
def test_the_hourglass_gives_an_image_of_the_fields_size(height: int, width: int) -> None:
    network = Hourglass(inputs=4, channels=2).eval()
    with torch.no_grad():
        assert network(torch.rand(1, 4, height, width)).shape == (1, 2, height, width)
