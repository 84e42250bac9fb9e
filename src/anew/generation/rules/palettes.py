"""Palettes: named ones, harmonies computed in OKLCH, and how a field of numbers takes on their colours.

OKLab is a colour space in which equal distances look about equally different, so that a mixture of two colours lies
where the eye expects it (Ottosson, "A perceptual color space for image processing", 2020). OKLCH is the same in polar
coordinates: lightness in [0, 1], chroma >= 0, hue in degrees.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anew.arrays import Image
from anew.degradations.degraded import check_between
from anew.degradations.light import decode_srgb, encode_srgb

Palette = str | Sequence[str]

TABLE_SIZE = 4096  # colours between the ends of a palette, well above what 8 bits can tell apart
DEFAULT_CHROMA = 0.13
GAMUT_SLACK = 1e-4  # of linear light; rounding must not count as out of gamut
BISECTIONS = 24

TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
FROM_OKLAB, FROM_CONES = np.linalg.inv(TO_OKLAB), np.linalg.inv(TO_CONES)

PALETTES: dict[str, tuple[str, ...]] = {
    # for any field, dark to light
    "ember": ("#12081c", "#3d1140", "#8b1e4f", "#dd4b39", "#f8a13f", "#fff0c4"),
    "lagoon": ("#041b2d", "#06435c", "#0e7f86", "#55bfa7", "#c2ead0", "#f7fbef"),
    "dusk": ("#17153b", "#433074", "#9a3f86", "#e26d6d", "#f9b57d", "#fdeccb"),
    "forest": ("#0c1a14", "#1d4030", "#44704a", "#93a95c", "#dccf96", "#f7f1de"),
    "iris": ("#130c2b", "#35206b", "#6a48b5", "#a98be0", "#e3cff5", "#fbf6ff"),
    "clay": ("#24130f", "#5e2f22", "#a9583a", "#d99b6c", "#f0d3ae", "#fbf3e6"),
    "aurora": ("#080d24", "#12345a", "#117a7e", "#3fbf8a", "#b3e68f", "#fbf9cf"),
    "ink": ("#101217", "#3a3f4a", "#80858f", "#c4c6c8", "#f6f5f1"),
    "porcelain": ("#122a52", "#2f5f98", "#83acd0", "#d3e2ea", "#faf8f2"),
    "rose": ("#2b0d1e", "#7a1f4b", "#c8476f", "#ee9aa2", "#fbdcd3", "#fff8f2"),
    "grey": ("#000000", "#ffffff"),
    # several voices, for shapes and cells
    "bauhaus": ("#f3ead7", "#1d2a44", "#d8442f", "#e9b23d", "#2f6f8f"),
    "terrazzo": ("#f4efe6", "#33475b", "#d9795d", "#e8bd7f", "#7da394", "#b8b0a2"),
    "harbour": ("#f2ede1", "#0f3a4b", "#2b7a8c", "#e6a15c", "#c8553d"),
    "orchard": ("#f6f0e0", "#2e4a3a", "#88a65e", "#e3b23c", "#cf5c36", "#8c2f39"),
    "plum": ("#f5eee8", "#3a2449", "#8a4f7d", "#d98c92", "#f0c27b", "#5f7fa3"),
    # of substances
    "oak": ("#7d5230", "#a67545", "#c1915c", "#d5ad79", "#e3c497"),
    "walnut": ("#2f1c12", "#4c2f1d", "#6b452b", "#86603f", "#a37d57"),
    "cherry": ("#4b1f14", "#7a3820", "#9f5431", "#bd7346", "#d29463"),
    "carrara": ("#6d737b", "#aab0b5", "#d5d8d9", "#ebebe9", "#f7f6f3"),
    "verde": ("#dfe8da", "#6f9a82", "#2c5d4c", "#163c33", "#0b2521"),
    "nero": ("#efe6d6", "#8d8171", "#35322f", "#1b1a1b", "#0f0f11"),
    "sky": ("#2d6fb3", "#5b97cf", "#a5c8e6", "#eef4f8", "#ffffff"),
    "storm": ("#252d3a", "#465264", "#7b8798", "#b4bcc6", "#e6e8ea"),
    "sunset": ("#34335f", "#7e4f7e", "#d77a77", "#f6b788", "#fdeacb"),
    "granite": ("#2a2a2d", "#6b6a6a", "#a19d99", "#cbc5be", "#ece7e0"),
    "porphyry": ("#2a1517", "#5f2a2b", "#8f4a45", "#b98378", "#e6cfc2"),
    "paper": ("#d8cfbc", "#e6dfcf", "#efe9dc", "#f6f2e8", "#fbf9f3"),
    "kraft": ("#8e6b45", "#a98259", "#bc976d", "#cdac84", "#dcc19d"),
    "pool": ("#0a5a83", "#1286a8", "#39b2c6", "#93dde0", "#f4ffff"),
    "lava": ("#0d090b", "#241416", "#5b1414", "#c63a0e", "#fb9a1c", "#fff3b0"),
    "sand": ("#a98256", "#c6a173", "#dbbb8e", "#ead2ab", "#f6e7cb"),
    "brickwork": ("#cfc6b8", "#6e3226", "#8f4431", "#a9553b", "#bd6c4c"),
    "slate": ("#2b3036", "#4a535c", "#5d6872", "#76808a", "#8f979e"),
}
HARMONIES: dict[str, tuple[float, ...]] = {  # hues, in degrees from the first
    "monochrome": (0,),
    "analogous": (-30, 0, 30),
    "complementary": (0, 180),
    "split": (0, 150, 210),
    "triadic": (0, 120, 240),
    "tetradic": (0, 90, 180, 270),
    "spectrum": (0,),  # evenly round the circle
}


def srgb_to_oklab(colours: ArrayLike) -> NDArray[np.float64]:
    """Give OKLab for sRGB.

    Parameters
    ----------
    colours : (..., 3) float array, sRGB in [0, 1]

    Returns
    -------
    (..., 3) float64 array of lightness in [0, 1] and the two opponent axes
    """
    srgb: Any = np.asarray(colours, np.float64)
    light = decode_srgb(srgb)
    return np.cbrt(light @ TO_CONES.T) @ TO_OKLAB.T


def oklab_to_srgb(lab: ArrayLike) -> NDArray[np.float64]:
    """Give sRGB for OKLab, the inverse of ``srgb_to_oklab``; out of gamut it leaves [0, 1]."""
    light: Any = _light(np.asarray(lab, np.float64))
    return np.asarray(encode_srgb(light), np.float64)


def oklch_to_srgb(lightness: ArrayLike, chroma: ArrayLike, hue: ArrayLike) -> NDArray[np.float64]:
    """Give sRGB for OKLCH; where a colour cannot be shown, its chroma is lowered until it can.

    Parameters
    ----------
    lightness : (...) float array in [0, 1]
    chroma : (...) float array >= 0; the strongest colours of sRGB have about 0.3
    hue : (...) float array, degrees; 30 is red, 110 yellow, 145 green, 260 blue

    Returns
    -------
    (..., 3) float64 array in [0, 1]
    """
    wanted, strength, angle = np.broadcast_arrays(*(np.asarray(a, np.float64) for a in (lightness, chroma, hue)))
    direction = np.stack([np.cos(np.radians(angle)), np.sin(np.radians(angle))], axis=-1)

    def lab(share: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.concatenate([wanted[..., None], (share * strength)[..., None] * direction], axis=-1)

    low, high = np.zeros(wanted.shape), np.ones(wanted.shape)
    inside = _in_gamut(lab(high))
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        fits = _in_gamut(lab(middle))
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    return np.clip(oklab_to_srgb(lab(np.where(inside, 1.0, low))), 0, 1)


def harmony(
    kind: str, hue: float = 30.0, *, count: int = 6, chroma: float = DEFAULT_CHROMA, light: float = 0.94
) -> list[str]:
    """Make a palette by a rule of colour harmony: equal chroma, hues by the rule, lightness rising evenly.

    ``spectrum`` alone has one lightness throughout, 0.75, so that it can close into a circle.

    Parameters
    ----------
    kind : {"monochrome", "analogous", "complementary", "split", "triadic", "tetradic", "spectrum"}
    hue : float
        Of the first colour, in degrees of OKLCH.
    count : int in [2, 64]
    chroma : float in [0, 0.4]
    light : float in [0, 1]
        Lightness of the lightest; the darkest has 0.25.

    Returns
    -------
    list of str
        "#rrggbb", dark to light.

    Examples
    --------
    >>> harmony("complementary", 250, count=4)
    ['#0c2339', '#1160a2', '#d4923d', '#ffe7cc']
    """
    if kind not in HARMONIES:
        raise ValueError(f"unknown harmony {kind!r} (one of {', '.join(HARMONIES)})")
    if not 2 <= count <= 64:
        raise ValueError(f"a palette has 2 to 64 colours, got {count}")
    check_between("hue", hue, -np.inf)
    check_between("chroma", chroma, 0, 0.4)
    check_between("light", light, 0, 1)
    turns = HARMONIES[kind]
    hues = [hue + turns[i * len(turns) // count] for i in range(count)]
    lightness = np.linspace(0.25, light, count)
    fade = 1 - 0.6 * np.abs(2 * np.linspace(0, 1, count) - 1) ** 3  # the ends hold less chroma
    if kind == "spectrum":
        hues, lightness, fade = list(hue + 360 * np.arange(count) / count), np.full(count, 0.75), np.ones(count)
    colours = np.rint(255 * oklch_to_srgb(lightness, chroma * fade, hues)).astype(int)
    return ["#{:02x}{:02x}{:02x}".format(*c) for c in colours]


def palette_colours(palette: Palette) -> NDArray[np.float64]:
    """Give the colours of a palette.

    Parameters
    ----------
    palette : str or sequence of str
        A name of ``PALETTES``; a harmony and its hue, ``"triadic:210"``; or colours ``["#0b132b", "#f4d35e"]``, also
        as one text with commas. ``"-ember"`` is the palette reversed.

    Returns
    -------
    (n, 3) float64 array of sRGB in [0, 1], n >= 1
    """
    if isinstance(palette, str):
        name, reverse = palette.removeprefix("-"), palette.startswith("-")
        kind, _, hue = name.partition(":")
        if name in PALETTES:
            words: Sequence[str] = PALETTES[name]
        elif kind in HARMONIES:
            words = harmony(kind, _degrees(hue, palette))
        elif "#" in name:
            words = [word.strip() for word in name.split(",")]
        else:
            raise ValueError(
                f"unknown palette {palette!r} (one of {', '.join(PALETTES)}; "
                f"a harmony with its hue: {', '.join(f'{h}:30' for h in HARMONIES)}; or colours #rrggbb,#rrggbb)"
            )
        words = list(words)[::-1] if reverse else words
    elif isinstance(palette, Sequence):
        words = palette
    else:
        kind = type(palette).__name__
        raise ValueError(f"expected the name of a palette or its colours, such as ['#0b132b', '#f4d35e'], got {kind}")
    if not words:
        raise ValueError("a palette needs at least one colour, got none")
    return np.array([_hex(word) for word in words])


def palette_words(palette: Palette) -> list[str]:
    """Give the colours of a palette as "#rrggbb"."""
    return ["#{:02x}{:02x}{:02x}".format(*c) for c in np.rint(palette_colours(palette) * 255).astype(int)]


def inks_of(palette: Palette) -> list[str]:
    """Give the colours after the first, which is the ground; the only one where there is but one."""
    words = palette_words(palette)
    return words[1:] or words


def colour_table(palette: Palette, *, cyclic: bool = False, size: int = TABLE_SIZE) -> Image:
    """Spread a palette evenly over a table of colours, without overshoot in OKLab.

    Parameters
    ----------
    palette : as for ``palette_colours``
    cyclic : bool
        End where it began.
    size : int >= 2

    Returns
    -------
    (size, 3) float32 array of sRGB in [0, 1]
    """
    from scipy.interpolate import PchipInterpolator

    lab = srgb_to_oklab(palette_colours(palette))
    if len(lab) == 1:
        return np.repeat(oklab_to_srgb(lab), size, axis=0).astype(np.float32)
    if cyclic:
        lab = np.concatenate([lab[-1:], lab, lab[:2]])
        knots = np.arange(-1, len(lab) - 1) / (len(lab) - 3)
    else:
        knots = np.linspace(0, 1, len(lab))
    spread = PchipInterpolator(knots, lab)(np.linspace(0, 1, size))
    return np.clip(oklab_to_srgb(spread), 0, 1).astype(np.float32)


def colourise(field: Image, palette: Palette, *, cyclic: bool = False) -> Image:
    """Colour a field: 0 takes the first colour of the palette, 1 the last.

    Parameters
    ----------
    field : (...) float array in [0, 1]; values outside count as the nearer end, or wrap around if cyclic
    palette : as for ``palette_colours``
    cyclic : bool

    Returns
    -------
    (..., 3) float32 array in [0, 1]
    """
    table = colour_table(palette, cyclic=cyclic)
    if cyclic:
        index = np.asarray((field - np.floor(field)) * np.float32(TABLE_SIZE - 1) + np.float32(0.5), np.int32)
    else:
        index = np.asarray(np.clip(field, 0, 1) * np.float32(TABLE_SIZE - 1) + np.float32(0.5), np.int32)
    return np.take(table, index, axis=0)


def _light(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((lab @ FROM_OKLAB.T) ** 3 @ FROM_CONES.T)


def _in_gamut(lab: NDArray[np.float64]) -> NDArray[np.bool_]:
    light = _light(lab)
    return np.asarray(((light >= -GAMUT_SLACK) & (light <= 1 + GAMUT_SLACK)).all(axis=-1))


def _degrees(text: str, palette: str) -> float:
    try:
        return float(text or 30)
    except ValueError:
        raise ValueError(f"expected HARMONY:HUE with a hue in degrees, got {palette!r}") from None


def _hex(word: str) -> tuple[float, ...]:
    if not isinstance(word, str) or not re.fullmatch(r"#[0-9a-fA-F]{6}", word):
        raise ValueError(f"expected a colour as #rrggbb, got {word!r}")
    return tuple(int(word[i : i + 2], 16) / 255 for i in (1, 3, 5))
