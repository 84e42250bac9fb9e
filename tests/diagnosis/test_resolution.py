import numpy as np
import pytest
import skimage.data
from PIL import Image

from anew.diagnosis.resolution import estimate_enlargement, find_resolution
from anew.images import Picture


def enlarged(name, scale, how):
    small = Image.fromarray(getattr(skimage.data, name)()).resize((240, 200), Image.Resampling.LANCZOS)
    return np.atleast_3d(np.asarray(small.resize((round(240 * scale), round(200 * scale)), how)) / np.float32(255))


@pytest.mark.parametrize("how", ["BILINEAR", "BICUBIC"])
@pytest.mark.parametrize("scale", [1.5, 1.7, 2.5, 3.3])
def test_enlargement_is_found_up_to_its_alias(how, scale):
    finding = find_resolution(Picture(enlarged("astronaut", scale, Image.Resampling[how])))
    candidates = [finding.details["scale"], finding.details["alternative"]]
    assert min(abs(c / scale - 1) for c in candidates) < 0.03


@pytest.mark.parametrize(
    "name", ["astronaut", "camera", "coffee", "chelsea", "moon", "page", "brick", "grass", "rocket", "retina"]
)
def test_silent_on_pictures_of_their_own_size(name):
    assert find_resolution(Picture(np.atleast_3d(getattr(skimage.data, name)() / np.float32(255)))) is None


@pytest.mark.parametrize("shape", [(1, 1), (1, 200), (120, 130), (100, 100, 4)])
def test_images_without_content_have_an_answer(shape):
    assert estimate_enlargement(np.full(shape, 0.5, np.float32))[0] == 1
