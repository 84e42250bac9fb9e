"""Picture, read, write: the only door for files.

What is kept, format by format, and what is refused: ``docs/formats.md``.

Examples
--------
>>> picture = read("old.png")                                         # doctest: +SKIP
>>> write(picture.with_pixels(1 - picture.pixels), "negative.png")    # doctest: +SKIP
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from anew.arrays import Image, as_image
from anew.codecs import storage
from anew.codecs.facts import Facts, Source
from anew.codecs.formats import FORMATS, KNOWN_ENDINGS, Budget, Codec, Format, Options, by_content, by_name
from anew.codecs.raster import Kind, Raster, quantised, to_pixels, updated
from anew.errors import CannotWrite, ImageFileError, ImageTooLarge, UnreadableImage

__all__ = ["Facts", "Picture", "read", "read_frames", "write", "write_frames"]

MAX_MEGAPIXELS = 250

FileLike = str | os.PathLike[str] | bytes | BinaryIO
_T = TypeVar("_T")


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture, upright.

    Attributes
    ----------
    pixels : (H, W, C) float32 array, C 1 or 3, nominally in [0, 1], in the file's own encoding (not linear light)
    alpha : (H, W) float32 array in [0, 1], or None
    facts : Facts
        What the file said beside the pixels.
    """

    pixels: Image
    alpha: Image | None = None
    facts: Facts = field(default_factory=Facts)

    def __post_init__(self) -> None:
        shape = np.shape(self.pixels)
        if len(shape) != 3 or shape[2] not in (1, 3) or 0 in shape:
            raise ValueError(
                f"expected pixels of shape (H, W, 1) or (H, W, 3), got {shape}; Picture.from_array takes other arrays"
            )
        if self.alpha is not None and np.shape(self.alpha) != shape[:2]:
            raise ValueError(f"expected alpha of shape {shape[:2]} like the pixels, got {np.shape(self.alpha)}")
        for name, values in (("pixels", self.pixels), ("alpha", self.alpha)):
            if values is not None and np.asarray(values).dtype != np.float32:
                dtype = np.asarray(values).dtype
                raise TypeError(f"expected {name} of float32, got {dtype}; Picture.from_array takes other arrays")

    @classmethod
    def from_array(cls, array: ArrayLike) -> Picture:
        """Make a picture of an (H, W) or (H, W, C) array: C 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.

        Parameters
        ----------
        array : uint8, uint16 or bool (scaled to [0, 1]), or float
            Of float it is taken as it is, float32 without a copy. What it is written with is 16 bits for uint16 and
            8 for all others: nothing says how fine a float is meant.
        """
        x = as_image(array, allow_nonfinite=True)
        x = x[:, :, None] if x.ndim == 2 else x
        depth = 16 if np.asarray(array).dtype == np.uint16 else 8
        if x.shape[2] in (2, 4):
            colours, alpha = np.ascontiguousarray(x[:, :, :-1]), np.ascontiguousarray(x[:, :, -1])
            return cls(colours, alpha, Facts(bit_depth=depth))
        return cls(x, None, Facts(bit_depth=depth))

    def with_pixels(self, pixels: Image) -> Picture:
        """Give the same picture with other (H, W, C) pixels; if it has alpha, of the same (H, W)."""
        return replace(self, pixels=pixels)


def read(path: FileLike, *, max_megapixels: float = MAX_MEGAPIXELS) -> Picture:
    """Read a file that holds one picture.

    Parameters
    ----------
    path : path, or the bytes of a file, or a file opened for reading bytes
        The content decides what format it is, not the name.
    max_megapixels : float
        A larger picture is refused before it is decoded.

    Raises
    ------
    SeveralFrames
        If it is an animation or has several pages; ``read_frames`` reads those.
    UnreadableImage, ImageTooLarge
        With one line that says why.
    """
    frames = _read(path, max_megapixels, single=True)
    return frames[0]


