"""Does ``anew restore`` find the right damage, help, and leave clean pictures alone? Mixes of one to four damages.

    python -m benchmarks.restore_testbed --quick --out worst.png

Prints, for each damage, how often it was found where it was and where it was not; for each mix the gain in PSNR; for
clean pictures how many came back with the same pixels; and the rank correlation of the uncertainty with the error.
Pictures: Set14, LIVE1 and CBSD68, never used for calibration; ``--calibrate`` takes photographs of ``photos/`` instead.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import anew
from anew.degradations.catalogue import degrade_chain
from anew.images import Picture
from anew.restoration.automatic import Restoration
from benchmarks.data import find_data, load_set

# In the order in which damages happen: the scene first, the file last.
DAMAGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "tilt": ("tilt", ("tilt:angle=3", "tilt:angle=-6")),
    "low light": ("exposure", ("exposure:stops=-1.5", "exposure:stops=-2.5")),
    "blur": ("blur", ("blur:sigma=1.5", "motion:length=9:angle=30")),
    "noise": ("noise", ("noise:sigma=0.04", "noise:sigma=0.1", "noise:sigma=0.2")),
    "jpeg": ("jpeg", ("jpeg:quality=10", "jpeg:quality=30", "jpeg:quality=50")),
    "scratches": ("scratches", ("scratches",)),
    "holes": ("holes", ("rectangles:size=0.1", "strokes:width=0.01", "rectangles:size=0.2:fill=0")),
    "impulses": ("impulses", ("impulse:density=0.02", "impulse:density=0.1")),
}
MIXES = (
    ("noise",),
    ("jpeg",),
    ("holes",),
    ("impulses",),
    ("scratches",),
    ("low light",),
    ("tilt",),
    ("blur",),
    ("noise", "holes"),
    ("jpeg", "holes"),
    ("noise", "impulses"),
    ("noise", "jpeg"),
    ("tilt", "noise"),
    ("low light", "noise"),
    ("noise", "scratches", "holes"),
    ("tilt", "low light", "noise", "holes"),
)


@dataclass(frozen=True)
class Trial:
    """What one restoration of one damaged picture came to; PSNR in dB."""

    name: str
    mix: str
    chain: str
    present: tuple[str, ...]
    found: tuple[str, ...]
    repaired: tuple[str, ...]
    before: float
    after: float
    correlation: float
    seconds: float
    decisions: tuple[str, ...]


def main() -> None:
    """Run the test bed and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few pictures: about 2 minutes")
    parser.add_argument("--calibrate", action="store_true", help="photographs that may be tuned on")
    parser.add_argument("--mix", help="only this one, e.g. noise+holes")
    parser.add_argument("--images", type=int, help="how many pictures a mix")
    parser.add_argument("--skip-clean", action="store_true")
    parser.add_argument("--out", type=Path, help="PNG of the worst cases")
    parser.add_argument("--json", type=Path, help="every trial")
    options = parser.parse_args()
    pictures = list(photographs(options.calibrate))
    mixes = [tuple(options.mix.split("+"))] if options.mix else list(MIXES)
    count = options.images or (4 if options.quick else 24)
    trials: list[tuple[Trial, Restoration, NDArray[np.float32]]] = []
    for mix in mixes:
        number = MIXES.index(mix) if mix in MIXES else len(MIXES)  # alone, a mix has the pictures it has among all
        for n in range(count):
            name, clean = pictures[(number * 7 + n * 5) % len(pictures)]
            trials.append(try_one(name, clean, mix, np.random.default_rng([number, n])))
    report([trial for trial, _, _ in trials])
    if not options.skip_clean:
        report_clean(dict(pictures[:: 5 if options.quick else 1]) | drawn())
    if options.out:
        write_worst(trials, options.out)
    if options.json:
        options.json.write_text(json.dumps([asdict(trial) for trial, _, _ in trials], indent=1))


