"""Where the scripts of ``benchmarks/`` find the public test sets, and what they say where one is missing."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.data import find_data, load_set


def test_what_is_missing_is_named_and_ends_the_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANEW_DATA", str(tmp_path))
    with pytest.raises(SystemExit, match="set ANEW_DATA to a folder that holds testsets"):
        load_set("Set5")
    (tmp_path / "testsets" / "Set5").mkdir(parents=True)
    for call, what in (
        (lambda: load_set("Set14"), "testsets/Set14"),
        (lambda: load_set("Set5"), "no pictures in"),
        (lambda: find_data("photos", "bsds400"), "photos/bsds400"),
    ):
        with pytest.raises(SystemExit, match=what):
            call()
    Image.new("RGB", (4, 3), (0, 128, 255)).save(tmp_path / "testsets" / "Set5" / "b.png")
    Image.new("L", (4, 3), 7).save(tmp_path / "testsets" / "Set5" / "a.png")
    pictures = load_set("Set5")
    assert list(pictures) == ["a.png", "b.png"]
    assert [picture.shape for picture in pictures.values()] == [(3, 4), (3, 4, 3)]
    np.testing.assert_array_equal(load_set("Set5", grey=True)["a.png"], 7)
