"""One job of many: what comes of it, whatever happens."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from anew.cli.jobs import Job
from anew.cli.targets import make_folder
from anew.errors import AnewError


@dataclass(frozen=True)
class Outcome:
    """What came of one job: words for a person, facts for a program, or an error."""

    job: Job
    text: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Give the entry that ``--json`` prints for this file."""
        target = None if self.job.target is None else str(self.job.target)
        status = "failed" if self.error else "done"
        entry = {"input": str(self.job.source), "output": target, "status": status, "seconds": round(self.seconds, 3)}
        return {**entry, "error": self.error} if self.error else {**entry, **self.facts}


Work = Callable[[Job], Outcome]


def attempt(work: Work, job: Job) -> Outcome:
    """Run one job; what is wrong with its file becomes its outcome instead of ending the whole run."""
    start = time.perf_counter()
    try:
        if job.target is not None and job.makes_folder:
            make_folder(job.target.parent)
        outcome = work(job)
    except AnewError as error:
        return Outcome(job, error=str(error), seconds=time.perf_counter() - start)
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        if not isinstance(error, (ValueError, TypeError, MemoryError)):
            reason = f"{type(error).__name__}, which should not happen: {reason}"
        return Outcome(job, error=f"{job.source}: {reason}", seconds=time.perf_counter() - start)
    return Outcome(job, outcome.text, outcome.facts, None, time.perf_counter() - start)
