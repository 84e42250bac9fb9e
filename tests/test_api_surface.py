"""The names people type, and how light they are."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import anew
from anew import errors

PUBLIC = [
    "Picture", "augment", "deblock", "deblur", "degrade", "denoise", "diagnose", "generate", "inpaint", "methods",
    "read", "read_frames", "relight", "restore", "unwarp", "upscale", "write", "write_frames",
]  # fmt: skip
HEAVY = {"cv2", "scipy", "skimage", "numba", "PIL", "torch", "onnxruntime", "pydantic", "rich", "numpy", "typer"}


def loaded_by(statement: str) -> set[str]:
    """Give the heavy packages that a statement loads in a fresh process."""
    code = f"import sys; {statement}; print(*sorted({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return HEAVY & set(done.stdout.split())


def test_public_names_are_pinned() -> None:
    assert sorted(anew.__all__) == PUBLIC
    for name in PUBLIC:
        assert getattr(anew, name) is not None
    assert set(PUBLIC) <= set(dir(anew))


def test_importing_anew_loads_nothing() -> None:
    assert loaded_by("import anew") == set()


def test_listing_methods_loads_no_image_library() -> None:
    assert loaded_by("import anew; anew.methods('denoise')") == set()


def test_the_command_line_loads_no_image_library() -> None:
    assert loaded_by("import anew.cli.main") <= {"typer", "rich"}


def test_the_family_of_errors_is_drawn_whole() -> None:
    texts = [path.read_text() for path in Path(anew.__file__).parent.rglob("*.py")]
    family = {
        name for text in texts for name in re.findall(r"^class (\w+)\((?:AnewError|ImageFileError)\b", text, re.M)
    }
    drawn = set(re.findall(r"\b[A-Z]\w+\b", str(errors.__doc__)))
    assert family
    assert family <= drawn
