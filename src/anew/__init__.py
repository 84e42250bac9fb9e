"""anew makes images new: it restores damaged ones, generates new ones, and proves what it did.

Every public name is imported when it is first used, so ``import anew`` itself loads nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anew.degradations.catalogue import degrade
    from anew.diagnosis.diagnose import diagnose
    from anew.generation.augmentation.augment import augment
    from anew.generation.generate import generate
    from anew.images import Picture, read, read_frames, write, write_frames
    from anew.registry import methods
    from anew.restoration.automatic import restore
    from anew.restoration.tasks import deblock, deblur, denoise, inpaint, relight, unwarp, upscale

__version__ = "0.1.0"

_HOMES = {
    "anew.images": ("Picture", "read", "read_frames", "write", "write_frames"),
    "anew.registry": ("methods",),
    "anew.diagnosis.diagnose": ("diagnose",),
    "anew.restoration.automatic": ("restore",),
    "anew.restoration.tasks": ("denoise", "inpaint", "deblur", "upscale", "deblock", "relight", "unwarp"),
    "anew.degradations.catalogue": ("degrade",),
    "anew.generation.augmentation.augment": ("augment",),
    "anew.generation.generate": ("generate",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Picture",
    "augment",
    "deblock",
    "deblur",
    "degrade",
    "denoise",
    "diagnose",
    "generate",
    "inpaint",
    "methods",
    "read",
    "read_frames",
    "relight",
    "restore",
    "unwarp",
    "upscale",
    "write",
    "write_frames",
]


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        value = getattr(import_module(_HOME_OF[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'anew' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