def photographs(calibrate: bool) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Give (name, image); grey ones as (H, W, 1)."""
    if calibrate:
        from PIL import Image

        for path in sorted(find_data("photos", "bsds400").glob("*"))[::8]:
            with Image.open(path) as image:
                yield path.name, np.asarray(image.convert("RGB"), np.float32) / 255
        return
    for name in ("Set14", "LIVE1", "CBSD68"):
        for file, image in load_set(name).items():
            yield f"{name}/{file}", np.atleast_3d(image.astype(np.float32) / 255)


def drawn() -> dict[str, NDArray[np.float32]]:
    """Give clean pictures that are no ordinary photographs: text, a silhouette, a drawing, a night sky, a ramp."""
    import cv2
    import skimage.data

    pictures = {name: getattr(skimage.data, name)() for name in ("page", "horse", "text", "moon", "hubble_deep_field")}
    chart = np.full((400, 600, 3), 255, np.uint8)
    for i in range(12):
        cv2.rectangle(chart, (40 + 45 * i, 380 - 25 * i), (70 + 45 * i, 380), (40 * i % 255, 90, 200 - 12 * i), -1)
    cv2.putText(chart, "Sales 2024", (40, 60), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (20, 20, 20), 2, cv2.LINE_AA)
    pictures["chart"] = chart
    pictures["ramp"] = np.tile(np.linspace(0, 255, 512).astype(np.uint8), (256, 1))
    pictures["soft focus"] = cv2.GaussianBlur(skimage.data.coffee(), (0, 0), 6)
    return {name: np.atleast_3d(x.astype(np.float32) / max(int(x.max()), 1)) for name, x in pictures.items()}


def try_one(
    name: str, clean: NDArray[np.float32], mix: tuple[str, ...], rng: np.random.Generator
) -> tuple[Trial, Restoration, NDArray[np.float32]]:
    """Damage one picture, restore it, and compare."""
    steps = [str(rng.choice(DAMAGES[damage][1])) for damage in DAMAGES if damage in mix]
    damaged = degrade_chain(clean, ",".join(steps), rng=rng)[-1].image
    damaged = (np.rint(damaged.clip(0, 1) * 255) / 255).astype(np.float32)
    started = time.perf_counter()
    restored = anew.restore(Picture(damaged))
    seconds = time.perf_counter() - started
    result = restored.picture.pixels.clip(0, 1)
    trial = Trial(
        name=name,
        mix="+".join(mix),
        chain=",".join(steps),
        present=tuple(DAMAGES[damage][0] for damage in mix),
        found=tuple(f.kind for f in restored.diagnosis.findings),
        repaired=tuple(s.kind for s in restored.steps if s.kept),
        before=psnr(damaged, clean),
        after=psnr(result, clean),
        correlation=rank_correlation(restored.uncertainty, np.abs(result - clean).mean(axis=2)),
        seconds=seconds,
        decisions=tuple(f"{s.kind} {s.method} {'kept' if s.kept else 'dropped: ' + s.reason}" for s in restored.steps),
    )
    return trial, restored, clean


def psnr(image: NDArray[np.float32], clean: NDArray[np.float32]) -> float:
    """Give the PSNR in dB over all samples; 99 for equal ones."""
    error = float(np.mean((image - clean) ** 2, dtype=np.float64))
    return min(99.0, float(-10 * np.log10(max(error, 1e-12))))


def rank_correlation(uncertainty: NDArray[np.float32], error: NDArray[np.float32], window: int = 7) -> float:
    """Give Spearman's correlation of both where anything was changed, nan if too little was.

    Both are averaged over windows first: the error of one pixel is chance.
    """
    from scipy.ndimage import uniform_filter
    from scipy.stats import spearmanr

    expected = uniform_filter(uncertainty**2, window)[::window, ::window].ravel()
    true = uniform_filter(error**2, window)[::window, ::window].ravel()
    changed = expected > 0
    return float(spearmanr(expected[changed], true[changed]).statistic) if changed.sum() >= 30 else float("nan")


def report(trials: list[Trial]) -> None:
    """Print confusion, gains, and the uncertainty's correlation."""
    print(f"\n{'damage':<14}{'present':>9}{'found':>7}{'repaired':>10}{'absent':>9}{'found':>7}{'repaired':>10}")
    for kind in sorted({k for t in trials for k in (*t.present, *t.found)}):
        cells = ""
        for group in ([t for t in trials if kind in t.present], [t for t in trials if kind not in t.present]):
            found, repaired = sum(kind in t.found for t in group), sum(kind in t.repaired for t in group)
            cells += f"{len(group):>9}{found:>7}{repaired:>10}"
        print(f"{kind:<14}{cells}")
    print(f"\n{'mix':<34}{'n':>4}{'before':>8}{'gain':>7}{'worst':>7}{'better':>8}{'harmed':>8}{'rank':>6}{'s':>6}")
    for mix in (*dict.fromkeys(t.mix for t in trials), "all"):
        group = [t for t in trials if mix in (t.mix, "all")]
        gains = np.array([t.after - t.before for t in group])
        known = [t.correlation for t in group if np.isfinite(t.correlation)]
        seconds = float(np.mean([t.seconds for t in group]))
        rank = f"{np.median(known):.2f}" if known else "-"
        print(
            f"{mix:<34}{len(group):>4}{np.mean([t.before for t in group]):>8.2f}{gains.mean():>7.2f}{gains.min():>7.2f}"
            f"{(gains > 0).mean():>8.0%}{(gains < -0.1).mean():>8.0%}{rank:>6}{seconds:>6.1f}"
        )
    print("\nworst:")
    for trial in sorted(trials, key=lambda t: t.after - t.before)[:10]:
        what = "; ".join(trial.decisions) or "nothing found"
        print(f"{trial.after - trial.before:+6.2f} dB {trial.name} {trial.chain}: {what}")


