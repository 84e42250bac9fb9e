"""Tilings, polygons, gradients, palettes: areas, colours and places that are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from anew.generation.rules.brick import brick
from anew.generation.rules.curves import FIGURES, curves, figure_points, flow_lines
from anew.generation.rules.gradients import conic_gradient, linear_gradient, mesh_gradient, radial_gradient, swatches
from anew.generation.rules.palettes import (
    HARMONIES,
    PALETTES,
    colour_table,
    colourise,
    harmony,
    oklab_to_srgb,
    oklch_to_srgb,
    palette_colours,
    srgb_to_oklab,
)
from anew.generation.rules.polygons import polygons, stamp
from anew.generation.rules.strokes import draw_lines, fitted
from anew.generation.rules.tilings import checker, dots, hexagons, nearest_hexagon, stripes, triangles, truchet

BLACK_WHITE = ("#000000", "#ffffff")


def test_oklab_of_known_colours() -> None:
    # Ottosson's page lists these for linear light through his matrices; white has no hue
    np.testing.assert_allclose(srgb_to_oklab([1, 1, 1]), [1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(srgb_to_oklab([1, 0, 0]), [0.62796, 0.22486, 0.12585], atol=1e-4)
    np.testing.assert_allclose(srgb_to_oklab([0, 0, 1]), [0.45201, -0.03246, -0.31153], atol=1e-4)
    rgb = np.random.default_rng(0).random((500, 3))
    np.testing.assert_allclose(oklab_to_srgb(srgb_to_oklab(rgb)), rgb, atol=1e-6)


def test_colours_out_of_gamut_lose_chroma_alone() -> None:
    hues = np.arange(0, 360, 15.0)
    rgb = oklch_to_srgb(0.7, 0.4, hues)
    assert rgb.min() >= 0
    assert rgb.max() <= 1
    lab = srgb_to_oklab(rgb)
    np.testing.assert_allclose(lab[:, 0], 0.7, atol=5e-3)
    turned = np.degrees(np.arctan2(lab[:, 2], lab[:, 1]))
    assert np.abs((turned - hues + 180) % 360 - 180).max() < 1.5


@pytest.mark.parametrize("kind", list(HARMONIES))
def test_harmonies_have_the_hues_of_their_rule(kind: str) -> None:
    colours = palette_colours(harmony(kind, 40, count=12, chroma=0.06))
    lab = srgb_to_oklab(colours)
    hues = np.degrees(np.arctan2(lab[:, 2], lab[:, 1]))
    steps = np.arange(12) * 30 if kind == "spectrum" else np.array(HARMONIES[kind])
    apart = np.abs((hues[:, None] - 40 - steps[None] + 180) % 360 - 180).min(axis=1)
    assert apart.max() < 6
    if kind != "spectrum":
        assert (np.diff(lab[:, 0]) > 0).all(), "from dark to light"


def test_palettes_by_name_harmony_list_and_in_reverse() -> None:
    for name in PALETTES:
        np.testing.assert_array_equal(palette_colours(f"-{name}"), palette_colours(name)[::-1])
    np.testing.assert_array_equal(palette_colours("#ff0000, #0000ff"), [[1, 0, 0], [0, 0, 1]])
    assert len(palette_colours("triadic:210")) == 6
    for wrong, message in (
        ("mud", "unknown palette 'mud'"),
        ("triadic:up", "expected HARMONY:HUE"),
        ([], "at least one colour"),
        (["red"], "expected a colour as #rrggbb, got 'red'"),
    ):
        with pytest.raises(ValueError, match=message):
            palette_colours(wrong)


def test_a_table_passes_through_its_colours_and_a_cyclic_one_closes() -> None:
    colours = palette_colours("ember")
    table = colour_table("ember", size=501)
    np.testing.assert_allclose(table[::100], colours, atol=1e-5)
    closed = colour_table("ember", cyclic=True, size=601)
    np.testing.assert_allclose(closed[0], closed[-1], atol=1e-5)
    np.testing.assert_allclose(closed[:600:100], colours, atol=1e-5)
    field = np.array([[0, 0.25, 1.25, -0.75]], np.float32)
    x = colourise(field, "ember", cyclic=True)[0]
    np.testing.assert_allclose(x[1:], np.stack([x[1]] * 3), atol=2e-3)


def test_gradients_have_their_values_at_known_places() -> None:
    x = linear_gradient((50, 80), angle=0)
    np.testing.assert_allclose(x, np.broadcast_to((np.arange(80) + 0.5) / 80, (50, 80)), atol=1e-6)
    x = radial_gradient((41, 41))
    assert x[20, 20] == 0
    assert x[0, 0] == pytest.approx(20 * 2**0.5 / (20.5 * 2**0.5), abs=1e-5)
    np.testing.assert_allclose(x, x.T, atol=1e-6)
    x = linear_gradient((64, 64), angle=90, repeat=3, mirror=True)
    assert np.abs(np.diff(x[:, 0])).max() < 3.1 / 64, "mirrored, without a jump"
    wheel = conic_gradient((101, 101), palette=("#000000", "#ffffff"))
    np.testing.assert_allclose(wheel[:, :50][:40], wheel[:, :50:-1][:40], atol=0.03)
    assert len(np.unique(swatches((4, 60), palette="bauhaus").reshape(-1, 3), axis=0)) == 5
    mesh = mesh_gradient((70, 300), tileable=True, grain=0)
    assert np.abs(mesh[:, 0] - mesh[:, -1]).max() < 0.05


def test_a_checker_is_half_black_and_turns_into_its_negative_by_a_shift() -> None:
    x = checker((96, 96), palette=BLACK_WHITE, cells=8)[:, :, 0]
    assert x.mean() == pytest.approx(0.5, abs=1e-6)
    np.testing.assert_allclose(np.roll(x, 12, axis=0), 1 - x, atol=1e-6)
    odd = checker((77, 101), palette=BLACK_WHITE, cells=7)[:, :, 0]
    assert odd.mean() == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("direction", ["vertical", "horizontal", "diagonal"])
@pytest.mark.parametrize("share", [0, 0.3, 1])
def test_stripes_cover_their_share(direction: str, share: float) -> None:
    x = stripes((120, 120), palette=BLACK_WHITE, cells=5, share=share, direction=direction)
    assert x.mean() == pytest.approx(share, abs=0.01)


def test_dots_hexagons_and_arcs_cover_the_areas_of_their_formulas() -> None:
    x = dots((693, 400), palette=BLACK_WHITE, cells=4, radius=0.3)  # one disc per cell of 1 x sqrt(3)/2
    assert x.mean() == pytest.approx(math.pi * 0.09 / (math.sqrt(3) / 2), rel=0.02)
    x = hexagons((693, 400), palette=BLACK_WHITE, cells=4, joint=0.1)
    assert x.mean() == pytest.approx(0.9**2, rel=0.01)
    x = truchet((400, 400), palette=BLACK_WHITE, cells=4, width=0.2)  # two quarter rings of radius 1/2 per tile
    assert x.mean() == pytest.approx(math.pi / 2 * 0.2, rel=0.01)


def test_nearest_hexagon_agrees_with_a_search_of_all_centres() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(2, 6, 400), rng.uniform(2, 6, 400)
    column, row, _ = nearest_hexagon(x, y)
    centres = np.array([(c + 0.5 * (r % 2), r) for r in range(9) for c in range(9)])
    height = math.sqrt(3) / 2
    squared = (x[:, None] - centres[:, 0]) ** 2 + ((y[:, None] - centres[:, 1]) * height) ** 2
    best = centres[squared.argmin(axis=1)]
    np.testing.assert_allclose(column + 0.5 * (row % 2), best[:, 0])
    np.testing.assert_allclose(row, best[:, 1])


def test_triangles_are_flat_inside() -> None:
    x = triangles((120, 139), cells=2)
    assert len(np.unique(x.reshape(-1, 3).round(4), axis=0)) < 0.1 * x[..., 0].size


def test_bricks_stagger_by_half_a_brick() -> None:
    x = brick((200, 240), palette=BLACK_WHITE, courses=4, ratio=2.4, variation=0, roughness=0, joint=0.1)[:, :, 0]
    first, second = x[25], x[75]
    np.testing.assert_allclose(np.roll(first, 60), second, atol=0.02)
    assert (x[:, 60] < 0.1).sum() >= 4, "the bed joints"


@pytest.mark.parametrize("corners", [3, 4, 5, 6, 12])
def test_a_polygon_covers_its_area_wherever_it_lies(corners: int) -> None:
    inner, radius = math.cos(math.pi / corners), 20.0
    area = corners / 2 * radius**2 * math.sin(2 * math.pi / corners)
    for centre in ((50.0, 50.0), (50.3, 49.8), (2.0, 97.5)):
        _, _, share = stamp((100, 100), np.array(centre), radius, corners, inner, 0.2, True)
        assert share.sum() == pytest.approx(area, rel=0.01)
    rows, columns, share = stamp((100, 100), np.array([0.0, 50.0]), radius, 4, math.cos(math.pi / 4), 0.0, False)
    assert share.sum() == pytest.approx(radius**2, rel=0.02), "half of it is beyond the edge"
    assert columns.min() == 0
    assert len(rows) > 40


def test_stars_have_the_area_of_their_tips_and_notches() -> None:
    _, _, share = stamp((200, 200), np.array([100.0, 100.0]), 80.0, 5, 0.4, 0.0, False)
    assert share.sum() == pytest.approx(5 * 80**2 * 0.4 * math.sin(math.pi / 5), rel=0.01)


def test_polygons_can_be_none_and_of_one_kind() -> None:
    assert polygons((20, 30), count=0).std(axis=(0, 1)).max() < 1e-5
    assert polygons((40, 40), count=5, sides=1000, radius=0.9).shape == (40, 40, 3)
    with pytest.raises(ValueError, match="sides must be 0 or at least 3, got 2"):
        polygons((8, 8), sides=2)


@pytest.mark.parametrize("figure", FIGURES)
def test_every_figure_draws_and_closes(figure: str) -> None:
    points = figure_points(figure, 3, 4, 0.5)
    assert np.isfinite(points).all()
    if figure != "spiral":
        np.testing.assert_allclose(points[0], points[-1], atol=1e-9)
    image = curves((80, 60), figure=figure, count=3)
    assert image.std() > 0.01


def test_a_hypotrochoid_with_the_pen_on_the_rim_is_an_astroid() -> None:
    share = (1 - 0.3) / 0.9  # the pen's arm equals the wheel's radius
    x, y = figure_points("hypotrochoid", 1, 4, share).T
    np.testing.assert_allclose(np.abs(x) ** (2 / 3) + np.abs(y) ** (2 / 3), 1, atol=1e-9)


def test_flow_lines_keep_to_their_ground_and_inks() -> None:
    image = flow_lines((60, 90), count=20, palette=BLACK_WHITE)
    assert 0 < (image > 0.5).mean() < 0.5
    assert (image[..., 0] == 0).mean() > 0.3


def test_lines_have_the_area_of_their_length_and_width() -> None:
    white, black = np.ones((1, 3), np.float32), np.zeros(3, np.float32)
    line = np.array([[20.0, 30.5], [80.0, 30.5]])
    image = draw_lines((60, 100), [line], white, [4.0], black)
    assert image[..., 0].sum() == pytest.approx(60 * 4 + math.pi * 4, rel=0.12), "with round ends"
    middle = image[:, 50, 0] @ (np.arange(60) + 0.5) / image[:, 50, 0].sum()
    assert middle == pytest.approx(30.5, abs=0.1)
    inside = fitted(np.array([[0.0, 0.0], [3.0, 1.0]]), (100, 200), 0.1)
    np.testing.assert_allclose(inside, [[10, 50 - 30], [190, 50 + 30]])


@pytest.mark.parametrize(
    ("palette", "message"),
    [
        (5, "expected the name of a palette or its colours, .* got int"),
        (None, "got NoneType"),
        (np.zeros((3, 3)), "got ndarray"),
        ({"#000000"}, "got set"),
        ([0.5, 0.2], "expected a colour as #rrggbb, got 0.5"),
        ("triadic:nan", "hue must be a finite number, got nan"),
        ("triadic:1e400", "hue must be a finite number, got inf"),
    ],
)
def test_what_is_no_palette_is_refused_in_one_line(palette: object, message: str) -> None:
    with pytest.raises(ValueError, match=f"{message}$"):
        checker((8, 8), palette=palette)  # type: ignore[arg-type]


@pytest.mark.parametrize(("option", "value"), [("hue", np.nan), ("chroma", -1), ("chroma", 0.5), ("light", 2)])
def test_numbers_that_make_no_harmony_are_refused(option: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{option} must be a finite number"):
        harmony("triadic", **{option: value})


def test_one_colour_makes_a_table_of_it_cyclic_or_not() -> None:
    for cyclic in (False, True):
        np.testing.assert_allclose(colour_table(["#3366cc"], cyclic=cyclic, size=5), [[0.2, 0.4, 0.8]] * 5, atol=1e-6)