def read_frames(path: FileLike, *, max_megapixels: float = MAX_MEGAPIXELS) -> list[Picture]:
    """Read every frame of an animation, every page of a TIFF, or the one picture of any other file.

    Frames of animations are given as shown, whole; ``max_megapixels`` counts all of them together.
    """
    return _read(path, max_megapixels, single=False)


def as_picture(picture: Picture | ArrayLike) -> Picture:
    """Give a picture as it is, and an array as a picture."""
    return picture if isinstance(picture, Picture) else Picture.from_array(picture)


def write(
    picture: Picture | ArrayLike,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    quality: int | None = None,
    format: str | None = None,
    recipe: str | None = None,
) -> None:
    """Write a picture: the ending of the name decides the format, depth and metadata are those of its file.

    An unchanged picture gives back its file byte for byte; see ``docs/formats.md`` for what happens to changed ones.
    The file is complete or not there at all.

    Parameters
    ----------
    picture : Picture, or an array as Picture.from_array takes it
        An array of uint16 is written with 16 bits where the format has them, any other with 8.
    path : path
    overwrite : bool
        Replace an existing file.
    quality : int in [1, 100], optional
        For JPEG, WebP and AVIF. Default: the input's own coding, else a high quality.
    format : str, optional
        E.g. "png", if the name does not say it.
    recipe : str, optional
        Kept in the metadata where the format has a place for it, and read back as ``facts.recipe``. Default: none,
        or that of an unchanged picture.

    Raises
    ------
    CannotWrite
        With one line that says why.
    TypeError, ValueError
        If it is neither a picture nor an array of one.
    """
    write_frames([picture], path, overwrite=overwrite, quality=quality, format=format, recipe=recipe)


def write_frames(
    frames: Sequence[Picture | ArrayLike],
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    quality: int | None = None,
    format: str | None = None,
    recipe: str | None = None,
) -> None:
    """Write an animation or the pages of a TIFF, as ``write`` writes one picture."""
    name = os.fsdecode(path)
    if isinstance(frames, Picture | np.ndarray):
        raise TypeError(f"expected a list of pictures, got one {type(frames).__name__}; anew.write writes one")
    if not frames:
        raise ValueError("expected at least one frame, got none")
    if quality is not None and not (isinstance(quality, int | np.integer) and 1 <= quality <= 100):
        raise ValueError(f"expected a quality in [1, 100], a whole number, got {quality}")
    pictures = [as_picture(frame) for frame in frames]
    chosen = check_writable(name, pictures, overwrite=overwrite, format=format)
    encoded = _guarded(name, CannotWrite, lambda: _encoded(pictures, chosen, Options(quality, recipe)))
    storage.save(name, encoded, overwrite=overwrite)


def check_writable(
    path: str | os.PathLike[str], frames: Sequence[Picture], *, overwrite: bool = False, format: str | None = None
) -> Format:
    """Refuse, before the work is done, a file that frames like these cannot be written to, and give its format.

    Raises
    ------
    CannotWrite
    """
    name = os.fsdecode(path)
    chosen = _format_for(name, format)
    storage.check_target(name, overwrite=overwrite)
    if len(frames) > 1 and not chosen.several:
        several = ", ".join(f.name for f in FORMATS if f.several)
        raise CannotWrite(f"{name}: {chosen.name} holds one picture, got {len(frames)} (write one of {several})")
    _guarded(name, CannotWrite, lambda: [chosen.codec().suit(_kind_of(frame)) for frame in frames])
    return chosen


def _read(path: FileLike, max_megapixels: float, *, single: bool) -> list[Picture]:
    budget = Budget(max_megapixels * 1e6, single)
    name, data = storage.load(path, budget.pixels)
    found = by_content(data)
    if found is None:
        names = ", ".join(f.name for f in FORMATS)
        raise UnreadableImage(f"{name}: not an image of a known kind ({names})")
    source = _guarded(name, UnreadableImage, lambda: found.codec().decode(data, budget))
    return _guarded(name, UnreadableImage, lambda: _pictures(name, source))


