"""The example of every method: code that runs as it stands, and makes the picture beside it.

The documentation prints the code and shows ``before`` and ``after``; the tests run every one.
"""

from __future__ import annotations

from typing import Any

from anew.registry import Method

PREPARATIONS = {
    "denoise": """\
photo = skimage.data.chelsea()[40:240, 100:300]
before = anew.degrade(photo, "noise", rng=0, sigma=0.1)
after = anew.denoise(before, sigma=0.1, method="{name}"{options})""",
    "inpaint": """\
photo = skimage.data.chelsea()[40:240, 100:300] / 255
damaged = degrade_with_truth(photo, "strokes", rng=1)
before = damaged.image
after = anew.inpaint(before, damaged.mask, method="{name}"{options})""",
    "deblur": """\
photo = skimage.data.chelsea()[40:240, 100:300] / 255
psf = gaussian_psf(1.6)
blurred = anew.degrade(photo, "kernel", psf=psf)
before = anew.degrade(blurred, "noise", rng=0, sigma=0.01)
after = anew.deblur(before, {psf}sigma=0.01, method="{name}"{options})""",
    "upscale": """\
before = skimage.data.chelsea()[90:180, 90:223]
after = anew.upscale(before, 3, method="{name}"{options})""",
    "deblock": """\
photo = skimage.data.chelsea()[40:240, 100:300]
before = anew.degrade(photo, "jpeg", quality=12)
after = anew.deblock(before, quality=12, method="{name}"{options})""",
    "relight": """\
photo = skimage.data.astronaut()[:340]
before = anew.degrade(photo, {damage})
after = anew.relight(before, method="{name}"{options})""",
    "unwarp": """\
photo = skimage.data.{photo}()
damaged = degrade_with_truth(photo, "{name}", {damage})
before = damaged.image
after = anew.unwarp(before, method="{name}", {known})""",
}

OPTIONS = {
    ("denoise", "custom"): ", kernel=np.full((3, 3), 1 / 9)",
    ("denoise", "recorrupted"): ", steps=60",
}
DAMAGES = {
    ("relight", "curve"): '"exposure", stops=-1.5',
    ("relight", "clahe"): '"exposure", stops=-1',
    ("relight", "retinex"): '"exposure", stops=-4',
    ("relight", "white-balance"): '"cast"',
    ("relight", "fading"): '"fade"',
    ("unwarp", "tilt"): 'angle=4.0, border="constant", fill=0.85',
    ("unwarp", "keystone"): 'amount=0.12, border="constant", fill=0.85',
    ("unwarp", "lens"): 'k1=-0.12, border="constant"',
}
KEYS = {"tilt": ("angle",), "keystone": ("corners",), "lens": ("k1", "k2")}
# These mend another damage than the rest of their task, and show it; or take long, and have a smaller picture.
SPECIAL = {
    ("denoise", "adaptive-median"): """\
photo = skimage.data.chelsea()[40:240, 100:300]
before = anew.degrade(photo, "impulse", rng=0, density=0.1)
after = anew.denoise(before, sigma=0.1, method="adaptive-median")""",
    ("denoise", "deep-image-prior"): """\
photo = skimage.data.chelsea()[80:176, 160:256]
before = anew.degrade(photo, "noise", rng=0, sigma=0.1)
after = anew.denoise(before, sigma=0.1, method="deep-image-prior", steps=100)""",
    ("upscale", "robust"): """\
photo = skimage.data.chelsea()[60:200, 100:300]
noisy = anew.degrade(photo[::2, ::2], "noise", rng=0, sigma=0.03)
before = anew.degrade(noisy, "jpeg", quality=50)
after = anew.upscale(before, 3, method="robust")""",
    ("denoise", "poisson-gaussian"): """\
photo = skimage.data.chelsea()[40:240, 100:300]
before = anew.degrade(photo, "poisson", rng=0, gain=0.02)
after = anew.denoise(before, method="poisson-gaussian")""",
    ("denoise", "luma-chroma"): """\
photo = skimage.data.chelsea()[40:240, 100:300]
noisy = anew.degrade(photo, "noise", rng=0, sigma=0.1)
before = anew.degrade(noisy, "jpeg", quality=95)
after = anew.denoise(before, method="luma-chroma")""",
}
IMPORTS = {
    "np.": "import numpy as np",
    "skimage.": "import skimage.data",
    "anew.": "import anew",
    "degrade_with_truth": "from anew.degradations.catalogue import degrade_with_truth",
    "gaussian_psf": "from anew.degradations.blur import gaussian_psf",
}


def example_of(method: Method) -> str:
    """Give the example as Python code that defines ``before`` and ``after``."""
    key = (method.task, method.name)
    code = SPECIAL.get(key) or PREPARATIONS[method.task].format(
        name=method.name,
        options=OPTIONS.get(key, ""),
        psf="psf, " if "psf" in method.takes else "",
        damage=DAMAGES.get(key, ""),
        photo="brick" if method.name == "lens" else "page",
        known=", ".join(f'{key}=damaged.parameters["{key}"]' for key in KEYS.get(method.name, ())),
    )
    needed = [line for word, line in IMPORTS.items() if word in code]
    return "\n".join([*needed, "", code])


def run_example(method: Method) -> tuple[Any, Any]:
    """Run it and give (before, after)."""
    names: dict[str, Any] = {}
    exec(example_of(method), names)  # our own text, from above
    return names["before"], names["after"]