def report_clean(pictures: dict[str, NDArray[np.float32]]) -> None:
    """Print how many clean pictures came back with the same pixels, and what happened to the others."""
    same, others = 0, []
    for name, clean in pictures.items():
        restored = anew.restore(Picture(clean))
        same += not restored.changed
        if restored.changed:
            what = "; ".join(f"{s.kind} {s.method}: {s.reason}" for s in restored.steps if s.kept)
            others.append(f"  {name} {psnr(restored.picture.pixels.clip(0, 1), clean):.1f} dB: {what}")
    print(f"\nclean pictures returned with the same pixels: {same} of {len(pictures)} ({same / len(pictures):.1%})")
    print("\n".join(others))


def write_worst(trials: list[tuple[Trial, Restoration, NDArray[np.float32]]], path: Path, count: int = 8) -> None:
    """Write rows of clean, damaged, restored for the trials that gained least."""
    from PIL import Image, ImageDraw, ImageFont

    worst = sorted(trials, key=lambda entry: entry[0].after - entry[0].before)[:count]
    width, height = 360, 300
    sheet = Image.new("RGB", (3 * width, count * height), "white")
    draw = ImageDraw.Draw(sheet)
    for row, (trial, restored, clean) in enumerate(worst):
        for column, pixels in enumerate((clean, restored.original.pixels, restored.picture.pixels)):
            rgb = np.rint(pixels.clip(0, 1) * 255).astype(np.uint8)
            image = Image.fromarray(rgb[:, :, 0] if rgb.shape[2] == 1 else rgb).convert("RGB")
            image.thumbnail((width - 8, height - 34))
            sheet.paste(image, (column * width, row * height + 30))
        label = f"{trial.after - trial.before:+.2f} dB  {trial.chain}  {'; '.join(trial.decisions)}"
        draw.text((4, row * height + 6), label[:150], fill="black", font=ImageFont.load_default(14))
    sheet.save(path)


if __name__ == "__main__":
    main()
