"""``anew augment`` as a person uses it: real folders, a manifest that suffices, and runs that can be stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

import anew
from anew.generation.augmentation.augment import replay
from anew.generation.augmentation.catalogue import OPERATIONS, STYLES
from anew.images import Picture

Invoke = Callable[..., tuple[int, str, str]]


@pytest.fixture
def invoke(invoke: Invoke) -> Invoke:
    """Run ``anew augment ...``."""
    return partial(invoke, "augment")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures: a JPEG, one in a sub-folder with alpha, and a deep grey one."""
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    cat = skimage.data.chelsea()[50:170, 100:260]
    Image.fromarray(cat).save(folder / "cat.jpg", quality=90)
    alpha = np.full(cat.shape[:2], 255, np.uint8)
    alpha[:40] = 0
    Image.fromarray(np.dstack([cat, alpha])).save(folder / "sub" / "clear.png")
    deep = np.random.default_rng(0).integers(0, 65536, (31, 45)).astype(np.uint16)
    Image.fromarray(deep).save(folder / "deep.png")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def records_of(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


def test_every_source_gives_n_variants_of_its_own_kind(invoke: Invoke, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, text, _ = invoke(folder, "-o", out, "-n", 3, "--seed", 1)
    assert code == 0
    assert text.count("-> 3 in") == 3
    names = {f"{stem}-{k:03d}{end}" for stem, end in (("cat", ".jpg"), ("sub/clear", ".png"), ("deep", ".png"))
             for k in range(3)}  # fmt: skip
    assert set(contents(out)) == names | {"manifest.jsonl"}
    assert {r["output"] for r in records_of(out)} == names
    with Image.open(out / "sub" / "clear-000.png") as clear, Image.open(out / "deep-001.png") as deep:
        assert clear.mode == "RGBA"
        assert deep.mode.startswith("I;16")
        assert len(np.unique(np.asarray(deep))) > 256
    tables = [anew.read(file).facts.jpeg_quantisation for file in (out / "cat-000.jpg", folder / "cat.jpg")]
    assert np.array(tables[0]).sum() <= np.array(tables[1]).sum()  # never coarser than the source


def test_alpha_moves_with_the_pixels(invoke: Invoke, folder: Path, tmp_path: Path) -> None:
    assert invoke(folder / "sub", "-o", tmp_path / "out", "-n", 1, "--with", "flip:p=1:axis=vertical")[0] == 0
    before, after = anew.read(folder / "sub" / "clear.png"), anew.read(tmp_path / "out" / "clear-000.png")
    np.testing.assert_array_equal(after.alpha, before.alpha[::-1])
    np.testing.assert_array_equal(after.pixels, before.pixels[::-1])


def test_any_number_of_jobs_gives_the_same_bytes(invoke: Invoke, folder: Path, tmp_path: Path) -> None:
    chain = "flip,rotate,elastic:p=0.5,jitter,noise,cutmix,transfer:p=0.5"
    for jobs in (1, 3):
        assert invoke(folder, "-o", tmp_path / str(jobs), "-n", 2, "--with", chain, "-j", jobs)[0] == 0
    assert contents(tmp_path / "1") == contents(tmp_path / "3")


def test_other_files_do_not_change_what_is_drawn(invoke: Invoke, folder: Path, tmp_path: Path) -> None:
    invoke(folder, "-o", tmp_path / "all", "-n", 2)
    invoke(folder / "deep.png", "-o", tmp_path / "one", "-n", 2)
    assert (tmp_path / "all" / "deep-001.png").read_bytes() == (tmp_path / "one" / "deep-001.png").read_bytes()


def test_a_line_of_the_manifest_makes_its_output_again(invoke: Invoke, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    others = {"flip": "p=1"}
    chain = ",".join(f"{name}:p=0.3" for name in OPERATIONS if name not in others)
    assert invoke(folder / "sub", folder / "deep.png", "-o", out, "-n", 6, "--with", chain)[0] == 0
    for record in records_of(out):
        picture = anew.read(record["source"])
        stacked = picture.pixels if picture.alpha is None else np.dstack([picture.pixels, picture.alpha])
        mixed = {s["parameters"]["other"] for s in record["operations"] if "other" in s["parameters"]}
        result = replay(stacked, record["operations"], others={m: anew.read(m).pixels for m in mixed})
        again = Picture.from_array(result.image)
        written = anew.read(out / record["output"])
        top = 65535 if written.facts.bit_depth == 16 else 255
        np.testing.assert_array_equal(np.rint(again.pixels.clip(0, 1) * top), np.rint(written.pixels * top))


def test_a_stopped_run_goes_on_and_a_larger_one_adds(invoke: Invoke, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    invoke(folder, "-o", out, "-n", 2)
    whole = contents(out)
    stays, gone = out / "cat-000.jpg", out / "cat-001.jpg"
    gone.unlink()
    times = stays.stat().st_mtime_ns
    code, text, _ = invoke(folder, "-o", out, "-n", 2)
    assert code == 0
    assert "(1 there already)" in text
    assert contents(out) == whole
    assert stays.stat().st_mtime_ns == times
    assert invoke(folder, "-o", out, "-n", 3)[0] == 0
    assert {k: v for k, v in contents(out).items() if k in whole and k != "manifest.jsonl"}.items() <= whole.items()
    assert len(records_of(out)) == 9
    assert invoke(folder, "-o", out, "-n", 1)[0] == 0
    assert len(records_of(out)) == 9  # those that are there keep their lines


def test_nothing_is_overwritten_unless_asked(invoke: Invoke, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    invoke(folder, "-o", out, "-n", 1)
    before = contents(out)
    code, _, err = invoke(folder, "-o", out, "-n", 1, "--seed", 5)
    assert code == 2
    assert "made by other settings" in err
    assert contents(out) == before
    (out / "manifest.jsonl").unlink()
    assert "by something else" in invoke(folder, "-o", out, "-n", 1)[2]
    assert invoke(folder, "-o", out, "-n", 1, "--seed", 5, "--overwrite")[0] == 0
    assert contents(out)["deep-000.png"] != before["deep-000.png"]
    (out / "manifest.jsonl").write_text("[]\n")
    code, _, err = invoke(folder, "-o", out, "-n", 1)
    assert code == 1
    assert "not a manifest" in err
    (out / "manifest.jsonl").write_text(f"{'[' * 100_000}\n")
    assert "not a manifest" in invoke(folder, "-o", out)[2]


def test_a_broken_file_is_one_line_and_the_others_are_done(invoke: Invoke, folder: Path, tmp_path: Path) -> None:
    (folder / "broken.png").write_bytes(b"nonsense")
    code, text, err = invoke(folder, "-o", tmp_path / "out", "-n", 1, "--with", "mixup", "--json")
    assert code == 1
    report = json.loads(text)
    assert report["failed"] == 1
    assert [line for line in err.splitlines() if "broken.png" in line] == err.splitlines()[:1]
    assert all("broken.png" not in json.dumps(r["operations"]) for r in records_of(tmp_path / "out"))
    assert len(list((tmp_path / "out").rglob("*-000.*"))) == 3
    done = next(r for r in report["results"] if r["input"].endswith("cat.jpg"))
    assert done["outputs"] == [str(tmp_path / "out" / "cat-000.jpg")]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are UTF-8")
def test_a_name_need_not_be_utf8(invoke: Invoke, folder: Path, tmp_path: Path) -> None:
    (folder / "cat.jpg").rename(folder / os.fsdecode(b"caf\xe9.jpg"))  # as old archives hold them
    for _ in range(2):
        code, out, _ = invoke(folder, "-o", tmp_path / "out", "-n", 2, "--json")
        assert code == 0
        assert len(json.loads(out)["results"]) == 3
    assert (tmp_path / "out" / os.fsdecode(b"caf\xe9-001.jpg")).is_file()
    assert len(records_of(tmp_path / "out")) == 6


def test_styles_give_one_of_each(invoke: Invoke, folder: Path, tmp_path: Path) -> None:
    assert invoke(folder / "cat.jpg", "-o", tmp_path / "out", "--styles")[0] == 0
    assert {p.stem for p in (tmp_path / "out").glob("*.jpg")} == {f"cat-{style}" for style in STYLES}
    assert invoke(folder / "cat.jpg", "-o", tmp_path / "out", "--styles", "-n", 2)[0] == 2


def test_the_output_folder_may_lie_in_the_input_folder(invoke: Invoke, folder: Path) -> None:
    for _ in range(2):
        assert invoke(folder, "-o", folder / "more", "-n", 1)[0] == 0
    assert len(records_of(folder / "more")) == 3


def test_masks_go_along(invoke: Invoke, folder: Path, tmp_path: Path) -> None:
    masks, out = tmp_path / "labels", tmp_path / "out"
    masks.mkdir()
    labels = np.zeros((120, 160), np.uint8)
    labels[30:90, 40:100], labels[50:70, 100:120] = 3, 7
    Image.fromarray(labels).save(masks / "cat.png")
    chain = "flip,turn,rotate,crop:enlarge=false,jitter,cutout"
    code, _, err = invoke(folder, "-o", out, "-n", 3, "--with", chain, "--masks", masks)
    assert code == 1
    assert err.count("there is no mask") == 2
    for record in records_of(out):
        if record["source"].endswith("cat.jpg"):
            expected = replay(anew.read(record["source"]).pixels, record["operations"], mask=labels).mask
            moved = np.asarray(Image.open(out / record["mask_output"]))
            np.testing.assert_array_equal(moved, expected)
            assert set(np.unique(moved)) <= {0, 3, 7}
            with Image.open(out / record["output"]) as image:
                assert image.size == moved.shape[::-1]
    Image.fromarray(labels[1:]).save(masks / "cat.png")
    assert "mask of shape" in invoke(folder, "-o", tmp_path / "b", "-n", 1, "--masks", masks)[2]
    assert invoke(folder, "-o", tmp_path / "c", "--masks", tmp_path / "nowhere")[0] == 2
    assert "neither masks" in invoke(folder, "-o", tmp_path / "c", "--masks", masks, "--with", "mixup")[2]


def test_boxes_go_along_in_both_forms(invoke: Invoke, folder: Path, tmp_path: Path) -> None:
    coco = {
        "info": {"year": 2026},
        "images": [{"id": 5, "file_name": "cat.jpg", "width": 160, "height": 120}],
        "annotations": [
            {"id": 1, "image_id": 5, "bbox": [10, 20, 30, 40], "category_id": 2, "segmentation": [[1, 2, 3]]},
            {"id": 2, "image_id": 5, "bbox": [0, 0, 5, 5], "category_id": 3},
        ],
        "categories": [{"id": 2, "name": "ear"}, {"id": 3, "name": "corner"}],
    }
    simple = {"cat.jpg": [{"box": [10, 20, 40, 60], "label": "ear"}, [0, 0, 5, 5]]}
    chain = "flip:p=1:axis=horizontal,crop:area=0.25:aspect=1:x=1:y=0.5:enlarge=false"  # 80 x 60 at (80, 30)
    for form, name in ((coco, "coco"), (simple, "simple")):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(form))
        assert invoke(folder, "-o", tmp_path / name, "-n", 2, "--with", chain, "--boxes", path)[0] == 0
    # (10, 20, 40, 60) -> flipped (120, 20, 150, 60) -> cropped (40, 0, 70, 30); the corner leaves
    moved = json.loads((tmp_path / "simple" / "boxes.json").read_text())
    assert moved == {f"cat-00{k}.jpg": [{"label": "ear", "box": [40, 0, 70, 30]}] for k in range(2)}
    moved = json.loads((tmp_path / "coco" / "boxes.json").read_text())
    assert [(i["file_name"], i["width"], i["height"]) for i in moved["images"]] == [
        ("cat-000.jpg", 80, 60), ("cat-001.jpg", 80, 60)]  # fmt: skip
    assert [(a["bbox"], a["category_id"], a["area"], a["image_id"]) for a in moved["annotations"]] == [
        ([40, 0, 30, 30], 2, 900, 1), ([40, 0, 30, 30], 2, 900, 2)]  # fmt: skip
    assert moved["categories"] == coco["categories"]
    assert all("segmentation" not in a for a in moved["annotations"])


def test_boxes_belong_to_one_picture(invoke: Invoke, tmp_path: Path) -> None:
    source, path = tmp_path / "in", tmp_path / "named.json"
    for name in ("one/x.png", "two/x.png"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        anew.write(np.zeros((30, 40), np.uint8), source / name)
    path.write_text('{"x.png": [[1, 2, 30, 20]]}')
    code, _, err = invoke(source, "-o", tmp_path / "out", *FLIP, "--boxes", path)
    assert code == 2
    assert "which may be" in " ".join(err.split())
    assert not (tmp_path / "out").exists()

    anew.write(np.zeros((30, 40), np.uint8), source / "x.png")  # now the name is the place of this one alone
    assert invoke(source, "-o", tmp_path / "out", *FLIP, "--boxes", path)[0] == 0
    assert json.loads((tmp_path / "out" / "boxes.json").read_text()) == {"x-000.png": [[10, 2, 39, 20]]}

    path.write_text('{"two/x.png": [[1, 2, 30, 20]]}')
    assert invoke(source, "-o", tmp_path / "two", *FLIP, "--boxes", path)[0] == 0
    assert list(json.loads((tmp_path / "two" / "boxes.json").read_text())) == ["two/x-000.png"]


def test_wrong_files_of_boxes_are_one_line(invoke: Invoke, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "boxes.json"
    for text, reason in (
        ("{", "not a file of boxes"),
        ("[" * 100_000, "not a file of boxes"),
        ('{"cat.jpg": [[1, 2, 3]]}', "not a file of boxes"),
        ('{"cat.jpg": [[5, 2, 3, 9]]}', "right < left"),
        ('{"images": [], "annotations": [{"image_id": 1, "bbox": [1, 2, 3, 4]}]}', "not a file of boxes"),
        ('{"dog.jpg": []}', "names none of the pictures"),
    ):
        path.write_text(text)
        code, _, err = invoke(folder, "-o", tmp_path / "out", "--boxes", path)
        assert code in (1, 2)
        assert reason in " ".join(err.split())
        assert not (tmp_path / "out").exists()
    assert invoke(folder, "-o", tmp_path / "out", "--boxes", tmp_path / "none.json")[0] == 1


def test_help_list_and_wrong_use(invoke: Invoke, folder: Path, tmp_path: Path) -> None:
    code, text, _ = invoke("--help")
    assert code == 0
    assert "Example:" in text
    code, text, _ = invoke("--list")
    assert code == 0
    assert all(name in text for name in OPERATIONS)
    out = tmp_path / "out"
    for arguments in (("--with", "flop"), ("--with", "rotate:degrees=1..x"), ("-n", 0), ("--seed", -1)):
        assert invoke(folder, "-o", out, *arguments)[0] == 2
    assert invoke(folder, "-o", folder / "cat.jpg")[0] == 2
    assert invoke(tmp_path / "nothing", "-o", out)[0] == 1
    Image.new("RGB", (5, 5)).save(folder / "cat-000.jpg")
    Image.new("RGB", (5, 5)).save(folder / "cat.png")
    masks = tmp_path / "labels"
    masks.mkdir()
    Image.new("L", (5, 5)).save(masks / "cat.png")
    assert "would both become" in " ".join(invoke(folder, "-o", out, "-n", 1, "--masks", masks)[2].split())


def test_animations_and_palette_masks(invoke: Invoke, tmp_path: Path) -> None:
    folder, masks = tmp_path / "in", tmp_path / "labels"
    folder.mkdir()
    masks.mkdir()
    frames = [Image.new("RGB", (20, 16), c) for c in ("red", "lime", "blue")]
    frames[0].save(folder / "moving.gif", save_all=True, append_images=frames[1:])
    assert invoke(folder, "-o", tmp_path / "out", "-n", 1, "--with", "rotate")[0] == 0
    with Image.open(tmp_path / "out" / "moving-000.gif") as image:
        assert image.n_frames == 3
    Image.new("RGB", (20, 16)).save(folder / "still.png")
    labels = Image.fromarray(np.repeat(np.uint8([[0] * 12 + [1] * 8]), 16, 0)).convert("P")
    labels.putpalette([0, 0, 0, 200, 30, 60])
    for name in ("still.png", "moving.png"):
        labels.save(masks / name)
    code, _, err = invoke(folder, "-o", tmp_path / "along", "-n", 1, "--with", "turn:quarters=1", "--masks", masks)
    assert code == 1
    assert "a mask is for one picture" in err
    with Image.open(tmp_path / "along" / "masks" / "still-000.png") as moved:
        turned = np.rot90(np.asarray(labels.convert("RGB")))
        np.testing.assert_array_equal(np.asarray(moved.convert("RGB")), turned)


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """Two folders with one picture each, a.png and b.png, and beside each a file with its box."""
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Image.fromarray(rng.integers(0, 256, (40, 60, 3), np.uint8)).save(tmp_path / name / f"{name}.png")
        (tmp_path / f"{name}.json").write_text(json.dumps({f"{name}.png": [[10, 10, 20, 30]]}))
    return tmp_path / "a", tmp_path / "b"


FLIP = ("-n", 1, "--with", "flip:p=1:axis=horizontal")  # (10, 10, 20, 30) becomes (40, 10, 50, 30)


@pytest.mark.parametrize("own", [True, False])
def test_a_file_of_boxes_that_is_there_is_not_lost(
    invoke: Invoke, two: tuple[Path, Path], tmp_path: Path, own: bool
) -> None:
    out, given = tmp_path / "out", tmp_path / "a.json"
    out.mkdir()
    target = out / "boxes.json"
    target.write_bytes(given.read_bytes())
    code, _, err = invoke(two[0], "-o", out, *FLIP, "--boxes", target if own else given)
    assert code == 2
    assert ("where the moved boxes go" if own else "exists already") in " ".join(err.split())
    assert contents(out) == {"boxes.json": given.read_bytes()}
    assert invoke(two[0], "-o", out, *FLIP, "--boxes", target if own else given, "--overwrite")[0] == (2 if own else 0)


def test_boxes_of_a_second_run_are_added(invoke: Invoke, two: tuple[Path, Path], tmp_path: Path) -> None:
    out, moved = tmp_path / "out", [[40, 10, 50, 30]]
    for source in (*two, two[0]):
        assert invoke(source, "-o", out, *FLIP, "--boxes", f"{source}.json")[0] == 0
    assert json.loads((out / "boxes.json").read_text()) == {"a-000.png": moved, "b-000.png": moved}
    before = contents(out)
    (tmp_path / "a.json").write_text('{"a.png": [[0, 10, 20, 30]]}')
    code, _, err = invoke(two[0], "-o", out, *FLIP, "--boxes", tmp_path / "a.json")
    assert code == 2
    assert "holds other boxes of a-000.png" in " ".join(err.split())
    assert contents(out) == before
    assert invoke(two[0], "-o", out, *FLIP, "--boxes", tmp_path / "a.json", "--overwrite")[0] == 0
    assert json.loads((out / "boxes.json").read_text()) == {"a-000.png": [[40, 10, 60, 30]], "b-000.png": moved}


def test_coco_boxes_of_a_second_run_are_added(invoke: Invoke, two: tuple[Path, Path], tmp_path: Path) -> None:
    categories = [{"id": 1, "name": "face", "keypoints": ["nose"], "skeleton": []}]
    for name in ("a", "b"):
        images = [{"id": 7, "file_name": f"{name}.png", "width": 60, "height": 40}]
        boxes = [{"id": 3, "image_id": 7, "category_id": 1, "bbox": [10, 10, 10, 20], "keypoints": [12, 12, 2]}]
        content = {"images": images, "annotations": boxes, "categories": categories}
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
        code, _, err = invoke(tmp_path / name, "-o", tmp_path / "out", *FLIP, "--boxes", tmp_path / f"{name}.json")
        assert code == 0
        assert "keypoints left out" in err
    moved = json.loads((tmp_path / "out" / "boxes.json").read_text())
    assert [i["file_name"] for i in moved["images"]] == ["a-000.png", "b-000.png"]
    assert [(a["id"], a["image_id"], a["bbox"]) for a in moved["annotations"]] == [
        (1, 1, [40, 10, 10, 20]), (2, 2, [40, 10, 10, 20])]  # fmt: skip
    assert moved["categories"] == [{"id": 1, "name": "face"}]


def test_a_mask_that_is_there_is_not_lost(invoke: Invoke, two: tuple[Path, Path], tmp_path: Path) -> None:
    labels, out = tmp_path / "labels", tmp_path / "out"
    for path in (labels / "a.png", out / "masks" / "a-000.png"):
        path.parent.mkdir(parents=True)
        Image.new("L", (60, 40), 5).save(path)
    before = contents(out)
    code, _, err = invoke(two[0], "-o", out, *FLIP, "--masks", labels)
    assert code == 2
    assert "made by something else" in " ".join(err.split())
    assert contents(out) == before
    assert invoke(two[0], "-o", out, *FLIP, "--masks", labels, "--overwrite")[0] == 0
    (out / "a-000.png").unlink()  # as if stopped between the two
    assert invoke(two[0], "-o", out, *FLIP, "--masks", labels)[0] == 0


def test_overwriting_some_keeps_the_lines_of_the_rest(invoke: Invoke, two: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    for arguments in ((*two,), (two[0], "--overwrite"), (*two,)):
        assert invoke(*arguments, "-o", out, *FLIP)[0] == 0
        assert {r["output"] for r in records_of(out)} == {"a-000.png", "b-000.png"}


def test_another_spelling_of_the_folder_goes_on(
    invoke: Invoke, two: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = ("-o", "out", "-n", 2, "--with", "cutmix:p=1")
    assert invoke("a", "b", *options)[0] == 0
    before = contents(tmp_path / "out")
    code, text, _ = invoke(*two, *options)
    assert code == 0
    assert text.count("(2 there already)") == 2
    assert contents(tmp_path / "out") == before


def test_a_manifest_that_was_cut_off_goes_on(invoke: Invoke, two: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert invoke(*two, "-o", out, *FLIP)[0] == 0
    before = contents(out)
    (out / "manifest.jsonl").write_bytes(before["manifest.jsonl"][:-9])
    (out / "b-000.png").unlink()
    assert invoke(*two, "-o", out, *FLIP)[0] == 0
    assert contents(out) == before


def test_a_manifest_whose_only_line_was_cut_off_goes_on(invoke: Invoke, two: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "manifest.jsonl").write_text('{"output": "a-000.png", "sou')
    assert invoke(*two, "-o", out, *FLIP)[0] == 0
    assert {record["output"] for record in records_of(out)} == {name for name in contents(out) if name.endswith(".png")}


def test_a_source_that_failed_leaves_no_line(invoke: Invoke, two: tuple[Path, Path], tmp_path: Path) -> None:
    (two[0] / "broken.png").write_bytes((two[0] / "a.png").read_bytes()[:99])
    code, _, err = invoke(*two, "-o", tmp_path / "out", *FLIP)
    assert (code, "broken.png: truncated PNG" in err) == (1, True)
    lines = records_of(tmp_path / "out")
    assert {Path(record["source"]).name for record in lines} == {"a.png", "b.png"}
    (two[0] / "broken.png").write_bytes((two[0] / "a.png").read_bytes())
    assert invoke(*two, "-o", tmp_path / "out", *FLIP)[0] == 0
    assert len(records_of(tmp_path / "out")) == len(lines) * 3 // 2


@pytest.mark.parametrize("name", ["mixup", "cutmix", "transfer"])
def test_one_picture_is_not_mixed_with_itself(
    invoke: Invoke, two: tuple[Path, Path], tmp_path: Path, name: str
) -> None:
    code, _, err = invoke(two[0], "-o", tmp_path / "out", "-n", 1, "--with", name)
    assert code == 2
    assert f"{name} takes from other pictures" in " ".join(err.split())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ({"a.png": [[1, 2, 3, 4], [1, 2, 3]]}, "a.png[1]: expected the four numbers left, top, right, bottom"),
        ({"a.png": [{"label": "ear"}]}, "a.png[0]: expected the four numbers"),
        ({"a.png": [[5, 2, 3, 9]]}, "a.png[0]: expected left, top, right, bottom; right < left"),
        ({"a.png": 3}, "a.png: expected a list, got 3"),
        ([[1, 2, 3, 4]], "expected an object, got [[1, 2, 3, 4]]"),
        ({"images": [3], "annotations": []}, "images[0]: expected an object with id and file_name, got 3"),
        ({"images": [{"id": 1, "file_name": "a.png"}], "annotations": [{"image_id": 1, "bbox": [1, 2, 3]}]},
         "annotations[0] (a.png): expected the four numbers left, top, width, height, got [1, 2, 3]"),
        ({"images": [], "annotations": [{"image_id": [1]}]}, "annotations[0]: expected an object with the image_id"),
    ],
)  # fmt: skip
def test_a_wrong_box_is_named(
    invoke: Invoke, two: tuple[Path, Path], tmp_path: Path, content: object, place: str
) -> None:
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps(content))
    code, _, err = invoke(two[0], "-o", tmp_path / "out", *FLIP, "--boxes", path)
    assert code == 1
    assert err.startswith(f"anew: {path}: not a file of boxes")
    assert place in err
    assert "Error" not in err


def test_a_box_outside_of_the_picture_is_told(invoke: Invoke, two: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a.png": [[10, 10, 20, 30], [70, 10, 80, 30]]}')
    code, _, err = invoke(two[0], "-o", tmp_path / "out", *FLIP, "--boxes", tmp_path / "a.json")
    assert code == 0
    assert err.count("box 1 (from 0) of a.png: [70.0, 10.0, 80.0, 30.0] lies outside of the picture, 60 x 40") == 1
    assert json.loads((tmp_path / "out" / "boxes.json").read_text()) == {"a-000.png": [[40, 10, 50, 30]]}


def test_too_many_of_each_are_refused(invoke: Invoke, two: tuple[Path, Path], tmp_path: Path) -> None:
    code, _, err = invoke(two[0], "-o", tmp_path / "out", "-n", 10_001)
    assert code == 2
    assert err.splitlines()[-1] == "Error: Invalid value for '-n': Input should be less than or equal to 10000"


def test_interrupting_many_jobs_ends_them(
    two: tuple[Path, Path], tmp_path: Path, hear_interrupts: Callable[[], object]
) -> None:
    picture, out, n = (two[0] / "a.png").read_bytes(), tmp_path / "out", 3000
    for k in range(7):
        (two[0] / f"a{k}.png").write_bytes(picture)
    command = [sys.executable, "-m", "anew.cli.main", "augment", str(two[0]), "-o", str(out), "-n", str(n), "-j", "2"]
    own = {"preexec_fn": hear_interrupts, "start_new_session": True}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **own) as process:
        try:
            end = time.monotonic() + 60
            while len(list(out.glob("*.png"))) < 3 and time.monotonic() < end:
                time.sleep(0.05)
            for patience in (10, 10, 20):  # an interrupt that falls into a destructor is lost; a person presses again
                process.send_signal(signal.SIGINT)  # to the parent alone
                try:
                    _, err = process.communicate(timeout=patience)
                    break
                except subprocess.TimeoutExpired:
                    continue
            else:
                pytest.fail("three interrupts did not stop it")
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 130
    assert err.splitlines() == ["anew: stopped; nothing is left half written"]
    lines = {record["output"] for record in records_of(out)}
    assert {name for name in contents(out) if name != "manifest.jsonl"} == lines
