"""Noise and cells: values that are known at lattice points, and an independent search for nearest points."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.stats import kstest

from anew.generation.rules.materials import wood
from anew.generation.rules.noise import fractal_noise, nearest_points, octaves_of, perlin, perlin_rows, worley
from anew.generation.rules.voronoi import voronoi


def unit_gradients(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    angle = np.random.default_rng(seed).uniform(0, 2 * math.pi, (rows + 1, columns + 1))
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def test_gradient_noise_is_zero_on_its_lattice_and_has_its_gradients_there() -> None:
    gradients = unit_gradients(5, 7)
    np.testing.assert_array_equal(perlin_rows(np.arange(7.0), np.arange(5.0), gradients), 0)
    step = 1e-3
    along_x = perlin_rows(np.arange(7.0) + step, np.arange(5.0), gradients) / step
    np.testing.assert_allclose(along_x, gradients[:5, :7, 0], atol=5e-3)
    along_y = perlin_rows(np.arange(7.0), np.arange(5.0) + step, gradients) / step
    np.testing.assert_allclose(along_y, gradients[:5, :7, 1], atol=5e-3)


def test_gradient_noise_equals_perlins_formula_written_out() -> None:
    gradients, rng = unit_gradients(3, 4, 1), np.random.default_rng(2)
    x, y = np.sort(rng.uniform(0, 4, 9)), np.sort(rng.uniform(0, 3, 8))

    def fade(t: float) -> float:
        return 6 * t**5 - 15 * t**4 + 10 * t**3

    expected = np.empty((8, 9))
    for i, j in np.ndindex(8, 9):
        column, row = int(x[j]), int(y[i])
        fx, fy = x[j] - column, y[i] - row
        corner = [[gradients[row + b, column + a] @ (fx - a, fy - b) for a in (0, 1)] for b in (0, 1)]
        top, bottom = (c[0] + fade(fx) * (c[1] - c[0]) for c in corner)
        expected[i, j] = top + fade(fy) * (bottom - top)
    np.testing.assert_allclose(perlin_rows(x, y, gradients), expected, atol=1e-6)


def test_perlin_noise_is_grey_on_average_and_as_fine_as_asked() -> None:
    x = np.stack([perlin((128, 128), cells=8, rng=seed) for seed in range(10)])
    assert x.mean() == pytest.approx(0.5, abs=0.01)
    power = (np.abs(np.fft.fft2(x - x.mean(axis=(1, 2), keepdims=True))) ** 2).mean(axis=0)
    f = 128 * np.hypot(np.fft.fftfreq(128)[:, None], np.fft.fftfreq(128)[None, :])
    assert power[(f > 3) & (f < 14)].sum() > 0.85 * power.sum(), "about one wave per cell"


@pytest.mark.parametrize("kind", ["fbm", "billow", "ridged"])
def test_octaves_have_mean_0_and_spread_1(kind: str) -> None:
    fields = [octaves_of((200, 200), 16, 4, 0.5, kind, True, np.random.default_rng(seed)) for seed in range(6)]
    assert np.mean(fields) == pytest.approx(0, abs=0.1)
    assert np.std(fields) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("tileable", [True, False])
def test_fractal_noise_has_contrast_everywhere(tileable: bool) -> None:
    generator = np.random.default_rng(0)
    fields = [octaves_of((32, 48), 2.5, 4, 0.5, "fbm", tileable, generator) for _ in range(300)]
    spread = np.std(fields, axis=0)
    assert spread.min() > 0.7 * spread.mean()  # of lattices that begin at the corner: a quarter, there
    boards = [wood((32, 48), rings=1, grain=0.0, tileable=tileable, rng=generator).mean(axis=2) for _ in range(300)]
    spread = np.std(boards, axis=0)
    assert spread[0].mean() > 0.85 * spread.mean()


def test_the_rings_of_a_board_turn_smoothly_at_its_heart() -> None:
    boards = np.stack([wood((64, 200), rings=4, grain=0.0, tileable=False, rng=s).mean(axis=2) for s in range(20)])
    bend = np.abs(np.diff(boards, 2, axis=2)).mean(axis=(0, 1))
    assert bend[90:110].max() < np.median(bend)


def test_fractal_noise_spreads_its_values_evenly() -> None:
    x = np.concatenate([fractal_noise((128, 128), cells=12, rng=seed).ravel()[::97] for seed in range(8)])
    assert kstest(x, "uniform").statistic < 0.06
    assert not np.array_equal(fractal_noise((32, 32), warp=1.0), fractal_noise((32, 32)))
    assert fractal_noise((32, 32), warp=1.0, tileable=False).shape == (32, 32)


@pytest.mark.parametrize("tileable", [False, True])
def test_nearest_points_agree_with_a_tree(tileable: bool) -> None:
    shape, cells, seed = (60, 84), 6.0, 3
    index, first, second, border = nearest_points(shape, cells, 1.0, tileable, np.random.default_rng(seed))
    columns, rows = (8, 6) if tileable else (9, 6)
    grid = (rows, columns) if tileable else (rows + 4, columns + 4)
    offsets = np.random.default_rng(seed).random((*grid, 2)).astype(np.float32)
    start = 0 if tileable else 2
    sites = offsets.reshape(-1, 2) + [(c, r) for r in range(grid[0]) for c in range(grid[1])]
    pitch = (columns / shape[1], rows / shape[0]) if tileable else (cells / 60, cells / 60)
    x, y = (np.arange(84) + 0.5) * pitch[0] + start, (np.arange(60) + 0.5) * pitch[1] + start
    pixels = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    box = (columns, rows) if tileable else None
    distance, nearest = cKDTree(sites % box if box else sites, boxsize=box).query(pixels, k=2)
    np.testing.assert_allclose(first.ravel(), distance[:, 0], atol=1e-5)
    np.testing.assert_allclose(second.ravel(), distance[:, 1], atol=1e-5)
    sure = distance[:, 1] - distance[:, 0] > 1e-4
    np.testing.assert_array_equal(index.ravel()[sure], nearest[sure, 0])
    # the border between two sites lies where their distances are equal: d2^2 - d1^2 = 2 |s2 - s1| times that distance
    assert (
        border.ravel() <= (distance[:, 1] ** 2 - distance[:, 0] ** 2) / (2 * (distance[:, 1] - distance[:, 0]))
    ).all()
    assert border.min() >= -1e-5


def test_worley_without_jitter_is_the_distance_to_the_middle_of_a_cell() -> None:
    x = worley((80, 80), cells=4, jitter=0, kind="nearest")
    u = ((np.arange(80) + 0.5) / 20) % 1 - 0.5
    np.testing.assert_allclose(x, np.hypot(u[None, :], u[:, None]), atol=1e-5)
    cracks = worley((80, 80), cells=4, jitter=0, kind="cracks")  # twice the distance to the side of a square
    np.testing.assert_allclose(cracks, 2 * np.minimum(0.5 - np.abs(u)[None, :], 0.5 - np.abs(u)[:, None]), atol=1e-5)
    a, b = (np.abs(side) for side in np.meshgrid(u, u))
    second = np.minimum(np.hypot(1 - a, b), np.hypot(a, 1 - b))  # from the middle of the cell beside
    np.testing.assert_allclose(worley((80, 80), cells=4, jitter=0, kind="second"), second / 1.3, atol=1e-5)
    with pytest.raises(ValueError, match="kind must be one of nearest, second, border, cracks"):
        worley((8, 8), kind="third")


def test_worley_second_hardly_ever_ends_its_range() -> None:
    x = np.stack([worley((128, 128), cells=16, kind="second", rng=seed) for seed in range(4)])
    assert np.mean(x == 1) < 1e-3
    assert np.quantile(x, 0.999) > 0.85


def test_voronoi_panes_are_flat_where_there_is_no_relief_and_lead_is_as_wide_as_asked() -> None:
    image = voronoi((200, 200), cells=5, relief=0, joint=0, rng=4)
    assert len(np.unique(image.reshape(-1, 3), axis=0)) <= 25
    black = voronoi((400, 400), cells=4, jitter=0, joint=0.1, relief=0, palette=("#000000", "#ffffff"))
    lead = float((1 - black.mean(axis=2)).mean())  # a square with a rim of half the joint on each side
    assert lead == pytest.approx(1 - 0.9**2, abs=0.01)
