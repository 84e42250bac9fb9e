"""What every picture made by rules or chance promises: size, type, range, seed, no seam."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress

import numpy as np
import pytest

from anew.generation.catalogue import ENTRIES, KINDS, Entry, checked, draw, find

ALL = [pytest.param(entry, id=name) for name, entry in ENTRIES.items()]
RULES = [pytest.param(entry, id=name) for name, entry in ENTRIES.items() if entry.home.startswith("rules.")]
TILING = [pytest.param(entry, id=name) for name, entry in ENTRIES.items() if entry.tiles]
ALWAYS_TILING = [pytest.param(ENTRIES[n], id=n) for n in ("speckle", "colour-noise", "reaction-diffusion")]
QUICK = {"reaction-diffusion": {"iterations": 300}, "flow-lines": {"count": 60}}
OF_GENERATE = {"what", "n", "first", "rng", "size", "label", "steps", "guidance", "max_megapixels"}


def picture(entry: Entry, shape: tuple[int, int], seed: int = 0, **options: object) -> np.ndarray:
    return draw(entry, shape, {**QUICK.get(entry.name, {}), **options}, seed)


def seams(image: np.ndarray) -> list[tuple[float, float]]:
    """Give, for columns and rows, the largest mean step over two pixels across the seam, and inside."""
    found = []
    for axis in (0, 1):
        x = np.moveaxis(np.atleast_3d(image).astype(float), axis, 0)
        steps = np.abs(np.roll(x, -2, axis=0) - x).mean(axis=(1, 2))
        found.append((float(steps[-2:].max()), float(steps[:-2].max())))
    return found


@pytest.mark.parametrize("entry", ALL)
@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (9, 1), (5, 3), (33, 48)])
def test_every_picture_has_the_size_type_and_range_that_it_should(entry: Entry, shape: tuple[int, int]) -> None:
    image = picture(entry, shape)
    assert image.shape in (shape, (*shape, 3))
    assert image.dtype == np.float32
    assert np.isfinite(image).all()
    assert image.min() >= 0
    assert image.max() <= 1


@pytest.mark.parametrize("shape", [(0, 8), (8, 8, 3), (8.5, 8), (8, -1)], ids=str)
@pytest.mark.parametrize("entry", RULES)
def test_what_is_no_shape_is_refused(entry: Entry, shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"expected a shape \(H, W\) of whole pixels, at least 1 x 1, got \("):
        picture(entry, shape)


@pytest.mark.parametrize("entry", ALL)
def test_the_seed_alone_decides(entry: Entry) -> None:
    first, again, other = (picture(entry, (40, 56), seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first, picture(entry, (40, 56), np.random.default_rng(5)))  # type: ignore[arg-type]
    if entry.random and entry.name != "l-system":  # it draws one of a few
        assert not np.array_equal(first, other)
    assert first.std() > 0.001


@pytest.mark.parametrize("entry", TILING)
@pytest.mark.parametrize("shape", [(96, 96), (75, 131)])
def test_the_seam_of_a_tile_is_no_larger_than_what_is_inside(entry: Entry, shape: tuple[int, int]) -> None:
    pairs = [pair for seed in range(4) for pair in seams(picture(entry, shape, seed, tileable=True))]
    across, inside = np.sum(pairs, axis=0)  # one of them may be the largest by chance, all of them may not
    assert across <= inside + 1e-6


@pytest.mark.parametrize("name", ["marble", "clouds", "fractal-noise"])
def test_the_seam_of_a_material_is_like_any_other_place(name: str) -> None:
    ratios = []
    for seed in range(25):
        image = picture(ENTRIES[name], (96, 80), seed, tileable=True)
        for axis in (0, 1):
            steps = np.abs(np.diff(image, axis=axis, append=image.take([0], axis)))
            ratios.append(steps.take(-1, axis).mean() / steps.mean())
    assert 0.9 < np.mean(ratios) < 1.1


@pytest.mark.parametrize("entry", ALWAYS_TILING)
def test_what_lives_on_a_torus_has_no_seam(entry: Entry) -> None:
    for across, inside in seams(picture(entry, (80, 96))):
        assert across <= 1.1 * inside + 1e-6


@pytest.mark.parametrize("name", ["perlin", "marble", "clouds", "terrain", "wood", "worley"])
def test_without_tileable_there_is_a_seam_to_see(name: str) -> None:
    entry = ENTRIES[name]
    pairs = [pair for seed in range(3) for pair in seams(picture(entry, (128, 128), seed, tileable=False))]
    assert max(across / inside for across, inside in pairs) > 1.3


@pytest.mark.parametrize("entry", ALL)
def test_options_that_the_function_has_are_the_options(entry: Entry) -> None:
    assert entry.kind in KINDS
    assert not OF_GENERATE & set(entry.options), "generate() takes these itself"
    assert not any(p.default is p.empty for p in entry.options.values())
    defaults = {name: p.default for name, p in entry.options.items() if p.default is not None}
    assert checked(entry, defaults) == defaults
    with pytest.raises(ValueError, match=f"{entry.name} has no option 'sparkle'"):
        checked(entry, {"sparkle": 1})


def test_values_of_the_wrong_type_are_named() -> None:
    with pytest.raises(ValueError, match=r"marble: veins should be a valid number, .*, got 'many'"):
        checked(find("marble"), {"veins": "many"})
    with pytest.raises(ValueError, match=r"marble: tileable should be a valid boolean, .*, got 'perhaps'"):
        checked(find("marble"), {"tileable": "perhaps"})
    assert checked(find("marble"), {"veins": "2.5", "tileable": "no"}) == {"veins": 2.5, "tileable": False}
    with pytest.raises(ValueError, match=r"unknown palette 'mud' \(one of ember"):
        draw(find("marble"), (4, 4), {"palette": "mud"}, 0)
    with pytest.raises(ValueError, match="unknown picture 'marbel'; did you mean 'marble'"):
        find("marbel")


@pytest.mark.parametrize("entry", ALL)
@pytest.mark.parametrize("value", [-(10**30), 10**30, 1e300])
def test_a_number_out_of_all_bounds_is_refused_or_drawn(entry: Entry, value: float) -> None:
    for name, option in entry.options.items():
        if isinstance(option.default, int | float) and not isinstance(option.default, bool):
            with suppress(ValueError):
                assert np.isfinite(draw(entry, (6, 8), checked(entry, {name: value}), 0)).all()


def test_a_field_takes_on_the_colours_of_a_palette() -> None:
    entry = find("linear-gradient")
    assert draw(entry, (8, 9), {}, 0).shape == (8, 9)
    coloured = draw(entry, (64, 64), {"palette": ["#ff0000", "#0000ff"]}, 0)
    np.testing.assert_allclose(coloured[-1, 0], [1, 0, 0], atol=0.06)
    np.testing.assert_allclose(coloured[0, -1], [0, 0, 1], atol=0.06)


def test_listing_loads_no_image_library() -> None:
    code = "import sys, anew.generation.catalogue; print({'cv2', 'scipy', 'numba', 'pydantic'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
