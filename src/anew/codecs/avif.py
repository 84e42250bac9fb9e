"""AVIF: still pictures of 8, 10 and 12 bits through OpenCV, which can code them without loss; animations via Pillow.

Without a quality the picture is coded losslessly (4:4:4, identity matrix). A changed picture of a lossy file is coded
at quality 90 unless told otherwise, because the file does not say what quality it had. A recipe that is added to an
unchanged file goes into the XMP box of ISO base media files, at the end, where it moves nothing.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anew.codecs import metadata
from anew.codecs.facts import Facts, Source
from anew.codecs.formats import Budget, Options, quiet_library, quiet_stderr
from anew.codecs.raster import Kind, Raster, oriented
from anew.errors import CannotWrite, UnreadableImage

LOSSY_QUALITY = 90
LOSSLESS_QUALITY = 100
SPEED = 8
LONGEST_SIDE = 32768  # pixels; AV1 holds twice as many, but libavif and what reads by it refuse them
_EXIF_START = b"Exif\0\0"
XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")  # XMP specification, part 3, table 9


def decode(data: bytes, budget: Budget) -> Source:
    """Read an AVIF file, or all frames of an animation."""
    from PIL import Image

    depth, own_box = _depth(data), _xmp_box(data)
    with quiet_library(), Image.open(io.BytesIO(data), formats=["AVIF"]) as image:
        count = getattr(image, "n_frames", 1)
        budget.check(*image.size, count)
        exif = image.info.get("exif")
        exif = exif.removeprefix(_EXIF_START) if exif else None
        xmp, icc = image.info.get("xmp"), image.info.get("icc_profile")
        if depth > 8 and count > 1:
            raise UnreadableImage(f"an AVIF animation of {depth} bits is not supported (convert it to 8 bits)")
        samples, durations = [], []
        for index in range(count):
            image.seek(index)
            samples.append(np.array(image) if depth == 8 else _decoded_by_opencv(data, image.size))
            durations.append(float(image.info.get("duration", 0)))
    orientation = metadata.exif_orientation(exif)
    rasters = []
    maximum = (1 << depth) - 1
    for x in samples:
        stacked = oriented(x.reshape(*x.shape[:2], -1), orientation)
        kind = Kind("grey" if stacked.shape[2] < 3 else "rgb", stacked.shape[2] in (2, 4), maximum)
        rasters.append(Raster(stacked, kind))
    facts = tuple(
        Facts(
            format="AVIF",
            mode=raster.kind.mode,
            bit_depth=depth,
            orientation=orientation,
            exif=exif,
            icc=icc,
            xmp=xmp,
            lossless=_is_lossless(data) or (None if raster.kind.space == "grey" else False),
            frame=index,
            frames=count,
            duration=durations[index] if count > 1 else None,
            loop=0 if count > 1 else None,
            recipe=metadata.recipe_of_xmp(own_box) or metadata.recipe_of_xmp(xmp),
        )
        for index, raster in enumerate(rasters)
    )
    return Source("AVIF", data, tuple(rasters), facts)


def suit(kind: Kind) -> Kind:
    """Give the nearest kind of AVIF samples: 8, 10 or 12 bits, grey, RGB or RGBA."""
    maximum = 255 if 0 < kind.maximum <= 255 else 1023 if kind.maximum == 1023 else 4095
    return Kind("grey" if kind.space == "grey" and not kind.alpha else "rgb", kind.alpha, maximum)


def encode(rasters: Sequence[Raster], facts: Sequence[Facts], options: Options) -> bytes:
    """Write an AVIF file or animation."""
    first = facts[0]
    height, width = rasters[0].samples.shape[:2]
    if max(height, width) > LONGEST_SIDE:
        raise CannotWrite(f"{width} x {height} pixels are more than AVIF's {LONGEST_SIDE} (write PNG or TIFF)")
    lossy = options.source is not None and first.lossless is False
    quality = options.quality or (LOSSY_QUALITY if lossy else LOSSLESS_QUALITY)
    exif = metadata.upright_exif(first.exif)
    xmp = metadata.xmp_with_recipe(metadata.upright_xmp(first.xmp), options.recipe)
    icc = first.icc if metadata.icc_fits(first.icc, rasters[0].kind.space) else None
    if len(rasters) > 1:
        return _animation(rasters, facts, quality, exif, xmp, icc)
    return _still(rasters[0], quality, exif, xmp, icc)


def with_recipe(encoded: bytes, recipe: str) -> bytes:
    """Append the recipe in an XMP box, in place of an older one, and leave the rest as it is."""
    boxes = list(_boxes(encoded))
    kept = b"".join(encoded[start:end] for start, end in boxes if not _is_xmp_box(encoded[start:end]))
    xmp = metadata.xmp_with_recipe(_xmp_box(encoded), recipe) or b""
    return kept + struct.pack(">I4s", 24 + len(xmp), b"uuid") + XMP_BOX + xmp


def _boxes(data: bytes) -> Iterator[tuple[int, int]]:
    """Give (start, end) of the boxes at the top level (ISO/IEC 14496-12, section 4.2)."""
    place = 0
    while place + 8 <= len(data):
        (size,) = struct.unpack_from(">I", data, place)
        if size == 1 and place + 16 <= len(data):
            (size,) = struct.unpack_from(">Q", data, place + 8)
        size = size or len(data) - place
        if size < 8 or place + size > len(data):
            raise UnreadableImage("truncated AVIF: the file ends inside a box (get an intact copy)")
        yield place, place + size
        place += size


def _is_xmp_box(box: bytes) -> bool:
    return box[4:24] == b"uuid" + XMP_BOX


def _xmp_box(data: bytes) -> bytes | None:
    """Give the XMP packet of a box at the top level."""
    return next((data[start + 24 : end] for start, end in _boxes(data) if _is_xmp_box(data[start:end][:24])), None)


def _still(raster: Raster, quality: int, exif: bytes | None, xmp: bytes | None, icc: bytes | None) -> bytes:
    import cv2

    samples = raster.samples
    if samples.shape[2] >= 3:
        samples = samples[:, :, [2, 1, 0, 3][: samples.shape[2]]]
    parts = {cv2.IMAGE_METADATA_EXIF: exif, cv2.IMAGE_METADATA_XMP: xmp, cv2.IMAGE_METADATA_ICCP: icc}
    present = {key: np.frombuffer(value, np.uint8) for key, value in parts.items() if value}
    settings = [cv2.IMWRITE_AVIF_QUALITY, quality, cv2.IMWRITE_AVIF_DEPTH, raster.kind.bits]
    settings += [cv2.IMWRITE_AVIF_SPEED, SPEED]
    done, coded = cv2.imencodeWithMetadata(
        ".avif", np.ascontiguousarray(samples), list(present), list(present.values()), settings
    )
    if not done:
        raise CannotWrite("the AVIF encoder refused this picture (write PNG or TIFF)")
    return bytes(coded.tobytes())


def _animation(
    rasters: Sequence[Raster],
    facts: Sequence[Facts],
    quality: int,
    exif: bytes | None,
    xmp: bytes | None,
    icc: bytes | None,
) -> bytes:
    from PIL import Image

    if len({r.samples.shape[:2] for r in rasters}) > 1:
        raise CannotWrite("the frames of an AVIF animation must be of one size (write TIFF instead)")
    if any(r.kind.maximum != 255 for r in rasters):
        raise CannotWrite("AVIF animations are written with 8 bits only (write TIFF or PNG)")
    alpha = any(r.kind.alpha for r in rasters)
    images = [Image.fromarray(_plain(r.samples)).convert("RGBA" if alpha else "RGB") for r in rasters]
    settings: dict[str, Any] = {"exif": exif, "xmp": xmp, "icc_profile": icc}
    durations = [100 if f.duration is None else round(f.duration) for f in facts]
    buffer = io.BytesIO()
    with quiet_library():
        images[0].save(
            buffer,
            "AVIF",
            save_all=True,
            append_images=images[1:],
            duration=durations,
            quality=quality,
            subsampling="4:4:4",
            speed=SPEED,
            **{key: value for key, value in settings.items() if value},
        )
    return buffer.getvalue()


def _plain(samples: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(samples[:, :, 0] if samples.shape[2] == 1 else samples)


def _decoded_by_opencv(data: bytes, size: tuple[int, int]) -> NDArray[Any]:
    import cv2

    with quiet_stderr():
        samples = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if samples is None or samples.dtype != np.uint16 or samples.shape[1::-1] != size:
        raise UnreadableImage("damaged AVIF: it does not decode (get an intact copy)")
    return samples if samples.ndim == 2 else samples[:, :, [2, 1, 0, 3][: samples.shape[2]]]


def _depth(data: bytes) -> int:
    """Read the bit depth from the first av1C box (AV1 in ISOBMFF, section 2.3)."""
    place = data.find(b"av1C\x81")
    flags = data[place + 6] if 0 <= place < len(data) - 6 else 0
    return (12 if flags & 0x20 else 10) if flags & 0x40 else 8


def _is_lossless(data: bytes) -> bool:
    """Whether colours are coded with the identity matrix, as only lossless files are."""
    place = data.find(b"colrnclx")
    return 0 <= place < len(data) - 14 and data[place + 12 : place + 14] == b"\0\0"
