import numpy as np
import pytest
import skimage.data
from PIL import Image
from scipy.ndimage import gaussian_filter

from anew.degradations.noise import noise, poisson
from anew.diagnosis.noise import find_noise
from anew.diagnosis.noise_model import estimate_correlation, estimate_signal_dependence, power_spectrum
from anew.images import Picture


@pytest.fixture
def smooth():
    rng = np.random.default_rng(1)
    field = gaussian_filter(rng.normal(size=(256, 256)), 40)
    field = (field - field.min()) / np.ptp(field)
    return (0.15 + 0.7 * field).astype(np.float32)[:, :, None]


def rounded(image):
    return (np.rint(np.clip(image, 0, 1) * 255) / 255).astype(np.float32)


def test_white_noise_is_not_correlated(smooth):
    finding = find_noise(Picture(rounded(noise(smooth, sigma=10 / 255, rng=0).image)))
    assert finding.details["correlated"] is False
    assert finding.details["correlation"] == pytest.approx(0, abs=0.06)
    assert finding.details["signal_dependent"] is False


@pytest.mark.parametrize("sigma", [5, 10, 25])
def test_noise_through_a_box_has_the_autocorrelation_of_the_box(smooth, sigma):
    # a box of 3 x 3 overlaps its neighbour by 6 of 9, the diagonal one by 4 of 9, those three pixels away not at all
    finding = find_noise(Picture(rounded(noise(smooth, sigma=sigma / 255, kernel=np.ones((3, 3)), rng=0).image)))
    assert finding.details["correlated"] is True
    assert finding.value == pytest.approx(sigma, rel=0.2)
    found = np.array(finding.details["autocorrelation"])
    truth = np.outer([0, 1, 2, 3, 2, 1, 0], [0, 1, 2, 3, 2, 1, 0]) / 9
    assert np.abs(found - truth).max() < 0.16  # the quietest blocks are those with the least slow variation


def test_correlated_noise_on_a_photograph():
    photo = (skimage.data.astronaut() / 255).astype(np.float32)
    noisy = rounded(noise(photo, sigma=12 / 255, correlation=0.8, rng=0).image)
    assert find_noise(Picture(noisy)).details["correlated"] is True


@pytest.mark.parametrize("name", ["grass", "gravel", "brick", "moon", "camera", "chelsea", "ihc", "retina"])
def test_texture_is_not_noise(name):
    data = {"ihc": "immunohistochemistry"}.get(name, name)
    picture = Picture(np.atleast_3d(getattr(skimage.data, data)() / np.float32(255)))
    assert find_noise(picture) is None


@pytest.mark.parametrize("name", ["grass", "gravel"])
@pytest.mark.parametrize("side", [128, 170, 204, 256, 341])
def test_texture_of_another_size_is_not_noise(name, side):
    texture = Image.fromarray(getattr(skimage.data, name)()).resize((side, side), Image.Resampling.LANCZOS)
    assert find_noise(Picture(np.asarray(texture, np.float32)[:, :, np.newaxis] / 255)) is None


@pytest.mark.parametrize(("gain", "sigma"), [(0.01, 0.01), (0.003, 0.01), (0.02, 0.02)])
def test_gain_of_photon_noise(smooth, gain, sigma):
    finding = find_noise(Picture(rounded(poisson(smooth, gain=gain, sigma=sigma, rng=0).image)))
    assert finding.details["signal_dependent"] is True
    assert finding.details["gain"] == pytest.approx(gain, rel=0.15)
    assert finding.details["offset_sigma"] == pytest.approx(sigma, abs=0.5 * sigma + 0.005)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (20, 20, 4), (200, 200, 3)])
def test_flat_and_tiny_images_have_an_answer(shape):
    image = np.full(shape, 0.5, np.float32)
    assert not estimate_correlation(image).is_noise
    assert not estimate_signal_dependence(image).dependent


def test_the_spectrum_of_a_filter_follows_from_its_autocorrelation():
    kernel = np.outer([1, 2, 1], [1, 2, 1]) / 6
    along = np.array([0, 1, 4, 6, 4, 1, 0]) / 6
    expected = np.abs(np.fft.fft2(kernel, s=(16, 16))) ** 2
    np.testing.assert_allclose(power_spectrum(np.outer(along, along)), expected, atol=1e-12)
    with pytest.raises(ValueError, match="square with an odd side"):
        power_spectrum(np.ones((4, 4)))
