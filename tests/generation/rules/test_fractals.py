"""Fractals: points whose fate is known, lengths and dimensions that are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from anew.generation.rules.fractals import PLACES, escape, julia, mandelbrot
from anew.generation.rules.lsystems import SYSTEMS, LSystem, grow, l_system, walk


def fate(points: list[complex], c: complex | None = None, iterations: int = 2000) -> np.ndarray:
    z = np.array(points)
    return escape(z.real, z.imag, c=c, iterations=iterations)[0]


def test_points_of_mandelbrots_set_stay_and_others_leave() -> None:
    inside = [0, -1, 0.25, -2, 1j, -1j, -1.7548776662466927, -0.1225611668766536 + 0.7448617666197442j, 0.2, -1.24]
    assert (fate(inside) == -1).all()
    outside = [0.26, -2.01, 1, 0.5 + 0.5j, 1 + 1j, -1.2 + 0.3j, 2, 0.251]
    assert (fate(outside) > 0).all()


def test_the_count_is_the_number_of_steps_to_a_large_radius() -> None:
    c, z, n = 0.3 + 0.02j, 0j, 0
    while abs(z) <= 256:
        z, n = z * z + c, n + 1
    assert n - 1 <= fate([c])[0] <= n
    # c = 1: 1, 2, 5, 26, 677; the smooth count of 677 lies within a step of 5
    assert fate([1 + 0j])[0] == pytest.approx(5 - math.log2(math.log(677) / math.log(256)), abs=1e-4)


def test_julias_set_of_0_is_the_unit_circle_and_of_minus_2_a_segment() -> None:
    assert (fate([0.5, 0.99j, -0.7 + 0.7j], c=0j) == -1).all()
    assert (fate([1.01, 0.8 + 0.8j], c=0j) > 0).all()
    assert (fate([0, 1.3, -2, 2], c=-2 + 0j, iterations=60) == -1).all()
    assert (fate([2.01, 0.1j, 1 + 0.05j], c=-2 + 0j) > 0).all()


def test_the_distance_estimate_is_within_a_factor_of_two_for_a_disc() -> None:
    x = np.array([1.05, 1.3, 2.0])
    _, distance = escape(x, np.zeros(3), c=0j)  # |z| log |z| / |z'| = r log r for the unit circle
    np.testing.assert_allclose(distance, x * np.log(x), rtol=1e-4)


def test_the_area_of_mandelbrots_set_is_the_known_one() -> None:
    x, y = np.meshgrid((np.arange(1200) + 0.5) / 1200 * 3 - 2.2, (np.arange(1000) + 0.5) / 1000 * 2.5 - 1.25)
    count, _ = escape(x, y, iterations=3000)
    assert (count == -1).mean() * 7.5 == pytest.approx(1.5066, abs=0.01)


def test_pictures_of_the_set_are_symmetric_and_places_can_be_named_or_given() -> None:
    image = mandelbrot((60, 80), place="whole")
    assert np.abs(image - image[::-1]).mean() < 0.01
    x, y, width = PLACES["spiral"]
    np.testing.assert_array_equal(mandelbrot((20, 20), place="spiral"), mandelbrot((20, 20), x=x, y=y, width=width))
    turned = julia((41, 41), seed="rabbit")
    assert np.abs(turned - turned[::-1, ::-1]).mean() < 0.02, "z and -z have one image"
    with pytest.raises(ValueError, match="place must be one of whole"):
        mandelbrot((4, 4), place="moon")
    with pytest.raises(ValueError, match="width must be a finite number"):
        mandelbrot((4, 4), width=0)
    with pytest.raises(ValueError, match="iterations must be an integer"):
        julia((4, 4), iterations=0)


def test_lindenmayers_algae_grow_by_fibonacci_numbers() -> None:
    algae = LSystem("A", {"A": "AB", "B": "A"}, 0, 0)
    assert [len(grow(algae, n)) for n in range(8)] == [1, 2, 3, 5, 8, 13, 21, 34]


def steps_of(name: str, depth: int) -> tuple[np.ndarray, np.ndarray]:
    system = SYSTEMS[name]
    starts, ends, _ = walk(grow(system, depth), angle=system.angle, heading=system.heading)
    return starts, ends


@pytest.mark.parametrize("depth", range(5))
def test_kochs_snowflake_has_its_length_and_closes(depth: int) -> None:
    starts, ends = steps_of("koch", depth)
    assert len(starts) == 3 * 4**depth
    np.testing.assert_allclose(np.hypot(*(ends - starts).T), 1)
    np.testing.assert_allclose(ends[-1], starts[0], atol=1e-9)
    x, y = starts.T  # of the triangle's area 8/5 in the limit; side 3^depth
    area = abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2
    triangle = math.sqrt(3) / 4 * 9**depth
    assert area / triangle == pytest.approx(8 / 5 - 3 / 5 * (4 / 9) ** depth)


@pytest.mark.parametrize("depth", [1, 4, 8, 11])
def test_the_dragon_spans_a_power_of_root_two_and_visits_no_edge_twice(depth: int) -> None:
    starts, ends = steps_of("dragon", depth)
    assert len(starts) == 2**depth
    assert np.hypot(*(ends[-1] - starts[0])) == pytest.approx(math.sqrt(2) ** depth)
    middles = np.round(starts + ends).astype(int)
    assert len(np.unique(middles, axis=0)) == 2**depth


def test_hilberts_curve_visits_every_point_of_its_square_once() -> None:
    starts, ends = steps_of("hilbert", 5)
    visited = np.round(np.concatenate([starts, ends[-1:]])).astype(int)
    visited -= visited.min(axis=0)
    assert visited.max() == 31
    assert len(np.unique(visited, axis=0)) == 32 * 32


@pytest.mark.parametrize(
    ("name", "ratio", "growth"), [("gosper", math.sqrt(7), 7), ("arrowhead", 2, 3), ("levy", 2**0.5, 2)]
)
def test_other_curves_scale_as_they_should(name: str, ratio: float, growth: int) -> None:
    spans = []
    for depth in (2, 4):
        starts, ends = steps_of(name, depth)
        assert len(starts) == growth**depth
        spans.append(np.hypot(*(ends[-1] - starts[0])))
    assert spans[1] / spans[0] == pytest.approx(ratio**2)


def test_brackets_go_back_and_levels_count_them() -> None:
    starts, ends, levels = walk("F[+F]F", angle=90)
    np.testing.assert_allclose(starts, [[0, 0], [1, 0], [1, 0]], atol=1e-12)
    np.testing.assert_allclose(ends, [[1, 0], [1, -1], [2, 0]], atol=1e-12)  # y points down: left turns up
    assert levels.tolist() == [0, 1, 0]


@pytest.mark.parametrize("name", list(SYSTEMS))
def test_every_system_can_be_drawn_and_fills_the_picture(name: str) -> None:
    image = l_system((90, 120), system=name, depth=min(SYSTEMS[name].depth, 4))
    inked = np.abs(image - image[0, 0]).max(axis=2) > 0.05
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    tall, wide = np.ptp(rows) / 90, np.ptp(columns) / 90
    assert max(tall, wide * 0.75) > 0.7, "with a margin of 7 percent"


def test_words_that_grow_too_long_are_refused_before_they_are_made() -> None:
    with pytest.raises(ValueError, match="depth must be at most 7 here, got 20"):
        l_system((8, 8), system="koch", depth=20)
    with pytest.raises(ValueError, match="system must be one of dragon"):
        l_system((8, 8), system="oak")
    assert l_system((8, 8), system="plant", depth=0).std() < 0.2


def test_every_seed_shows_another_part_of_the_boundary() -> None:
    seen = set()
    for seed in range(40):
        white = mandelbrot((24, 40), palette=["#ffffff"], rng=seed)  # dark within 2.5 pixels of the set, and in it
        assert 0.05 < (white < 0.999).mean() < 0.999
        seen.add(white.tobytes())
    assert len(seen) == 40


def test_every_seed_shows_another_julia_set_with_rich_borders() -> None:
    seen = set()
    for seed in range(40):
        white = julia((40, 40), palette=["#ffffff"], rng=seed)
        assert 0.2 < (white < 0.999).mean() < 0.8
        seen.add(white.tobytes())
    assert len(seen) == 40


def test_plants_that_are_drawn_by_chance_differ() -> None:
    pictures = {l_system((30, 30), rng=seed).tobytes() for seed in range(40)}
    assert len(pictures) > len(SYSTEMS)
