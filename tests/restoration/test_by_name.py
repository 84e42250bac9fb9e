"""A method is found by its name, by the registry and by the methods that are built on another one."""

from __future__ import annotations

import numpy as np
import pytest

from anew.registry import METHODS
from anew.restoration.by_name import find_method
from anew.restoration.denoising.luma_chroma import denoise_luma_chroma
from anew.restoration.denoising.poisson_gaussian import denoise_poisson_gaussian


def test_the_name_fixes_file_and_function() -> None:
    function = find_method("deblock", "deblocking", "sa-filter")
    assert (function.__module__, function.__name__) == ("anew.restoration.deblocking.sa_filter", "deblock_sa_filter")


@pytest.mark.parametrize("name", ["zz", "", "bm3d.x", "../bm3d", "by-name", "single-image"])
def test_what_is_no_method_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(ValueError, match=r"denoise has no method '.*'; anew\.methods\('denoise'\) gives the names"):
        find_method("denoise", "denoising", name)


def test_auto_is_the_default_of_the_task_for_methods_that_are_built_on_another_one(colour_photo: np.ndarray) -> None:
    default = METHODS.get("denoise", "auto").name
    for method in (denoise_luma_chroma, denoise_poisson_gaussian):
        by_auto, by_name = (method(colour_photo, 0.1, denoiser=name) for name in ("auto", default))
        np.testing.assert_array_equal(by_auto, by_name)


def test_a_filter_that_needs_a_kernel_is_no_denoiser_to_build_on() -> None:
    noisy = np.random.default_rng(0).random((16, 16, 3), np.float32)
    for method in (denoise_luma_chroma, denoise_poisson_gaussian):
        with pytest.raises(ValueError, match=r"^denoiser must be .*, got 'custom'$"):
            method(noisy, 0.1, denoiser="custom")
