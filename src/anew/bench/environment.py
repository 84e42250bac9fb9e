"""What decides figures beside the methods: the machine, and the versions of the packages."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from anew.threads import core_count

RUNTIMES = ("onnxruntime", "onnxruntime-gpu", "openvino")  # what may compute a network
PACKAGES = (
    *("anew", "numpy", "scipy", "scikit-image", "opencv-python-headless", "pillow", "PyWavelets", "numba"),
    *RUNTIMES,
    "bm3d",
)


def machine() -> dict[str, Any]:
    """Say what this runs on; of the cores those count that the process may use."""
    cpu = platform.processor() or platform.machine()
    memory = None
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text(errors="replace").splitlines() if line.startswith("model name")]
        cpu = names[0].partition(":")[2].strip() if names else cpu
        memory = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    return {"cpu": cpu, "cores": core_count(), "memory_gib": memory, "system": platform.system()}


def versions() -> dict[str, str]:
    """Give the versions of Python and the packages that decide the figures."""
    return {"python": platform.python_version(), **installed(PACKAGES)}


def installed(packages: Sequence[str]) -> dict[str, str]:
    """Give the versions of those packages that are installed."""
    found = {}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
