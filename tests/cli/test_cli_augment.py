"""``anew augment`` as a person uses it: real folders, a manifest that suffices, and runs that can be stopped."""

from __future__ import annotations

import json
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
    assert (
        anew.read(out / "cat-000.jpg").facts.jpeg_quantisation == anew.read(folder / "cat.jpg").facts.jpeg_quantisation
    )


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


def test_wrong_files_of_boxes_are_one_line(invoke: Invoke, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "boxes.json"
    for text, reason in (
        ("{", "not a file of boxes"),
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