def _pictures(name: str, source: Source) -> list[Picture]:
    source = replace(source, facts=tuple(replace(f, path=name) for f in source.facts))
    pictures = []
    for raster, facts in zip(source.rasters, source.facts, strict=True):
        pixels, alpha = to_pixels(raster)
        pictures.append(Picture(pixels, alpha, replace(facts, source=source)))
    return pictures


def _guarded(name: str, family: type[ImageFileError], action: Callable[[], _T]) -> _T:
    """Do something with a file's content; whatever goes wrong becomes one line with the file's name."""
    try:
        return action()
    except ImageFileError as error:
        raise type(error)(f"{name}: {error}") from None
    except MemoryError:
        raise ImageTooLarge(f"{name}: there is not enough memory for this picture (free some)") from None
    except Exception as error:
        what = "damaged" if family is UnreadableImage else "cannot be encoded"
        raise family(f"{name}: {what} ({storage.reason(error)})") from None


def _format_for(name: str, format: str | None) -> Format:
    found = by_name(format if format is not None else os.path.splitext(name)[1])
    if found is None:
        raise CannotWrite(f"{name}: no known image format ({KNOWN_ENDINGS})")
    return found


def _encoded(frames: Sequence[Picture], chosen: Format, options: Options) -> bytes:
    codec = chosen.codec()
    source = frames[0].facts.source
    if source is not None and source.format != chosen.name:
        source = None
    whole = source is not None and len(frames) == len(source.rasters)
    whole = whole and all(f.facts.source is source and f.facts.frame == i for i, f in enumerate(frames))
    rasters = [_raster(frame, codec) for frame in frames]
    if source is not None and whole and options.quality is None and _unchanged(frames, rasters, source):
        if options.recipe in (None, source.facts[0].recipe):
            return source.encoded
        edited = codec.with_recipe(source.encoded, options.recipe or "")
        if edited is not None:
            return edited
    return codec.encode(rasters, [f.facts for f in frames], replace(options, source=source))


def _unchanged(frames: Sequence[Picture], rasters: Sequence[Raster], source: Source) -> bool:
    return all(
        raster is old and frame.facts == facts
        for frame, raster, old, facts in zip(frames, rasters, source.rasters, source.facts, strict=True)
    )


def _raster(picture: Picture, codec: Codec) -> Raster:
    """Give the samples to write: the file's own where pixels did not change, of a kind that the format holds."""
    facts = picture.facts
    old = facts.source.rasters[facts.frame] if facts.source else None
    if old is not None and old.samples.shape[:2] == picture.pixels.shape[:2]:
        raster = updated(old, picture.pixels, picture.alpha)
        kind = codec.suit(raster.kind if raster.palette is None else _kind_of_palette(raster, codec))
        if kind == raster.kind:
            return raster
        return _fitted(picture, kind, old)
    return _fitted(picture, codec.suit(_kind_of(picture)), old)


def _kind_of(picture: Picture) -> Kind:
    """Give the kind of samples that lose nothing of a picture."""
    facts = picture.facts
    maximum = 0 if facts.sample_format == "float" else 65535 if facts.bit_depth > 8 else 255
    return Kind("grey" if picture.pixels.shape[2] == 1 else "rgb", picture.alpha is not None, maximum)


def _kind_of_palette(raster: Raster, codec: Codec) -> Kind:
    """Give the kind of a palette raster, as RGB with alpha where the format would otherwise lose its alpha."""
    assert raster.palette is not None
    alpha = raster.palette.shape[1] == 4
    kind = codec.suit(raster.kind)
    return raster.kind if kind == raster.kind else Kind("rgb", alpha, 255)


def _fitted(picture: Picture, kind: Kind, old: Raster | None) -> Raster:
    dtype: Any = old.samples.dtype if old is not None and old.kind.maximum == 0 and kind.maximum == 0 else None
    return quantised(picture.pixels, picture.alpha, kind, dtype)
