import cv2
import numpy as np
import pytest
import skimage.data

from anew.degradations.blur import blur, defocus, motion
from anew.diagnosis.blur import _families, _frequencies, estimate_blur, find_blur, sharpest_edge_width
from anew.images import Picture


@pytest.fixture(scope="module")
def photo():
    return (skimage.data.camera() / 255).astype(np.float32)


def with_noise(image):
    return image + np.random.default_rng(0).normal(0, 2 / 255, image.shape).astype(np.float32)


def test_width_of_a_blurred_step_is_measured():
    step = np.zeros((200, 200), np.float32)
    step[:, 100:] = 1
    assert sharpest_edge_width(blur(step, sigma=2.0).image) == pytest.approx(2, rel=0.1)


def points_of(kind, width, angle):
    """Give many points (x to the right, y down), spread as such a blur spreads one."""
    if kind == "gaussian":
        t = np.linspace(-5, 5, 161) * width
        x, y = (grid.ravel() for grid in np.meshgrid(t, t))
        return x, y, np.exp(-(x**2 + y**2) / (2 * width**2))
    if kind == "motion":
        t = (np.arange(2000) / 2000 + 1 / 4000 - 0.5) * width
        return t * np.cos(np.deg2rad(angle)), -t * np.sin(np.deg2rad(angle)), np.ones(2000)
    t = (np.arange(201) - 100) / 100 * width
    x, y = (grid.ravel() for grid in np.meshgrid(t, t))
    return x, y, (np.hypot(x, y) <= width).astype(float)


@pytest.mark.parametrize(("kind", "number"), [("gaussian", 9), ("defocus", 17), ("motion", 127)])
def test_families_are_the_power_of_the_fourier_transform_of_their_shapes(kind, number):
    parameters, transfer = {name: (values, rows) for name, values, rows in _families()}[kind]
    x, y, weight = points_of(kind, *parameters[number])
    *_, fx, fy = _frequencies()
    some = slice(None, None, 97)
    waves = np.exp(-2j * np.pi * (fx[some, None] * x + fy[some, None] * y))
    expected = np.abs(waves @ (weight / weight.sum())) ** 2
    np.testing.assert_allclose(transfer[number][some], expected, atol=5e-3)


def test_width_of_a_gaussian(photo):
    estimate = estimate_blur(with_noise(blur(photo, sigma=2.0).image))
    assert estimate.kind == "gaussian"
    assert estimate.width == pytest.approx(2, rel=0.2)


def test_radius_of_defocus(photo):
    estimate = estimate_blur(with_noise(defocus(photo, radius=4.0).image))
    assert estimate.kind == "defocus"
    assert estimate.width == pytest.approx(4, rel=0.12)


@pytest.mark.parametrize("angle", [0, 30, 120])
def test_length_and_direction_of_motion(photo, angle):
    finding = find_blur(Picture(with_noise(motion(photo, length=11.0, angle=angle).image)[:, :, None]))
    assert finding.details["kind"] == "motion"
    assert finding.value == pytest.approx(11, rel=0.15)
    assert abs((finding.details["angle"] - angle + 90) % 180 - 90) <= 6


@pytest.mark.parametrize("name", ["camera", "astronaut", "coffee", "chelsea", "moon", "page", "brick"])
def test_silent_on_clean_pictures(name):
    assert find_blur(Picture(np.atleast_3d(getattr(skimage.data, name)() / np.float32(255)))) is None


def test_silent_where_detail_is_as_soft_as_cameras_leave_it():
    """Broad edges, as out of focus, and fine texture of the sharpness of a sensor."""
    image = cv2.GaussianBlur(np.float32(skimage.data.rocket() / 255), (0, 0), 1.5)
    across, down = np.fft.rfftfreq(image.shape[1]), np.fft.fftfreq(image.shape[0])[:, None]
    frequency = np.maximum(np.hypot(across, down), 1 / 999)
    spectrum = frequency**-1.2 * np.exp(-2 * (np.pi * 0.6 * frequency) ** 2)
    grain = np.random.default_rng(0).standard_normal(image.shape[:2])
    texture = np.fft.irfft2(np.fft.rfft2(grain) * spectrum, image.shape[:2])
    soft = image + np.float32(0.04 * texture / texture.std())[:, :, np.newaxis]
    assert estimate_blur(soft).width == pytest.approx(0.65, abs=0.1)
    assert find_blur(Picture(soft)) is None


@pytest.mark.parametrize("sigma", [6, 9])
def test_silent_where_the_blur_is_beyond_what_can_be_measured(sigma):
    soft = cv2.GaussianBlur(skimage.data.coffee(), (0, 0), sigma)
    assert find_blur(Picture((soft / 255).astype(np.float32))) is None


@pytest.mark.parametrize("shape", [(1, 1), (1, 200), (130, 131), (128, 128, 4)])
def test_images_without_content_have_an_answer(shape):
    image = np.full(shape, 0.5, np.float32)
    assert find_blur(Picture(np.atleast_3d(image)[:, :, :1])) is None
