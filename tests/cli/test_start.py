"""The first moment of the command: what loads it may be interrupted, too."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

SCRIPTS = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["scripts"]
ENTRY = EntryPoint("anew", SCRIPTS["anew"], "console_scripts")


def run_script(before: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Do what the installed script does, after some other lines."""
    code = f"import sys\n{before}\nfrom {ENTRY.module} import {ENTRY.attr}\nsys.exit({ENTRY.attr}())"
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)


def test_ctrl_c_while_the_commands_load_is_one_line() -> None:
    interrupted = "\n".join([
        "class Interrupting:",
        "    def find_spec(self, name, path=None, target=None):",
        "        if name == 'typer':",
        "            raise KeyboardInterrupt",
        "sys.meta_path.insert(0, Interrupting())",
    ])  # fmt: skip
    done = run_script(interrupted, "--version")
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "anew: stopped; nothing is left half written\n"


def test_the_script_runs_a_command() -> None:
    done = run_script("", "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("anew ")
