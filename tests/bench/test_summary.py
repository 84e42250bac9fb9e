"""From measurements to the best method: small tables whose answer is known."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skimage.data

from anew.bench import peers, plan
from anew.bench.comparison import Compared, ranked, regions_of_most_difference
from anew.bench.contenders import code_of, contender_names, digest_of_weights, get_contender
from anew.bench.page import make_page
from anew.bench.peers import PEERS, Peer, missing_package
from anew.bench.plan import BenchPlan, Unit
from anew.bench.plot import draw_plot
from anew.bench.protocols import PROTOCOLS, Trial, score
from anew.bench.runner import BenchRun
from anew.bench.summary import Row, best_of, frontier
from anew.inference import models
from anew.registry import METHODS


def row(name: str, psnr: float, seconds: float | None, *, kind: str = "anew", measured: int = 4) -> Row:
    return Row(
        name=name,
        kind=kind,
        library="",
        summary="",
        psnr_at={15.0: psnr},
        means={"psnr": psnr, "gmsd": 1 / psnr, "perceptual": 2 / psnr},
        qualities_at={15.0: {"psnr": psnr}},
        seconds_per_megapixel=seconds,
        peak_mb=100.0,
        parameters=None,
        multiply_adds_per_pixel=None,
        measured=measured,
        total=4,
        note="",
        worst=[],
    )


ROWS = [
    row("slow and best", 32, 10),
    row("dominated", 30, 5),
    row("quick", 31, 0.1),
    row("quickest", 28, 0.01),
    row("part of it", 99, 0.001, measured=3),
    row("harmful", 10, 0.02),
    row("input", 20, None, kind="input"),
]


def test_the_frontier_holds_what_nothing_passes_in_both() -> None:
    assert [r.name for r in frontier(ROWS)] == ["quickest", "quick", "slow and best"]


def test_the_best_of_a_column_knows_which_way_is_better() -> None:
    assert best_of(ROWS, "psnr") == 32
    assert best_of(ROWS, "gmsd") == 1 / 32
    assert best_of(ROWS, "perceptual") == 2 / 32
    assert best_of(ROWS, "seconds_per_megapixel") == 0.01
    assert best_of([], "psnr") is None


def test_the_plot_shows_every_useful_method_once_and_inside() -> None:
    svg, hidden = draw_plot(ROWS)
    assert hidden == ["harmful"]
    assert svg.count("<circle") == 4
    for name in ("slow and best", "dominated", "quick", "quickest"):
        assert svg.count(f">{name}</text>") == 1
    assert "part of it" not in svg
    assert draw_plot([replace(ROWS[0], seconds_per_megapixel=None)])[0] == ""


def test_the_page_warns_of_gaps_in_our_rows_alone_and_gives_commands_that_run(tmp_path: Path) -> None:
    run = BenchRun(BenchPlan(task="inpaint"), tmp_path, [], [], [], {}, [])
    gap_of_a_peer = [row("biharmonic", 30, 1), row("skimage biharmonic", 31, 1, kind="peer", measured=3)]
    page = make_page(run, gap_of_a_peer)
    assert 'class="warn"' not in page
    assert "<code>anew inpaint photo.jpg --method biharmonic --mask holes.png</code>" in page
    own_gap = make_page(run, [*gap_of_a_peer, row("telea", 29, 1, measured=2)])
    assert re.findall("<p[^>]*>Not complete[^<]*</p>", own_gap) == [
        '<p class="warn">Not complete: telea (2 of 4). Incomplete rows take no part in the ranking.</p>'
    ]
    assert own_gap.count('class="warn"') == 1


def test_the_page_names_the_folder_of_the_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = BenchRun(BenchPlan(task="inpaint", data="."), tmp_path, [], [], [], {}, [])
    assert f"with 0 pictures of {tmp_path.name}." in make_page(run, [])


def test_names_with_markup_are_escaped() -> None:
    svg, _ = draw_plot([row("<b>&", 30, 1)])
    assert "<b>" not in svg
    assert "&lt;b&gt;&amp;" in svg


def test_units_are_told_apart_by_what_decides_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    unit = Unit(15.0, "a.png", "abc", "")
    keys = {
        unit.key("denoise", "nlm", "1"),
        unit.key("denoise", "nlm", "2"),
        unit.key("denoise", "tv", "1"),
        replace(unit, level=25.0).key("denoise", "nlm", "1"),
        replace(unit, digest="abd").key("denoise", "nlm", "1"),
    }
    assert len(keys) == 5
    assert replace(unit, level=15).key("denoise", "nlm", "1") in keys
    assert replace(unit, picture="renamed.png").key("denoise", "nlm", "1") in keys
    monkeypatch.setattr(plan, "QUALITIES", ("psnr", "another score"))
    assert unit.key("denoise", "nlm", "1") not in keys


def test_results_of_other_weights_or_another_runtime_are_not_taken_for_those_of_today(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    network, rule = METHODS.get("denoise", "unet"), METHODS.get("denoise", "nlm")
    monkeypatch.setenv("ANEW_PROVIDER", "auto")
    codes = [(code_of(network), code_of(rule))]
    monkeypatch.setenv("ANEW_PROVIDER", "cpu")
    codes.append((code_of(network), code_of(rule)))
    (tmp_path / "denoise-unet.onnx").write_bytes(b"trained anew")
    monkeypatch.setattr(models, "WEIGHTS", tmp_path)
    digest_of_weights.cache_clear()
    codes.append((code_of(network), code_of(rule)))
    digest_of_weights.cache_clear()
    assert len({of_network for of_network, _ in codes}) == 3
    assert len({of_rule for _, of_rule in codes}) == 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be taken away here")
def test_only_the_cores_that_may_be_used_count() -> None:
    script = (
        "import os; from anew.bench.environment import machine\n"
        "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); print(machine()['cores'])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"


def test_every_method_of_a_task_takes_part_or_says_why_not() -> None:
    for task in PROTOCOLS:
        names, left_out = contender_names(task)
        assert names[0] == "input"
        assert sorted([*names[1:], *left_out]) == sorted(METHODS.names(task))
    assert "kernel" in contender_names("denoise")[1]["custom"]


def test_a_method_that_is_named_and_cannot_take_part_is_refused() -> None:
    with pytest.raises(ValueError, match="denoise by custom cannot take part: it needs kernel"):
        contender_names("denoise", "mean,custom")
    assert contender_names("denoise", "mean, recorrupted,mean")[0] == ["input", "mean", "recorrupted"]
    here = [p for p in PEERS if p.task == "denoise" and missing_package(p) is None]
    assert contender_names("denoise", "mean", peers="all")[0] == ["input", "mean", *(p.name for p in here)]
    for peer in PEERS:
        if missing_package(peer):
            with pytest.raises(ValueError, match=f"{peer.package} is not installed"):
                contender_names(peer.task, peer.name)


def test_every_method_can_be_opened_in_its_process() -> None:
    for task in PROTOCOLS:
        for name in contender_names(task)[0]:
            assert get_contender(task, name).name == name
    assert (get_contender("deblock", "unet").parameters or 0) > 1_000_000
    assert get_contender("denoise", "unet").parameters is None  # one network for colour, one for grey


def test_peers_have_names_of_their_own_and_are_looked_for() -> None:
    names = [(peer.task, peer.name) for peer in PEERS]
    assert len(set(names)) == len(names)
    assert not any(name in METHODS.names(task) for task, name in names)
    absent = Peer("none", "denoise", "no-such-package", "no_such_module", "", lambda trial: trial.degraded)
    assert missing_package(absent) == "no-such-package"


def test_results_of_a_peer_called_otherwise_are_not_taken_for_those_of_today() -> None:
    digest = hashlib.sha256(Path(peers.__file__).read_bytes()).hexdigest()
    assert digest[:8] in get_contender("denoise", "skimage tv").code


def test_peers_give_pictures_of_the_right_shape() -> None:
    rng = np.random.default_rng(0)
    for task, protocol in PROTOCOLS.items():
        for shape in ((48, 40), (48, 40, 3)):
            clean = rng.integers(60, 200, shape).astype(np.uint8)
            level = next(lv for lv in reversed(protocol.levels) if protocol.applies(clean, lv))
            trial: Trial = protocol.degrade(protocol.prepare(clean), level, protocol.variants[0])
            for peer in PEERS:
                if peer.task == task and missing_package(peer) is None and peer.package != "bm3d":
                    result = get_contender(task, peer.name).run(trial)
                    assert result.shape == trial.reference.shape, peer.name
                    assert result.dtype == np.float32


def test_regions_are_where_results_differ_and_do_not_overlap() -> None:
    one, two = np.zeros((200, 300, 3), np.float32), np.zeros((200, 300, 3), np.float32)
    two[20:40, 250:270] = 1
    two[150:160, 50:60] = 1
    corners = regions_of_most_difference([one, two], 3, side=32)
    assert len(corners) >= 2
    for (top, left), (y, x) in zip(corners[:2], ((30, 260), (155, 55)), strict=True):
        assert top <= y < top + 32
        assert left <= x < left + 32
    for i, (top, left) in enumerate(corners):
        for other_top, other_left in corners[:i]:
            assert abs(top - other_top) >= 32 or abs(left - other_left) >= 32
    assert regions_of_most_difference([one, one], 3) == []


def test_ranking_puts_the_best_first_and_failures_last() -> None:
    x = np.zeros((2, 2, 1), np.float32)
    tried = [
        Compared("failed", None, 0, 0, {}, "why"),
        Compared("worse", x, 1, 1, {"estimated_psnr": 20, "niqe": 1}),
        Compared("better", x, 1, 1, {"estimated_psnr": 30, "niqe": 9}),
    ]
    assert [m.name for m in ranked(tried)] == ["better", "worse", "failed"]


def test_peers_are_called_so_that_they_help() -> None:
    clean = skimage.data.chelsea()[60:156, 120:248]
    for task, level in (("denoise", 25.0), ("deblur", 2.55)):
        trial = PROTOCOLS[task].degrade(clean, level, "gaussian 2")
        damaged = score(task, trial, trial.degraded)["psnr"] or 0.0
        for peer in PEERS:
            if peer.task == task and missing_package(peer) is None and peer.package != "bm3d":
                assert (score(task, trial, peer.run(trial))["psnr"] or 0.0) > damaged + 1, peer.name
