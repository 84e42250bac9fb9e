import numpy as np
import pytest
import skimage.data

from anew.diagnosis.noise import estimate_noise_sigma, find_noise
from anew.images import Picture


@pytest.mark.parametrize("sigma", [1, 5, 15, 50])
def test_white_noise_on_a_ramp_is_measured(sigma):
    rng = np.random.default_rng(0)
    ramp = np.linspace(0.3, 0.7, 256, dtype=np.float32) * np.ones((256, 1), np.float32)
    noisy = ramp + rng.normal(0, sigma / 255, ramp.shape).astype(np.float32)
    assert 255 * estimate_noise_sigma(noisy) == pytest.approx(sigma, rel=0.05)


@pytest.mark.parametrize("sigma", [0.6, 0.8])
def test_what_rounding_to_8_bits_adds_is_taken_off(sigma):
    rng = np.random.default_rng(0)
    ramp = np.linspace(100, 140, 512) * np.ones((512, 1))
    noisy = ramp + rng.normal(0, sigma, ramp.shape)
    rounded = (np.rint(noisy) / 255).astype(np.float32)  # its variance is sigma^2 + 1 / 12
    assert 255 * estimate_noise_sigma(rounded) == pytest.approx(sigma, rel=0.03)


def test_channels_count_as_their_mean_power():
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1, (200, 200, 3)) * np.array([0.0, 0.03, 0.04])
    assert estimate_noise_sigma((0.5 + noise).astype(np.float32)) == pytest.approx(0.05 / np.sqrt(3), rel=0.05)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 3), (7, 7), (20, 20, 4)])
def test_tiny_images_have_an_answer(shape):
    assert estimate_noise_sigma(np.full(shape, 0.5, np.float32)) == 0


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_noise_in_one_channel_is_found(channel):
    photo = skimage.data.chelsea()[:256, 50:306] / 255
    assert find_noise(Picture(photo.astype(np.float32))) is None
    photo[:, :, channel] += np.random.default_rng(0).normal(0, 20 / 255, photo.shape[:2])
    noisy = Picture((np.rint(photo.clip(0, 1) * 255) / 255).astype(np.float32))
    finding = find_noise(noisy)
    assert finding is not None
    assert finding.value == pytest.approx(20 / np.sqrt(3), rel=0.15)
