"""Jobs side by side in processes of their own, which Ctrl-C ends tidily."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice

from anew.cli.attempt import Outcome, Work, attempt
from anew.cli.jobs import Job
from anew.threads import thread_count

GRACE = 1.0  # seconds that workers have to remove what is half written, after Ctrl-C


def outcomes(
    jobs: list[Job], work: Work, processes: int, prepare: Callable[[Job], Job]
) -> Generator[Outcome, None, None]:
    """Run jobs, in this process or side by side, and give what came of each as it is done.

    Parameters
    ----------
    jobs : list of Job
    work : function of a Job
        Picklable, if there are several processes.
    processes : int
    prepare : function of a Job
        Completes each job in this process, in their order, shortly before its turn.
    """
    if processes == 1 or len(jobs) <= 1:
        for job in jobs:
            yield replace(attempt(work, prepare(job)), job=job)
        return
    import multiprocessing

    workers = min(processes, len(jobs))
    threads = max(1, thread_count() // workers)
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_set_up_worker, initargs=(threads,))
    coming = iter(jobs)
    running: dict[Future[Outcome], Job] = {}
    try:
        while True:
            for job in islice(coming, 2 * workers - len(running)):
                running[_submitted(pool, work, prepare(job))] = job
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                job = running.pop(future)
                try:
                    yield replace(future.result(), job=job)
                except (BrokenExecutor, OSError):  # with one killed, most likely for memory, all that is left is lost
                    what = "a process ended early, most likely for want of memory; run it again with fewer --jobs"
                    yield Outcome(job, error=f"{job.source}: {what}")
    except BaseException:  # Ctrl-C above all; the pool itself would wait for the jobs that have begun
        _end_workers()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _submitted(pool: ProcessPoolExecutor, work: Work, job: Job) -> Future[Outcome]:
    try:
        with _interrupts_held():  # a worker that it starts leaves Ctrl-C to this process
            return pool.submit(_attempt_in_worker, work, job)
    except BrokenExecutor as error:
        lost: Future[Outcome] = Future()
        lost.set_exception(error)
        return lost


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Put Ctrl-C off, for this thread and for good in the processes that it starts."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _attempt_in_worker(work: Work, job: Job) -> Outcome:
    try:
        return attempt(work, job)
    except SystemExit:  # told to end; what was half written is removed by now, and the pool would go on
        os._exit(1)


def _set_up_worker(threads: int) -> None:
    """Give a worker its share of the cores, and let it end when this process says so, and then tidily."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(threads)
    import cv2

    cv2.setNumThreads(threads)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))


def _end_workers() -> None:
    import multiprocessing

    workers = multiprocessing.active_children()
    for worker in workers:
        worker.terminate()
    end = time.monotonic() + GRACE
    for worker in workers:
        worker.join(max(0.0, end - time.monotonic()))
        worker.kill()  # one that is deep in compiled code writes nothing
