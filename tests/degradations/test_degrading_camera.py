"""The camera: identity without noise, the sensor's law of noise, and noise that is smooth after development."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from anew.degradations.camera import SENSOR_TO_SRGB, camera, demosaic, develop, expose
from anew.degradations.jpeg import compress
from anew.degradations.light import decode_srgb
from anew.degradations.noise import poisson


def ramp() -> np.ndarray:
    """A (40, 48, 3) image whose linear light is a plane in each channel."""
    v, u = np.mgrid[:40, :48] / 48
    return np.stack([0.2 + 0.5 * u, 0.6 - 0.3 * v, 0.3 + 0.2 * u + 0.1 * v], axis=2).astype(np.float32)


def test_without_noise_a_flat_picture_comes_back() -> None:
    flat = np.full((12, 10, 3), [0.2, 0.5, 0.8], np.float32)
    for colour in (0.0, 0.4, 1.0):
        np.testing.assert_allclose(develop(expose(flat, colour=colour), colour=colour), flat, atol=1e-5)


def test_interpolation_is_exact_on_planes() -> None:
    plane = ramp()
    mosaic = plane[:, :, 1].copy()
    mosaic[::2, ::2], mosaic[1::2, 1::2] = plane[::2, ::2, 0], plane[1::2, 1::2, 2]
    np.testing.assert_allclose(demosaic(mosaic)[2:-2, 2:-2], plane[2:-2, 2:-2], atol=1e-6)


def test_without_noise_a_photograph_nearly_comes_back(colour_photo: np.ndarray) -> None:
    soft = cv2.GaussianBlur(colour_photo, (0, 0), 1.0)  # finer detail than the mosaic can hold is lost
    for photo, least in ((soft, 36), (soft.mean(axis=2, keepdims=True).repeat(3, axis=2), 40)):
        error = camera(photo, gain=0, sigma=0, quality=0, rng=0).image - photo
        assert -10 * np.log10(np.mean(error**2)) > least


def test_white_stays_white() -> None:
    np.testing.assert_allclose(SENSOR_TO_SRGB.sum(axis=1), 1)


def test_the_variance_on_the_sensor_is_linear_in_the_light() -> None:
    gain, sigma = 0.004, 0.01
    levels = np.linspace(0.1, 0.9, 5)
    green = []
    for level in levels:
        flat = np.full((200, 200, 3), level, np.float32)
        noise = poisson(expose(flat, colour=0), gain=gain, sigma=sigma, rng=0).image - expose(flat, colour=0)
        green.append(noise[::2, 1::2].var())
    slope, offset = np.polyfit(decode_srgb(levels.astype(np.float32)), green, 1)
    assert slope == pytest.approx(gain, rel=0.05)
    assert offset == pytest.approx(sigma**2, rel=0.2)


def test_developed_noise_is_correlated_between_neighbours_and_grows_with_the_white_balance() -> None:
    flat = np.full((256, 256, 3), 0.5, np.float32)
    noise = camera(flat, quality=0, rng=1).image - 0.5
    for channel in range(3):
        n = noise[:, :, channel] - noise[:, :, channel].mean()
        for a, b in ((n[1:], n[:-1]), (n[:, 1:], n[:, :-1])):
            assert np.mean(a * b) / n.var() > 0.2
    redder = camera(flat, quality=0, red=4.0, rng=1).image - 0.5
    assert redder[:, :, 0].std() > 1.3 * noise[:, :, 0].std()


def test_the_camera_writes_a_jpeg_of_its_quality(colour_photo: np.ndarray) -> None:
    raw = camera(colour_photo, quality=0, rng=3).image
    for quality in (30, 92):
        np.testing.assert_array_equal(camera(colour_photo, quality=quality, rng=3).image, compress(raw, quality))
    photo = camera(colour_photo, gain=0, sigma=0, red=1.5, blue=2.5, colour=0.3, quality=0).image
    sensor = {"red": 1.5, "blue": 2.5, "colour": 0.3}
    np.testing.assert_array_equal(photo, develop(expose(colour_photo, **sensor), **sensor))


def test_the_mosaic_holds_one_colour_per_pixel_before_the_balance() -> None:
    flat = np.full((4, 6, 3), [0.2, 0.5, 0.8], np.float32)
    red, green, blue = decode_srgb(flat)[0, 0]
    mosaic = expose(flat, red=2.0, blue=1.6, colour=0)
    np.testing.assert_allclose(mosaic, np.tile([[red / 2, green], [green, blue / 1.6]], (2, 3)), rtol=1e-6)
    mixed = expose(flat, red=1, blue=1, colour=1)[:2, :2]
    seen = np.array([mixed[0, 0], mixed[0, 1], mixed[1, 1]])
    np.testing.assert_allclose(SENSOR_TO_SRGB @ seen, [red, green, blue], rtol=1e-5)


def test_what_has_no_colour_is_refused() -> None:
    with pytest.raises(ValueError, match="3 channels"):
        camera(np.zeros((4, 4), np.float32))
