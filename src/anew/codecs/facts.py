"""What is kept of a file beside its pixels, so that the same kind of file can be written again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from anew.codecs.raster import Raster


@dataclass(frozen=True)
class Source:
    """The file that frames were read from: what writes unchanged pictures back byte for byte.

    Attributes
    ----------
    format : str
    encoded : bytes
        The whole file.
    rasters : tuple of Raster
        The samples of each frame as the file holds them, turned upright.
    facts : tuple of Facts
        The facts of each frame at reading, to tell whether someone changed them since.
    extras : Any
        What only the codec understands, e.g. the other chunks of a PNG.
    """

    format: str
    encoded: bytes
    rasters: tuple[Raster, ...]
    facts: tuple[Facts, ...]
    extras: Any = None


@dataclass(frozen=True)
class Facts:
    """Facts of one picture or frame.

    Attributes
    ----------
    path : str or None
        The file that it was read from.
    format : str or None
        "PNG", "JPEG", "TIFF", "WEBP", "AVIF", "BMP", "GIF", "PNM" or "PFM".
    mode : str or None
        Arrangement of the samples in the file: "1", "L", "LA", "RGB", "RGBA", "P" or "CMYK".
    bit_depth : int
        Bits per sample in the file: 1, 2, 4, 8, 10, 12, 16, 32 or 64.
    sample_format : {"uint", "float"}
    orientation : int in [1, 8]
        The EXIF orientation that the file had; the pixels are upright already.
    exif, icc, xmp : bytes or None
        The metadata blocks as the file holds them (EXIF from its byte order mark on).
    dpi : (float, float) or None
        Dots per inch, horizontally and vertically, of the upright pixels.
    text : mapping of str to str
        Text chunks (PNG) and comments (key "comment": JPEG, GIF, PNM).
    palette : tuple of (r, g, b) or (r, g, b, a) tuples, 0..255, or None
    jpeg_quantisation : tuple of 64-tuples in natural order (row by row), or None
        The tables of luma and chroma (or of each table slot).
    jpeg_subsampling : {"4:4:4", "4:2:2", "4:2:0", "4:4:0", "4:1:1"} or None
        None for grey pictures and unusual samplings.
    jpeg_progressive : bool
    compression : str or None
        TIFF: "none", "lzw", "deflate", "packbits", "jpeg", ...
    lossless : bool or None
        Whether the file's coding keeps samples exactly; None if there is no file, or it does not tell (grey AVIF).
    frame, frames : int
        Index of this frame, and how many there are in the file.
    duration : float or None
        How long an animation shows this frame, in milliseconds.
    loop : int or None
        How often an animation runs; 0 is forever.
    disposal : int or None
        GIF: what happens to the canvas after this frame. The pixels show the whole canvas already.
    recipe : str or None
        How anew made this file, as JSON.
    source : Source or None
        What writes unchanged pictures back byte for byte; not for use by methods.
    """

    path: str | None = None
    format: str | None = None
    mode: str | None = None
    bit_depth: int = 8
    sample_format: str = "uint"
    orientation: int = 1
    exif: bytes | None = field(default=None, repr=False)
    icc: bytes | None = field(default=None, repr=False)
    xmp: bytes | None = field(default=None, repr=False)
    dpi: tuple[float, float] | None = None
    text: Mapping[str, str] = field(default_factory=dict)
    palette: tuple[tuple[int, ...], ...] | None = field(default=None, repr=False)
    jpeg_quantisation: tuple[tuple[int, ...], ...] | None = field(default=None, repr=False)
    jpeg_subsampling: str | None = None
    jpeg_progressive: bool = False
    compression: str | None = None
    lossless: bool | None = None
    frame: int = 0
    frames: int = 1
    duration: float | None = None
    loop: int | None = None
    disposal: int | None = None
    recipe: str | None = field(default=None, repr=False)
    source: Source | None = field(default=None, repr=False, compare=False)
