import numpy as np
import pytest
import skimage.data

from anew.structure.toning import colour_scatter


def test_a_function_of_grey_does_not_scatter():
    grey = np.linspace(0, 1, 5000, dtype=np.float32)[:, None]
    toned = np.concatenate([0.1 + 0.9 * grey, 0.05 + 0.8 * grey**1.2, 0.3 + 0.2 * grey], axis=1)
    assert colour_scatter(toned) < 1 / 255
    assert colour_scatter(np.repeat(grey, 3, axis=1)) < 1 / 255


def test_two_colours_of_one_luma_scatter_by_half_their_difference():
    red, blue = np.float32([0.5, 0.2, 0.2]), np.float32([0.2, 0.2, 0.2 + 0.3 * 0.299 / 0.114])
    pixels = np.stack([red, blue] * 1000)
    expected = np.sqrt(np.mean(((red - blue) / 2) ** 2))
    assert colour_scatter(pixels) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea"])
def test_photographs_scatter(name):
    pixels = np.float32(getattr(skimage.data, name)().reshape(-1, 3)) / 255
    assert colour_scatter(pixels) > 6 / 255
