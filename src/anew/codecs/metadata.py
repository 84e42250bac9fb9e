"""EXIF orientation, XMP with our recipe, ICC: read and edited in place, without loss of the rest.

EXIF blocks are patched byte by byte, because makers' notes hold absolute offsets that a rewrite would break.
XMP is searched as text and never parsed as XML: no entity can expand.
"""

from __future__ import annotations

import base64
import re
import struct
import zlib
from xml.sax.saxutils import escape, unescape

ORIENTATION, THUMBNAIL, THUMBNAIL_SIZE = 0x0112, 0x0201, 0x0202
X_RESOLUTION, Y_RESOLUTION = 0x011A, 0x011B
NAMESPACE = "https://github.com/anew/ns/1.0/"
LARGEST_TEXT = 1 << 24  # bytes that any one text or profile may inflate to
_RECIPE = re.compile(rb'\sanew:recipe="([^"]*)"')
_DESCRIPTION = re.compile(rb'<rdf:Description rdf:about="" xmlns:anew="[^"]*" anew:recipe="[^"]*"\s*/>')
_XMP_ORIENTATION = re.compile(rb'(tiff:Orientation(?:="|>))[2-8]')
_ENTITIES = {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}


def exif_orientation(exif: bytes | None) -> int:
    """Give the orientation 1..8 that an EXIF block states in its first directory; 1 if it states none."""
    place = _orientation_place(exif) if exif else None
    if exif is None or place is None:
        return 1
    order, offset = place
    value = int(struct.unpack_from(order + "H", exif, offset)[0])
    return value if 1 <= value <= 8 else 1


def upright_dpi(dpi: tuple[float, float] | None, orientation: int) -> tuple[float, float] | None:
    """Give the dots per inch of the upright picture, of which rows and columns change places from orientation 5 on."""
    return (dpi[1], dpi[0]) if dpi is not None and orientation >= 5 else dpi


def upright_exif(exif: bytes | None) -> bytes | None:
    """Give an EXIF block with its orientation set to 1, without its thumbnail, and all else as it was.

    Where the rows become columns, the resolutions change places with them.

    The thumbnail shows what the picture was before, and as it lay: its directory is cut off and its bytes are blanked.
    """
    order = _order_of(exif) if exif else None
    if exif is None or order is None:
        return exif
    patched = bytearray(exif)
    entries = _entries(exif, order, struct.unpack_from(order + "I", exif, 4)[0])
    if (place := _orientation_place(exif)) is not None:
        struct.pack_into(order + "H", patched, place[1], 1)
    if exif_orientation(exif) >= 5:
        places = {struct.unpack_from(order + "H", exif, entry)[0]: entry for entry in entries}
        x, y = places.get(X_RESOLUTION), places.get(Y_RESOLUTION)
        if x is not None and y is not None:
            patched[x + 2 : x + 12], patched[y + 2 : y + 12] = exif[y + 2 : y + 12], exif[x + 2 : x + 12]
    following = entries.stop
    if 0 < following <= len(exif) - 4:
        thumbnail = _thumbnail(exif, order, struct.unpack_from(order + "I", exif, following)[0])
        patched[thumbnail] = bytes(len(patched[thumbnail]))
        struct.pack_into(order + "I", patched, following, 0)
    return bytes(patched)


def upright_xmp(xmp: bytes | None) -> bytes | None:
    """Give an XMP packet with its orientation, if any, set to 1."""
    return None if xmp is None else _XMP_ORIENTATION.sub(rb"\g<1>1", xmp)


def _orientation_place(exif: bytes) -> tuple[str, int] | None:
    """Find (byte order, offset of the value) of the orientation, or None."""
    order = _order_of(exif)
    if order is None:
        return None
    for entry in _entries(exif, order, struct.unpack_from(order + "I", exif, 4)[0]):
        tag, kind, number = struct.unpack_from(order + "HHI", exif, entry)
        if tag == ORIENTATION and kind == 3 and number == 1:
            return order, entry + 8
    return None


def _order_of(exif: bytes) -> str | None:
    """Give the byte order of an EXIF block, or None if it is none."""
    return {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4]) if len(exif) >= 10 else None


def _entries(exif: bytes, order: str, start: int) -> range:
    """Give the places of the entries of a directory; those that lie beyond the end are left out."""
    if start + 2 > len(exif):
        return range(0)
    (count,) = struct.unpack_from(order + "H", exif, start)
    return range(start + 2, start + 2 + 12 * min(count, (len(exif) - start - 2) // 12), 12)


def _thumbnail(exif: bytes, order: str, start: int) -> slice:
    """Find the JPEG file that the directory of a thumbnail points to."""
    fields = (struct.unpack_from(order + "HHII", exif, entry) for entry in _entries(exif, order, start))
    values = {tag: value for tag, _, _, value in fields}
    place, size = values.get(THUMBNAIL, 0), values.get(THUMBNAIL_SIZE, 0)
    return slice(place, place + size) if exif[place : place + 2] == b"\xff\xd8" else slice(0)


def recipe_of_xmp(xmp: bytes | None) -> str | None:
    """Give the recipe that an XMP packet carries, or None."""
    found = _RECIPE.search(xmp) if xmp else None
    if found is None:
        return None
    text = unescape(found[1].decode("utf-8", "replace"), {entity: sign for sign, entity in _ENTITIES.items()})
    return unpacked_recipe(text)


def xmp_with_recipe(xmp: bytes | None, recipe: str | None, limit: int | None = None) -> bytes | None:
    """Give an XMP packet that carries this recipe (or none) and all that it had before.

    Parameters
    ----------
    limit : int, optional
        Above this many bytes the recipe is deflated; if it is still too long, None is given.
    """
    kept = None if xmp is None else _DESCRIPTION.sub(b"", xmp)
    if recipe is None:
        return kept
    for text in (recipe, packed_recipe(recipe)):
        value = escape(text, _ENTITIES)
        line = f'<rdf:Description rdf:about="" xmlns:anew="{NAMESPACE}" anew:recipe="{value}"/>'.encode()
        end = -1 if kept is None else kept.rfind(b"</rdf:RDF>")
        if kept is None or end < 0:
            packet = (
                b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
                b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' + line + b"</rdf:RDF></x:xmpmeta>"
                b'<?xpacket end="w"?>'
            )
        else:
            packet = kept[:end] + line + kept[end:]
        if limit is None or len(packet) <= limit:
            return packet
    return None


def packed_recipe(recipe: str) -> str:
    """Deflate a long recipe into ASCII."""
    return "zlib:" + base64.b64encode(zlib.compress(recipe.encode(), 9)).decode("ascii")


def unpacked_recipe(text: str) -> str | None:
    """Undo ``packed_recipe``; other text is given as it is."""
    if not text.startswith("zlib:"):
        return text
    try:
        inflated = inflate(base64.b64decode(text[5:], validate=True), LARGEST_TEXT)
        return None if inflated is None else inflated.decode("utf-8", "replace")
    except (ValueError, zlib.error):
        return None


def inflate(data: bytes, limit: int) -> bytes | None:
    """Inflate zlib data, or give None if it is broken or longer than ``limit``."""
    try:
        engine = zlib.decompressobj()
        out = engine.decompress(data, limit)
        return out if engine.eof else None
    except zlib.error:
        return None


def icc_fits(icc: bytes | None, space: str) -> bool:
    """Whether an ICC profile describes samples of this space ("grey", "rgb", "cmyk" or "palette")."""
    if icc is None or len(icc) < 20:
        return False
    return {"grey": b"GRAY", "cmyk": b"CMYK"}.get(space, b"RGB ") == icc[16:20]
