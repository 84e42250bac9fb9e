"""Contact sheets: what is written fits and can be read, and no row is higher than its pictures need."""

from __future__ import annotations

import numpy as np
import pytest

from anew.contact_sheet import GAP, MARGIN, PAPER, Tile, draw_contact_sheet

SQUARE = np.full((40, 40, 3), 0.5)


def is_paper(pixels: np.ndarray) -> bool:
    return bool((pixels == PAPER).all())


def test_a_long_title_ends_before_the_border() -> None:
    sheet = draw_contact_sheet([Tile("a", SQUARE)], title="a title that is far too long for one picture " * 3)
    assert not is_paper(sheet[: 2 * MARGIN, -2 * MARGIN : -MARGIN])
    assert is_paper(sheet[:, -MARGIN + 2 :])


def test_letters_that_the_font_lacks_lose_their_accents() -> None:
    accented, plain, other = (
        draw_contact_sheet([Tile(name, SQUARE)]) for name in ("Ünder thé bridgé", "Under the bridge", "写")
    )
    np.testing.assert_array_equal(accented, plain)
    np.testing.assert_array_equal(other, draw_contact_sheet([Tile("?", SQUARE)]))


def test_each_row_is_as_high_as_its_pictures() -> None:
    tall, flat = np.full((90, 60, 3), 0.5), np.full((10, 60, 3), 0.5)
    two = draw_contact_sheet([Tile("", tall), Tile("", flat)], tile_width=60, columns=1)
    assert (
        two.shape[0]
        == sum(draw_contact_sheet([Tile("", x)], tile_width=60).shape[0] for x in (tall, flat))
        - MARGIN
        - MARGIN // 2
        + GAP
    )


@pytest.mark.parametrize("options", [{"columns": 0}, {"columns": -2}, {"tile_width": 0}])
def test_a_sheet_without_width_is_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be at least 1"):
        draw_contact_sheet([Tile("a", SQUARE)], **options)
    with pytest.raises(ValueError, match="at least one tile"):
        draw_contact_sheet([])
