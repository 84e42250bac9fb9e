"""The report and the sheet: well-formed, self-contained, escaped."""

from __future__ import annotations

import os
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote_to_bytes

import numpy as np
import pytest
from PIL import Image

from anew.degradations.catalogue import degrade
from anew.errors import CannotWrite
from anew.images import Picture, read_frames
from anew.report import write_report, write_sheet
from anew.report.index import write_index
from anew.report.template import REPORT_MARK
from anew.restoration.automatic import Restoration, restore
from anew.restoration.plan import Plan, Step
from anew.restoration.recipe import encode_mask

VOID = {"meta", "img", "input", "br"}


@pytest.fixture(scope="module")
def restoration(colour_photo: np.ndarray) -> Restoration:
    mask = np.zeros(colour_photo.shape[:2], bool)
    mask[30:50, 40:80] = True
    damaged = colour_photo.copy()
    damaged[mask] = 0
    steps = (
        Step(kind="holes", task="inpaint", mask=encode_mask(mask)),
        Step(kind="tilt", task="unwarp", method="tilt", parameters={"angle": 40.0}),
    )
    return restore(Picture(damaged), plan=Plan(steps=steps))


class Page(HTMLParser):
    """Collect addresses and text, and check that tags close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def test_report_is_well_formed_and_loads_nothing(restoration: Restoration, tmp_path: Path) -> None:
    write_report(restoration, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    assert len(page.addresses) >= 3
    assert all(address.startswith("data:image/") for address in page.addresses)
    assert "http://" not in text
    assert "https://" not in text
    assert "url(" not in text
    for word in ("What was found", "holes", "tilt", "kept", "dropped", "Recipe"):
        assert word in page.words
    assert list(tmp_path.iterdir()) == [tmp_path / "report.html"]


def test_text_from_outside_is_escaped(restoration: Restoration, tmp_path: Path) -> None:
    from dataclasses import replace

    evil = replace(restoration.steps[0], reason="<script>alert(1)</script>")
    write_report(replace(restoration, steps=(evil,)), tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 300, 3), (40, 7, 1)])
def test_odd_pictures_have_a_report_and_a_sheet(shape: tuple[int, ...], tmp_path: Path) -> None:
    restored = restore(Picture(np.full(shape, 0.5, np.float32), np.full(shape[:2], 0.5, np.float32)))
    write_report(restored, tmp_path / "r.html")
    write_sheet(restored, tmp_path / "s.png")
    with Image.open(tmp_path / "s.png") as sheet:
        sheet.load()
        assert sheet.width == 1600


def test_what_was_found_and_not_repaired_is_said(colour_photo: np.ndarray, tmp_path: Path) -> None:
    noisy = degrade(colour_photo, "noise", rng=0, sigma=0.1)
    for choice, why in (({"skip": ("noise",)}, "the plan leaves it out"), ({"strength": 0.0}, "the strength is 0")):
        write_report(restore(noisy, **choice), tmp_path / "r.html")
        words = Page((tmp_path / "r.html").read_text(encoding="utf-8")).words
        assert f"left alonenoise{why}" in words
        assert "Nothing had to be done" not in words


def test_a_report_names_its_frame(tmp_path: Path) -> None:
    frames = [Image.new("L", (16, 16), 90 + 9 * i) for i in range(2)]
    frames[0].save(tmp_path / "two.tif", save_all=True, append_images=frames[1:])
    for restored in map(restore, read_frames(tmp_path / "two.tif")):
        write_report(restored, tmp_path / f"{restored.original.facts.frame}.html")
    assert "<h1>two.tif, frame 2 of 2</h1>" in (tmp_path / "1.html").read_text(encoding="utf-8")


def test_an_index_takes_any_name_in_its_order(restoration: Restoration, tmp_path: Path) -> None:
    try:
        odd = tmp_path / os.fsdecode(b"bad\xff.html")
        odd.touch()
    except OSError:  # such names are not possible here
        odd = tmp_path / "bad.html"
    for page in (odd, tmp_path / "a-frame10.html", tmp_path / "a-frame9.html"):
        write_report(restoration, page)
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "no report.html").write_text("<p>")
    index = write_index(tmp_path)
    assert index is not None
    text = index.read_text(encoding="utf-8")
    assert "<h1>3 pictures restored by anew</h1>" in text
    linked = [tmp_path / os.fsdecode(unquote_to_bytes(name)) for name in Page(text).addresses]
    assert linked == [tmp_path / "a-frame9.html", tmp_path / "a-frame10.html", odd]
    odd.unlink()
    (tmp_path / "a-frame9.html").unlink()
    write_index(tmp_path)
    assert "<h1>1 picture restored by anew</h1>" in index.read_text(encoding="utf-8")


def test_an_index_trusts_no_page_that_calls_itself_a_report(restoration: Restoration, tmp_path: Path) -> None:
    write_report(restoration, tmp_path / "own.html")
    said = '<meta name="description" content="<img src=x onerror=alert(1)> a &amp; b">'
    (tmp_path / "foreign.html").write_text(f"<!doctype html>{REPORT_MARK}{said}")
    index = write_index(tmp_path)
    assert index is not None
    text = index.read_text(encoding="utf-8")
    assert "<img" not in text
    assert "&lt;img src=x onerror=alert(1)&gt; a &amp; b" in text
    assert "Content-Security-Policy" in text


def test_sheet_shows_both_pictures(restoration: Restoration, tmp_path: Path) -> None:
    write_sheet(restoration, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        pixels = np.asarray(sheet)
    assert pixels.shape[1] == 1600
    left, right = pixels[100:800, 60:780].astype(int), pixels[100:800, 820:1540].astype(int)
    assert (left.sum(axis=2) < 15).mean() > (right.sum(axis=2) < 15).mean() + 0.02  # the hole was black


def test_where_nothing_can_be_written_one_line_says_so(restoration: Restoration, tmp_path: Path) -> None:
    for write in (write_report, write_sheet):
        with pytest.raises(CannotWrite, match="there is no folder"):
            write(restoration, tmp_path / "no" / "such" / "folder")
