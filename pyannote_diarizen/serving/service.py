# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""State of a server: settings, jobs, worker and metrics."""

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from anyio import CapacityLimiter

from pyannote_diarizen.serving.counters import Metrics
from pyannote_diarizen.serving.jobs import Jobs
from pyannote_diarizen.serving.uploads import Limits
from pyannote_diarizen.serving.worker import Worker


@dataclass(frozen=True)
class Settings:
    """Options of a server.

    Parameters
    ----------
    folder : Path
        Queue and results.
    host : str
        Address that the server listens to.
    token : str, optional
        Token that requests need.
    limits : Limits
    max_queue : int
        Maximum number of jobs that wait.
    max_seconds : float
        Maximum processing time of a job.
    max_age : float
        Seconds after which finished jobs are removed.
    grace : float
        Seconds that a running job has to finish when the server stops.
    """

    folder: Path
    host: str = "127.0.0.1"
    token: str | None = None
    limits: Limits = field(default_factory=Limits)
    max_queue: int = 100
    max_seconds: float = 4 * 3600.0
    max_age: float = 24 * 3600.0
    grace: float = 30.0


class Service:
    """Jobs of a server, and what processes and counts them.

    Parameters
    ----------
    pipeline : callable
        Maps a file to an output with `speaker_diarization`, or to an `Annotation`.
    name : str
        Name of the pipeline in results.
    settings : Settings

    Raises
    ------
    OSError
        If the folder cannot be used.
    """

    def __init__(
        self, pipeline: Callable[..., Any], name: str, settings: Settings
    ) -> None:
        self.settings, self.is_stopping = settings, False
        self.jobs = Jobs(settings.folder, settings.max_queue, settings.max_age)
        self.metrics = Metrics(self.jobs)
        # a compressed recording is decoded to learn its duration
        self.decoding = CapacityLimiter(2)
        self._worker = Worker(
            pipeline, name, self.jobs, settings.max_seconds, self.metrics.finish
        )

    def start(self) -> None:
        """Begin to process jobs."""
        self._worker.start()

    @property
    def is_working(self) -> bool:
        """Whether jobs are processed: not before `start`, nor after a fault."""
        return self._worker.is_alive

    def prepare_stop(self) -> None:
        """End streams of events; at the second call, interrupt the running job."""
        if self.is_stopping:
            self._worker.interrupt()
        self.is_stopping = True

    def stop(self) -> None:
        """Finish the running job if there is time, and leave the others."""
        self._worker.stop(self.settings.grace)
        self.jobs.close()


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach an address."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
