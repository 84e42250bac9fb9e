"""What lines say about a tilt: each kind of evidence passes, and fails once one thing about it is changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from anew.diagnosis.tilt import _both_agree, _both_hint, _Claim, _lines_of_a_page, _standing_lines
from anew.structure.lines import Bundle

Judge = Callable[[Bundle, Bundle], _Claim | None]

FEW = Bundle(tilt=4.0, support=0.9, candidates=1.2, spread=0.5, count=4)
MANY = Bundle(tilt=4.0, support=1.1, candidates=2.0, spread=0.6, count=8)
TEXT = Bundle(tilt=1.0, support=5.0, candidates=6.0, spread=0.9, count=30)
NONE = Bundle()


@pytest.mark.parametrize(
    ("judge", "horizontal", "vertical"),
    [
        (_both_agree, FEW, FEW),
        (_both_agree, replace(FEW, support=0.52, candidates=0.6), replace(FEW, support=1.0)),
        (_both_hint, replace(FEW, support=0.35), replace(FEW, support=0.7, tilt=5.1)),
        (_standing_lines, NONE, MANY),
        (_standing_lines, replace(FEW, tilt=-3.0, support=1.4, candidates=3.0), MANY),  # not much stronger
        (_standing_lines, replace(FEW, tilt=2.0, support=3.0, candidates=4.0), MANY),  # nearly agrees
        (_standing_lines, replace(FEW, tilt=-3.0, support=3.0, candidates=9.0), MANY),  # hardly agrees with itself
        (_standing_lines, NONE, replace(MANY, convergence=-3.9)),
        (_both_agree, replace(FEW, spread=0.35, candidates=2.0), replace(FEW, spread=0.35, candidates=2.0)),
        (_both_hint, replace(FEW, support=0.5, candidates=1.75, count=3), replace(FEW, support=0.55, candidates=1.75)),
        (_standing_lines, NONE, replace(MANY, support=0.65, candidates=1.9, spread=0.45, count=5)),
        (_lines_of_a_page, replace(TEXT, support=3.1, candidates=4.8, spread=0.65, count=9), NONE),
        (_lines_of_a_page, TEXT, NONE),
        (_lines_of_a_page, replace(TEXT, convergence=-0.4), FEW),
    ],
)
def test_lines_that_tell(judge: Judge, horizontal: Bundle, vertical: Bundle) -> None:
    assert judge(horizontal, vertical) is not None


@pytest.mark.parametrize(
    ("judge", "horizontal", "vertical"),
    [
        (_both_agree, replace(FEW, support=0.4), replace(FEW, support=2.0)),
        (_both_agree, replace(FEW, support=0.6), replace(FEW, support=0.6)),
        (_both_agree, FEW, replace(FEW, tilt=4.8)),
        (_both_agree, replace(FEW, tilt=4.8), FEW),
        (_both_agree, FEW, replace(FEW, spread=0.2)),
        (_both_agree, FEW, replace(FEW, candidates=4.0)),
        (_both_agree, replace(FEW, support=2.0), replace(FEW, support=0.4)),
        (_both_agree, replace(FEW, spread=0.2), FEW),
        (_both_hint, replace(FEW, support=0.2), FEW),
        (_both_hint, FEW, replace(FEW, support=0.2)),
        (_both_hint, replace(FEW, count=2), FEW),
        (_both_hint, replace(FEW, support=0.4), replace(FEW, support=0.4)),
        (_both_hint, FEW, replace(FEW, count=2)),
        (_both_hint, FEW, replace(FEW, tilt=5.3)),
        (_both_hint, replace(FEW, tilt=5.3), FEW),
        (_both_hint, replace(FEW, candidates=4.0), replace(FEW, candidates=4.0)),
        (_standing_lines, NONE, replace(MANY, support=0.5, candidates=1.0)),
        (_standing_lines, NONE, replace(MANY, count=4)),
        (_standing_lines, NONE, replace(MANY, spread=0.3)),
        (_standing_lines, NONE, replace(MANY, candidates=4.0)),
        (_standing_lines, NONE, replace(MANY, convergence=-4.1)),
        (_standing_lines, replace(FEW, tilt=1.0, support=1.7, candidates=3.0), MANY),
        (_standing_lines, replace(FEW, tilt=1.0, support=2.0, candidates=4.5), MANY),
        (_standing_lines, replace(FEW, tilt=1.0, support=3.0, candidates=4.0), MANY),
        (_standing_lines, replace(FEW, tilt=7.0, support=3.0, candidates=4.0), MANY),
        (_lines_of_a_page, replace(TEXT, support=2.9, candidates=3.0), NONE),
        (_lines_of_a_page, replace(TEXT, count=8), NONE),
        (_lines_of_a_page, replace(TEXT, spread=0.5), NONE),
        (_lines_of_a_page, replace(TEXT, convergence=-0.6), NONE),
        (_lines_of_a_page, replace(TEXT, candidates=9.0), NONE),
        (_lines_of_a_page, TEXT, replace(NONE, candidates=3.0)),
    ],
)
def test_lines_that_do_not(judge: Judge, horizontal: Bundle, vertical: Bundle) -> None:
    assert judge(horizontal, vertical) is None


@pytest.mark.parametrize("judge", [_both_agree, _both_hint])
def test_lines_of_both_kinds_count_by_their_length(judge: Judge) -> None:
    claim = judge(replace(FEW, tilt=4.0, support=0.6, upright=0.1), replace(FEW, tilt=4.5, support=1.4, upright=0.3))
    assert claim is not None
    assert claim.angle == pytest.approx((0.6 * 4.0 + 1.4 * 4.5) / 2)
    assert claim.upright == pytest.approx(0.4 / 2)


def test_the_lines_of_one_kind_say_their_own_angle() -> None:
    standing = _standing_lines(replace(FEW, tilt=3.0), replace(MANY, support=0.8, upright=0.2))
    assert standing is not None
    assert [standing.angle, standing.upright] == pytest.approx([4.0, 0.25])
    page = _lines_of_a_page(replace(TEXT, upright=0.5), replace(NONE, tilt=9.0, upright=1.0))
    assert page is not None
    assert [page.angle, page.upright] == pytest.approx([1.0, 1.5 / 5])


@pytest.mark.parametrize(("length", "confidence"), [(1.0, 0.9), (1.5, 0.95), (5.0, 0.99)])
def test_more_lines_of_both_kinds_make_surer(length: float, confidence: float) -> None:
    lines = replace(FEW, support=length, candidates=length)
    claim = _both_agree(lines, lines)
    assert claim is not None
    assert claim.confidence == pytest.approx(confidence)
