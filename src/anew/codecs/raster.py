"""Samples as files hold them, the float pixels that they mean, and the way back that changes nothing needlessly.

``to_pixels`` is exact for integers of up to 16 bits: v / maximum in float32, and rint(x * maximum) gives v back.
``updated`` is its inverse near a given raster: samples whose pixels did not change stay as they are, so CMYK inks and
palette indices survive; a raster that cannot hold the new pixels is promoted to the next larger kind.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, across_channels, luminance, same_colour

BAND = 1 << 20  # pixels converted at a time, so that temporary arrays stay small


@dataclass(frozen=True)
class Kind:
    """What one pixel is made of.

    Attributes
    ----------
    space : {"grey", "rgb", "cmyk", "palette"}
    alpha : bool
        Whether the last sample is alpha (a palette has it in its entries instead).
    maximum : int
        The sample value that means 1; 0 for float samples.
    """

    space: str
    alpha: bool
    maximum: int

    @property
    def bits(self) -> int:
        """Bits per integer sample: 1, 2, 4, 8, 10, 12 or 16."""
        return next(bits for bits in (1, 2, 4, 8, 10, 12, 16) if self.maximum < 1 << bits)

    @property
    def mode(self) -> str:
        """The name that Pillow gives this arrangement."""
        if self.space == "grey":
            return "1" if self.maximum == 1 and not self.alpha else "LA" if self.alpha else "L"
        return {"rgb": "RGB", "cmyk": "CMYK", "palette": "P"}[self.space] + ("A" if self.alpha else "")


@dataclass(frozen=True)
class Raster:
    """The samples of one frame, upright.

    Attributes
    ----------
    samples : (H, W, S) array of uint8, uint16 or float
        Grey, RGB or CMYK (0 is no ink), then alpha if there is; or palette indices.
    kind : Kind
    palette : (N, 3) or (N, 4) uint8 array, or None
    key : tuple of int, or None
        The colour that means "transparent", where there is no alpha (PNG's tRNS).
    premultiplied : bool
        Whether colours are stored multiplied by alpha.
    """

    samples: NDArray[Any]
    kind: Kind
    palette: NDArray[np.uint8] | None = None
    key: tuple[int, ...] | None = None
    premultiplied: bool = False


def to_pixels(raster: Raster) -> tuple[Image, Image | None]:
    """Give the (H, W, 1 or 3) float32 pixels that a raster means, and its (H, W) alpha or None."""
    kind, samples = raster.kind, raster.samples
    height, width = samples.shape[:2]
    pixels = np.empty((height, width, 1 if kind.space == "grey" else 3), np.float32)
    alpha = np.empty((height, width), np.float32) if has_transparency(raster) else None
    rows = max(1, BAND // max(width, 1))
    for top in range(0, height, rows):
        colours, opacity = _band_to_pixels(raster, samples[top : top + rows])
        pixels[top : top + rows] = colours
        if alpha is not None:
            alpha[top : top + rows] = opacity
    return pixels, alpha


def has_transparency(raster: Raster) -> bool:
    """Whether a raster has alpha in any form."""
    if raster.palette is not None:
        return raster.palette.shape[1] == 4
    return raster.kind.alpha or raster.key is not None


def quantised(pixels: Image, alpha: Image | None, kind: Kind, dtype: Any = None) -> Raster:
    """Give the raster of a kind without palette that is nearest to pixels; NaN becomes 0 in integers."""
    height, width = pixels.shape[:2]
    if kind.maximum == 0:
        dtype = np.dtype(dtype or np.float32)
    else:
        dtype = np.dtype(np.uint8 if kind.maximum < 256 else np.uint16)
    count = {"grey": 1, "rgb": 3, "cmyk": 4}[kind.space] + kind.alpha
    samples = np.empty((height, width, count), dtype)
    rows = max(1, BAND // max(width, 1))
    for top in range(0, height, rows):
        band = slice(top, top + rows)
        samples[band] = _band_to_samples(pixels[band], None if alpha is None else alpha[band], kind, dtype)
    return Raster(samples, kind)


def updated(old: Raster, pixels: Image, alpha: Image | None) -> Raster:
    """Give a raster for new pixels that keeps every sample of ``old`` whose pixel did not change.

    Returns
    -------
    Raster
        ``old`` itself if nothing changed.
    """
    grey = old.kind.space == "grey"
    if grey != (pixels.shape[2] == 1) or has_transparency(old) != (alpha is not None):
        return _afresh(old, pixels, alpha)
    if old.kind.space == "palette":
        return _updated_palette(old, pixels, alpha)
    if old.kind.space == "cmyk" or old.premultiplied:
        return _updated_where_changed(old, pixels, alpha)
    if old.kind.maximum == 0:
        return _updated_floats(old, pixels, alpha)
    return _updated_levels(old, pixels, alpha)


def oriented(samples: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn stored samples upright, by EXIF orientation 1..8."""
    if orientation >= 5:
        samples = samples.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        samples = samples[:, ::-1]
    if orientation in (3, 4, 7, 8):
        samples = samples[::-1]
    return np.ascontiguousarray(samples)


def _band_to_pixels(raster: Raster, samples: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
    kind = raster.kind
    if raster.palette is not None:
        entries = raster.palette.astype(np.float32) / np.float32(255)
        colours = entries[np.minimum(samples[:, :, 0], len(entries) - 1)]
        return colours[:, :, :3], colours[:, :, 3] if entries.shape[1] == 4 else None
    x = as_floats(samples, np.float32)
    if kind.maximum:
        x /= np.float32(kind.maximum)
    alpha: NDArray[Any] | None = None
    if kind.alpha:
        x, alpha = x[:, :, :-1], x[:, :, -1]
    elif raster.key is not None:
        alpha = (~same_colour(samples, np.array(raster.key, samples.dtype))).astype(np.float32)
    if kind.space == "cmyk":
        x = (1 - x[:, :, :3]) * (1 - x[:, :, 3:4])
    if raster.premultiplied and alpha is not None:
        x = np.where(alpha[:, :, None] > 0, x / np.maximum(alpha[:, :, None], np.float32(1e-12)), 0)
    return x, alpha


def as_floats(samples: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """Convert samples to a kind of float, in which those beyond its range are infinite."""
    with np.errstate(over="ignore"):
        return samples.astype(dtype)


def _band_to_samples(pixels: Image, alpha: Image | None, kind: Kind, dtype: np.dtype[Any]) -> NDArray[Any]:
    x = pixels
    if kind.space == "grey" and x.shape[2] == 3:
        x = luminance(x)[:, :, None]
    elif kind.space != "grey" and x.shape[2] == 1:
        x = np.repeat(x, 3, axis=2)
    if kind.space == "cmyk":
        x = inks(x)
    if kind.alpha:
        opacity = np.ones(x.shape[:2], np.float32) if alpha is None else alpha
        x = np.concatenate([x, opacity[:, :, None]], axis=2)
    if kind.maximum == 0:
        return as_floats(x, dtype)
    levels = np.nan_to_num(x, nan=0.0, posinf=1.0, neginf=0.0).clip(0, 1) * np.float32(kind.maximum)
    return np.rint(levels).astype(dtype)


def inks(rgb: NDArray[Any], black: NDArray[Any] | None = None) -> NDArray[Any]:
    """Separate (..., 3) RGB into (..., 4) inks: R = (1 - C)(1 - K) and so on.

    The black ink ``black`` (..., 1) is kept where it allows the colour; elsewhere K = 1 - max(R, G, B).
    """
    rgb = np.nan_to_num(rgb, nan=0.0, posinf=1.0, neginf=0.0).clip(0, 1)
    most = 1 - rgb.max(axis=-1, keepdims=True)
    k = most if black is None else np.minimum(black, most)
    cmy = 1 - rgb / np.maximum(1 - k, np.float32(1e-6))
    return np.concatenate([cmy.clip(0, 1), k], axis=-1)


def _afresh(old: Raster, pixels: Image, alpha: Image | None) -> Raster:
    """Quantise pixels whose channels are not those of the old raster, at its depth or 8 bits."""
    maximum = old.kind.maximum if old.kind.maximum == 0 or old.kind.maximum > 255 else 255
    kind = Kind("grey" if pixels.shape[2] == 1 else "rgb", alpha is not None, maximum)
    return quantised(pixels, alpha, kind, old.samples.dtype if maximum == 0 else None)


def _updated_levels(old: Raster, pixels: Image, alpha: Image | None) -> Raster:
    kind = old.kind
    if kind.maximum < 255 and not _representable(pixels, kind.maximum):
        finer = next((m for m in (3, 15) if m > kind.maximum and _representable(pixels, m)), 255)
        kind = replace(kind, maximum=finer)
    if old.key is not None and alpha is not None:
        return _updated_key(old, pixels, alpha, kind)
    new = quantised(pixels, alpha, kind)
    return old if kind == old.kind and np.array_equal(new.samples, old.samples) else new


def _updated_key(old: Raster, pixels: Image, alpha: Image, kind: Kind) -> Raster:
    """Keep a transparent colour as long as exactly the transparent pixels have it; else promote to alpha."""
    new = quantised(pixels, None, kind)
    assert old.key is not None
    if kind == old.kind:
        holds_key = same_colour(new.samples, np.array(old.key, new.samples.dtype))
        if np.array_equal(np.where(holds_key, np.float32(0), np.float32(1)), alpha):
            return old if np.array_equal(new.samples, old.samples) else replace(new, key=old.key)
    return quantised(pixels, alpha, replace(kind, alpha=True, maximum=max(kind.maximum, 255)))


def _representable(pixels: Image, maximum: int) -> bool:
    """Whether all pixels are levels of a small depth, within what 8 bits can tell."""
    levels = pixels * np.float32(maximum)
    return bool(
        (np.abs(np.rint(levels) - levels) <= maximum * 0.5 / 255).all() and (np.abs(pixels - 0.5) <= 0.502).all()
    )


def _updated_floats(old: Raster, pixels: Image, alpha: Image | None) -> Raster:
    """Keep every float sample, whatever its precision, that is what it was as float32; NaN is equal to NaN."""
    wanted = pixels if alpha is None else np.concatenate([pixels, alpha[:, :, None]], axis=2)
    was = as_floats(old.samples, np.float32)
    same = (wanted == was) | (np.isnan(wanted) & np.isnan(was))
    if same.all():
        return old
    return replace(old, samples=np.where(same, old.samples, as_floats(wanted, old.samples.dtype)))


def _updated_where_changed(old: Raster, pixels: Image, alpha: Image | None) -> Raster:
    """Convert only the pixels that changed by what the depth can show (at all, in floats)."""
    was, was_alpha = to_pixels(old)
    if old.kind.maximum:
        tolerance = 0.5 / old.kind.maximum
        changed = across_channels(np.logical_or, ~(np.abs(pixels - was) < tolerance))
    else:
        changed = across_channels(np.logical_or, ~((pixels == was) | (np.isnan(pixels) & np.isnan(was))))
    if alpha is not None and was_alpha is not None:
        changed |= ~((alpha == was_alpha) | (np.isnan(alpha) & np.isnan(was_alpha)))
    if not changed.any():
        return old
    colours = pixels[changed][None]
    opacity = None if alpha is None else alpha[changed][None]
    samples = old.samples.copy()
    if old.premultiplied and opacity is not None:
        colours = colours * opacity[:, :, None]
    fresh = quantised(colours, opacity, old.kind, old.samples.dtype)
    if old.kind.space == "cmyk":
        black = old.samples[changed][None][:, :, 3:4].astype(np.float32) / np.float32(old.kind.maximum or 1)
        levels = inks(colours, black) * np.float32(old.kind.maximum or 1)
        fresh.samples[:, :, :4] = np.rint(levels) if old.kind.maximum else levels
    samples[changed] = fresh.samples[0]
    return replace(old, samples=samples)


def _updated_palette(old: Raster, pixels: Image, alpha: Image | None) -> Raster:
    assert old.palette is not None
    wanted = quantised(pixels, alpha, Kind("rgb", alpha is not None, 255)).samples
    shown = old.palette[np.minimum(old.samples[:, :, 0], len(old.palette) - 1)]
    changed = ~same_colour(wanted, shown)
    if not changed.any():
        return old
    new_colours, which = np.unique(_packed(wanted[changed]), return_inverse=True)
    entries = _packed(old.palette)
    known, first = np.unique(entries, return_index=True)
    missing = np.setdiff1d(new_colours, known)
    if len(old.palette) + len(missing) > 256:
        return quantised(pixels, alpha, Kind("rgb", alpha is not None, 255))
    palette = np.concatenate([old.palette, _unpacked(missing, old.palette.shape[1])])
    index_of = dict(zip(known.tolist(), first.tolist(), strict=True))
    index_of.update({int(c): len(old.palette) + i for i, c in enumerate(missing)})
    samples = old.samples.copy()
    samples[changed, 0] = np.array([index_of[int(c)] for c in new_colours], np.uint8)[which.ravel()]
    maximum = max(old.kind.maximum, (1 << _index_bits(len(palette))) - 1)
    return Raster(samples, replace(old.kind, maximum=maximum), palette)


def _index_bits(count: int) -> int:
    return next(bits for bits in (1, 2, 4, 8) if count <= 1 << bits)


def exact_palette(rgb: Raster, limit: int = 256) -> Raster | None:
    """Give an 8-bit grey or RGB raster as palette and indices if it has no more than ``limit`` colours, else None."""
    samples = rgb.samples
    if rgb.kind.space == "grey":
        samples = np.concatenate([np.repeat(samples[:, :, :1], 3, axis=2), samples[:, :, 1:]], axis=2)
    packed = _packed(samples).ravel()
    if len(np.unique(packed[:: max(1, packed.size // 50_000)])) > limit:
        return None  # most photographs end here, without sorting all pixels
    colours, index = np.unique(packed, return_inverse=True)
    if len(colours) > limit:
        return None
    palette = _unpacked(colours, samples.shape[2])
    indices = index.reshape(samples.shape[:2])[:, :, None].astype(np.uint8)
    return Raster(indices, Kind("palette", False, (1 << _index_bits(len(palette))) - 1), palette)


def _packed(colours: NDArray[np.uint8]) -> NDArray[np.uint32]:
    packed = np.zeros(colours.shape[:-1], np.uint32)
    for c in range(colours.shape[-1]):
        packed = packed << np.uint32(8) | colours[..., c]
    return packed


def _unpacked(packed: NDArray[np.uint32], count: int) -> NDArray[np.uint8]:
    shifts = np.arange(count - 1, -1, -1, dtype=np.uint32) * np.uint32(8)
    return (packed[:, None] >> shifts & np.uint32(255)).astype(np.uint8)
