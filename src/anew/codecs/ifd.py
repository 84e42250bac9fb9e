"""Directories of TIFF files and EXIF blocks (TIFF 6.0, section 2; BigTIFF): read, and written anew elsewhere."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from anew.errors import UnreadableImage

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
CODES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I", 16: "Q", 17: "q", 18: "Q"}
SUB_DIRECTORIES = (34665, 34853, 40965)  # EXIF, GPS, interoperability
LARGEST_DIRECTORY = 4096
MOST_PAGES = 10000


@dataclass(frozen=True)
class Entry:
    """One tag: its type, its values as bytes in the order of the file, or the directory that it points to."""

    kind: int
    count: int
    data: bytes
    directory: Mapping[int, Entry] | None = None


Directory = Mapping[int, Entry]


@dataclass(frozen=True)
class Layout:
    """How a file's numbers are written: byte order "<" or ">", and whether offsets have 8 bytes."""

    order: str = "<"
    big: bool = False

    @property
    def offset(self) -> str:
        """The struct code of an offset."""
        return self.order + ("Q" if self.big else "I")

    @property
    def offset_size(self) -> int:
        """Bytes of an offset."""
        return 8 if self.big else 4

    def numbers(self, entry: Entry | None) -> tuple[int | float, ...]:
        """Give the values of an entry; rationals as quotients; nothing for text."""
        if entry is None:
            return ()
        if entry.kind in (5, 10):
            parts = struct.unpack(f"{self.order}{2 * entry.count}{'I' if entry.kind == 5 else 'i'}", entry.data)
            return tuple(a / b if b else 0.0 for a, b in zip(parts[::2], parts[1::2], strict=True))
        code = CODES.get(entry.kind)
        return struct.unpack(f"{self.order}{entry.count}{code}", entry.data) if code else ()

    def integers(self, entry: Entry | None) -> tuple[int, ...]:
        """Give the integer values of an entry."""
        return tuple(int(v) for v in self.numbers(entry) if isinstance(v, int))


def layout_of(data: bytes) -> tuple[Layout, int]:
    """Read the header of a TIFF structure: how numbers are written, and where the first directory is."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < 8:
        raise UnreadableImage("damaged TIFF: its header is incomplete (get an intact copy)")
    (version,) = struct.unpack_from(order + "H", data, 2)
    if version == 43 and len(data) >= 16:
        return Layout(order, True), int(struct.unpack_from(order + "Q", data, 8)[0])
    return Layout(order), int(struct.unpack_from(order + "I", data, 4)[0])


def directories(data: bytes, layout: Layout, start: int) -> Iterator[Directory]:
    """Give the chain of directories of a file."""
    seen: set[int] = set()
    while start:
        if start in seen or len(seen) >= MOST_PAGES:
            raise UnreadableImage("damaged TIFF: its pages form a circle (get an intact copy)")
        seen.add(start)
        directory, start = read_directory(data, layout, start)
        yield directory


def read_directory(data: bytes, layout: Layout, start: int, depth: int = 0) -> tuple[dict[int, Entry], int]:
    """Read the directory at an offset, with EXIF and GPS directories inside it; give it and the next offset."""
    count_code, entry_size = ("Q", 20) if layout.big else ("H", 12)
    head = struct.calcsize("<" + count_code)
    if start + head > len(data):
        raise UnreadableImage("truncated TIFF: a directory lies beyond the end of the file (get an intact copy)")
    (count,) = struct.unpack_from(layout.order + count_code, data, start)
    end = start + head + count * entry_size
    if count > LARGEST_DIRECTORY or end > len(data):
        raise UnreadableImage("truncated TIFF: a directory is incomplete (get an intact copy)")
    directory: dict[int, Entry] = {}
    for place in range(start + head, end, entry_size):
        tag, kind = struct.unpack_from(layout.order + "HH", data, place)
        (number,) = struct.unpack_from(layout.offset, data, place + 4)
        size = SIZES.get(kind, 0) * number
        value = place + 4 + layout.offset_size
        if size > layout.offset_size:
            (value,) = struct.unpack_from(layout.offset, data, value)
        if size == 0 or value + size > len(data):
            continue
        entry = Entry(kind, number, data[value : value + size])
        if tag in SUB_DIRECTORIES and depth < 3:
            inner = layout.integers(entry)
            if len(inner) != 1 or not 0 < inner[0] < len(data):
                continue
            try:
                entry = Entry(kind, 1, b"", read_directory(data, layout, inner[0], depth + 1)[0])
            except (UnreadableImage, struct.error):
                continue
        directory.setdefault(tag, entry)  # tifffile adds a second description; libtiff too reads the first
    following = 0
    if end + layout.offset_size <= len(data):
        (following,) = struct.unpack_from(layout.offset, data, end)
    return directory, following


@dataclass
class Writer:
    """Collects a TIFF structure; offsets count from its start."""

    layout: Layout
    parts: list[bytes] = field(default_factory=list)
    size: int = 0
    first: int = 0

    def __post_init__(self) -> None:
        mark = b"II" if self.layout.order == "<" else b"MM"
        o = self.layout.order
        self.add(mark + (struct.pack(o + "HHHQ", 43, 8, 0, 0) if self.layout.big else struct.pack(o + "HI", 42, 0)))

    def add(self, data: bytes) -> int:
        """Append data on an even offset and give that."""
        if self.size % 2:
            self.parts.append(b"\0")
            self.size += 1
        start = self.size
        self.parts.append(data)
        self.size += len(data)
        return start

    def add_directory(self, directory: Directory, following: int = 0) -> int:
        """Append a directory, what it points to first, and give its offset."""
        layout = self.layout
        fields = []
        for tag in sorted(directory):
            entry = directory[tag]
            kind, count, value = entry.kind, entry.count, entry.data
            if entry.directory is not None:
                kind, value = (18 if layout.big else 4), struct.pack(layout.offset, self.add_directory(entry.directory))
            if len(value) > layout.offset_size:
                value = struct.pack(layout.offset, self.add(value))
            code = layout.order + ("HHQ" if layout.big else "HHI")
            fields.append(struct.pack(code, tag, kind, count) + value.ljust(layout.offset_size, b"\0"))
        head = struct.pack(layout.order + ("Q" if layout.big else "H"), len(fields))
        return self.add(head + b"".join(fields) + struct.pack(layout.offset, following))

    def finished(self, first: int) -> bytes:
        """Give the whole, with the header pointing to its first directory."""
        head = self.parts[0][: -self.layout.offset_size] + struct.pack(self.layout.offset, first)
        return b"".join([head, *self.parts[1:]])


def as_block(layout: Layout, directory: Directory) -> bytes:
    """Give a directory as an EXIF block."""
    writer = Writer(Layout(layout.order))
    return writer.finished(writer.add_directory(directory))


def reordered(entry: Entry, old: Layout, new: Layout) -> Entry:
    """Give an entry with its numbers in another byte order."""
    if entry.directory is not None:
        inner = {tag: reordered(e, old, new) for tag, e in entry.directory.items()}
        return Entry(entry.kind, 1, b"", inner)
    if old.order == new.order or SIZES[entry.kind] == 1:
        return entry
    code, count = (CODES[entry.kind], entry.count) if entry.kind in CODES else ("I", 2 * entry.count)
    values = struct.unpack(f"{old.order}{count}{code}", entry.data)
    return Entry(entry.kind, entry.count, struct.pack(f"{new.order}{count}{code}", *values))
