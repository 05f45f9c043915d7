# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Queue of recordings in a folder, which survives a crash at any moment.

A job is a folder: `job.json`, the recording until it is diarized, and the result after.
Uploads are written to a hidden folder, which is renamed once it is complete; a job that
is removed is renamed to a hidden folder first. After a crash, hidden folders and files
are removed, all others are complete.
"""

import json
import logging
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from threading import Condition
from typing import Any, Literal

from filelock import FileLock, Timeout

from pyannote_diarizen.atomic import write_file

State = Literal["queued", "running", "done", "failed"]

MAX_ATTEMPTS = 2
"""Number of times that a job is begun: one that stops the server stops it twice."""

RESULT, PAGE = "result.json", "result.html"
_JOB, _LOCK, _HIDDEN = "job.json", "serve.lock", "."

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """A recording to diarize.

    Parameters
    ----------
    id : str
        Name of its folder.
    uri : str
        Name of the recording in results.
    audio : str
        Name of the file in the folder.
    duration : float
        In seconds.
    options : Mapping
        Options of the call of the pipeline.
    state : {"queued", "running", "done", "failed"}
    attempts : int
        Number of times that the job was begun.
    created, finished : float
        Seconds since 1970; `finished` is None before the end.
    error : str, optional
        Why the job failed.
    progress : Mapping
        `stage`, `completed` and `total` of a running job.
    """

    id: str
    uri: str
    audio: str
    duration: float
    options: Mapping[str, Any] = field(default_factory=dict)
    state: State = "queued"
    attempts: int = 0
    created: float = field(default_factory=time.time)
    finished: float | None = None
    error: str | None = None
    progress: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_finished(self) -> bool:
        """Whether the job is done or has failed."""
        return self.state in ("done", "failed")


class FullQueueError(Exception):
    """The queue is full."""


class Jobs:
    """Jobs of one folder, in the order of their arrival.

    Parameters
    ----------
    folder : Path
        Created if it does not exist, for this user only. One server at a time uses it.
    max_queue : int
        Maximum number of jobs that wait or are uploaded.
    max_age : float
        Seconds after which finished jobs are removed.

    Raises
    ------
    OSError
        If another server uses the folder, if it holds other files, or if it cannot be
        created.
    """

    def __init__(self, folder: Path, max_queue: int, max_age: float) -> None:
        self.folder, self.max_queue, self.max_age = folder, max_queue, max_age
        self.changed = Condition()
        self._jobs: dict[str, Job] = {}
        self._num_uploads = 0
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # `_recover` removes what it does not know
        if any(folder.iterdir()) and not (folder / _LOCK).exists():
            raise OSError(
                f"'{folder}' holds files that are not of a server: give a new --folder."
            )
        # released by another thread
        self._lock = FileLock(folder / _LOCK, thread_local=False)
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            raise OSError(
                f"Another server uses '{folder}': stop it, or give another --folder."
            ) from None
        self._recover()

    def _recover(self) -> None:
        """Read the jobs of a former server; those that ran wait again, or failed."""
        found = []
        for folder in filter(Path.is_dir, self.folder.iterdir()):
            if folder.name.startswith(_HIDDEN) or not (folder / _JOB).exists():
                shutil.rmtree(folder, ignore_errors=True)
                continue
            for half in folder.glob(f"{_HIDDEN}*"):
                half.unlink()
            found.append(_read(folder))
        for job in sorted(found, key=lambda each: each.created):
            self._jobs[job.id] = job
            if job.is_finished:
                continue
            if self.path(job, RESULT).exists():
                self.finish(job.id)
            elif not self.path(job, job.audio).exists():
                self.finish(job.id, "Lost: its recording is gone. Upload it again.")
            elif job.state == "running" and job.attempts >= MAX_ATTEMPTS:
                error = "Lost: the server stopped twice while it ran. Upload it again."
                self.finish(job.id, error)
            elif job.state == "running":
                self.update(job.id, state="queued", progress={})

    def close(self) -> None:
        """Release the folder for another server."""
        self._lock.release()

    def get(self, job_id: str) -> Job | None:
        """Find a job."""
        with self.changed:
            return self._jobs.get(job_id)

    def all(self) -> list[Job]:
        """Return all jobs, the oldest first."""
        with self.changed:
            return list(self._jobs.values())

    def waiting(self) -> list[Job]:
        """Return the jobs that wait, the next one first."""
        return [job for job in self.all() if job.state == "queued"]

    def path(self, job: Job, name: str) -> Path:
        """Path of a file of a job."""
        return self.folder / job.id / name

    @contextmanager
    def receiving(self) -> Iterator[Path]:
        """Yield a hidden folder for an upload, removed unless `add` has moved it.

        Raises
        ------
        FullQueueError
            If too many jobs wait or are uploaded.
        """
        with self.changed:
            if len(self.waiting()) + self._num_uploads >= self.max_queue:
                raise FullQueueError
            self._num_uploads += 1
        part = self.folder / f"{_HIDDEN}{uuid.uuid4().hex}"
        try:
            part.mkdir()
            yield part
        finally:
            with self.changed:
                self._num_uploads -= 1
            shutil.rmtree(part, ignore_errors=True)

    def add(self, part: Path, job: Job) -> None:
        """Add a job, whose recording is in the hidden folder `part`."""
        with self.changed:
            _write(part / _JOB, job)
            part.rename(self.folder / job.id)
            self._jobs[job.id] = job
            self.changed.notify_all()

    def update(self, job_id: str, **changes: Any) -> None:
        """Change fields of a job, also on disk if it is more than progress.

        If the disk is full, the server goes on; only after a crash, the job has its
        former state.
        """
        with self.changed:
            if (job := self._jobs.get(job_id)) is None:  # removed meanwhile
                return
            job = self._jobs[job_id] = replace(job, **changes)
            if changes.keys() != {"progress"}:
                try:
                    _write(self.path(job, _JOB), job)
                except OSError as error:
                    _LOG.warning("Job %s is not written: %s", job_id, error)
            self.changed.notify_all()

    def finish(self, job_id: str, error: str | None = None) -> None:
        """Mark a job as done or failed, and remove its recording."""
        if job := self.get(job_id):  # first, since it makes room on a full disk
            self.path(job, job.audio).unlink(missing_ok=True)
        state = "done" if error is None else "failed"
        self.update(job_id, state=state, error=error, finished=time.time(), progress={})

    def remove(self, job_id: str) -> None:
        """Remove a job and its files, also those that were written after a removal."""
        hidden = self.folder / f"{_HIDDEN}{uuid.uuid4().hex}"
        with self.changed:
            self._jobs.pop(job_id, None)
            with suppress(FileNotFoundError):
                (self.folder / job_id).rename(hidden)
            self.changed.notify_all()
        shutil.rmtree(hidden, ignore_errors=True)

    def remove_old(self) -> None:
        """Remove the jobs that finished more than `max_age` seconds ago."""
        limit = time.time() - self.max_age
        for job in self.all():
            if job.finished is not None and job.finished < limit:
                self.remove(job.id)


def _read(folder: Path) -> Job:
    """Read a job; of one that a power failure damaged, only the id is kept."""
    try:
        return Job(**json.loads((folder / _JOB).read_text(encoding="utf-8")))
    except (OSError, TypeError, ValueError):
        for file in folder.iterdir():
            file.unlink()
        return Job(folder.name, "unknown", "audio", 0.0)


def _write(path: Path, job: Job) -> None:
    write_file(json.dumps(asdict(job)), path)
