"""The disk: whole files in, and files out that are complete or not there at all."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from anew.errors import CannotWrite, ImageTooLarge, UnreadableImage

LARGEST_OVERHEAD = 1 << 26  # bytes that a file may hold beside its pixels
BYTES_PER_PIXEL = 16  # of the deepest kind, four float32
_OBJECT = re.compile(r" <\S+ object at 0x[0-9a-f]+>")  # as Pillow names a file in memory


def load(source: str | os.PathLike[str] | bytes | BinaryIO, max_pixels: float) -> tuple[str, bytes]:
    """Give the name and the content of a file.

    Raises
    ------
    UnreadableImage
        If it cannot be read or is empty.
    ImageTooLarge
        If it holds more bytes than the pixel budget could ever need.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        name, data = "<bytes>", bytes(source)
    elif isinstance(source, str | os.PathLike):
        name = os.fspath(source)
        data = _load_path(name, max_pixels)
    elif hasattr(source, "read"):
        name, data = str(getattr(source, "name", "<file>")), source.read()
        if not isinstance(data, bytes):
            raise TypeError(f"{name}: opened for reading text; open it for reading bytes, with 'rb'")
    else:
        raise TypeError(f"expected a path, bytes or a file opened for reading bytes, got {type(source).__name__}")
    if not data:
        raise UnreadableImage(f"{name}: the file is empty (copy or download it again)")
    return name, data


def _load_path(path: str, max_pixels: float) -> bytes:
    try:
        with open(path, "rb", opener=lambda p, flags: os.open(p, flags | getattr(os, "O_NONBLOCK", 0))) as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise UnreadableImage(f"{path}: not a regular file (give an image file)")
            if about.st_size > max_pixels * BYTES_PER_PIXEL + LARGEST_OVERHEAD:
                raise ImageTooLarge(
                    f"{path}: {about.st_size / 1e6:.0f} MB, more than {max_pixels / 1e6:g} megapixels can need "
                    "(raise max_megapixels, --max-megapixels)"
                )
            return file.read()
    except IsADirectoryError:
        raise UnreadableImage(f"{path}: is a folder (give an image file)") from None
    except FileNotFoundError:
        raise UnreadableImage(f"{path}: there is no such file (check the name)") from None
    except PermissionError:
        raise UnreadableImage(f"{path}: no permission to read it (change its permissions)") from None
    except (OSError, ValueError) as error:
        raise UnreadableImage(f"{path}: cannot be read ({reason(error)})") from None


def save(path: str, data: bytes, *, overwrite: bool) -> None:
    """Write a file whole or not at all, as `whole_file` does."""
    with whole_file(path, overwrite=overwrite) as part, open(part, "wb") as file:
        file.write(data)


@contextlib.contextmanager
def whole_file(path: str, *, overwrite: bool, advice: str = "choose another place") -> Iterator[str]:
    """Give the place to write to meanwhile; what lies there afterwards is synced and takes the place of the file.

    An existing file keeps its permissions; a symbolic link stays one and its target is replaced. If anything goes
    wrong, the file is as it was.

    Parameters
    ----------
    path : str
    overwrite : bool
    advice : str
        What to do if the disk is full, or the folder may not be written to.

    Raises
    ------
    CannotWrite
        In one line.
    """
    check_target(path, overwrite=overwrite)
    target = os.path.realpath(path)
    part = os.path.join(os.path.dirname(target), f".{secrets.token_hex(8)}.anew-part")
    try:
        try:
            _create(part, _mode_of(target))
            yield part
            with open(part, "rb+") as file:
                os.fsync(file.fileno())
            _move(part, target, overwrite=overwrite)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(part)
    except FileExistsError:
        raise CannotWrite(f"{path}: exists already (choose another name, or allow overwriting)") from None
    except OSError as error:
        raise CannotWrite(f"{path}: cannot be written ({reason(error)}; {advice})") from None


def check_target(path: str, *, overwrite: bool) -> None:
    """Refuse a target that cannot be written, before any work is done."""
    try:
        about = os.stat(path)
    except FileNotFoundError:
        if not Path(path).parent.is_dir():
            raise CannotWrite(f"{path}: there is no folder {Path(path).parent} (make it first)") from None
        return
    except (OSError, ValueError) as error:
        raise CannotWrite(f"{path}: cannot be written ({reason(error)}; choose another place)") from None
    if stat.S_ISDIR(about.st_mode):
        raise CannotWrite(f"{path}: is a folder (give a file name)")
    if not stat.S_ISREG(about.st_mode):
        raise CannotWrite(f"{path}: is not a regular file (give another name)")
    if not overwrite:
        raise CannotWrite(f"{path}: exists already (choose another name, or allow overwriting)")
    if not os.access(path, os.W_OK):
        raise CannotWrite(f"{path}: is read-only (change its permissions, or choose another name)")


def reason(error: BaseException) -> str:
    """Say in a few words, on one line, what an exception means."""
    text = getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__
    return _OBJECT.sub("", text)[:160]


def _mode_of(target: str) -> int | None:
    try:
        return stat.S_IMODE(os.stat(target).st_mode)
    except FileNotFoundError:
        return None


def _create(path: str, mode: int | None) -> None:
    with open(path, "xb"):
        if mode is not None:
            os.chmod(path, mode)


def _move(part: str, target: str, *, overwrite: bool) -> None:
    """Put the file in its place; without ``overwrite``, fail if someone else was faster."""
    if overwrite:
        os.replace(part, target)
    else:
        try:
            os.link(part, target)
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            os.rename(part, target)
    with contextlib.suppress(OSError):
        folder = os.open(os.path.dirname(target), os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
