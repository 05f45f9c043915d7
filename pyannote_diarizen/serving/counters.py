# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Metrics of the server, in the format of Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from pyannote_diarizen.serving.jobs import Job, Jobs


class Metrics:
    """Counters of jobs, audio, processing time and refused requests.

    Parameters
    ----------
    jobs : Jobs
    """

    def __init__(self, jobs: Jobs) -> None:
        registry = self._registry = CollectorRegistry()
        prefix = "pyannote_diarizen"
        waiting = Gauge(f"{prefix}_jobs_waiting", "Jobs that wait", registry=registry)
        waiting.set_function(lambda: len(jobs.waiting()))
        self._finished = Counter(
            f"{prefix}_jobs", "Jobs that finished", ["state"], registry=registry
        )
        self._audio = Counter(
            f"{prefix}_audio_seconds", "Audio that was diarized", registry=registry
        )
        self._processing = Counter(
            f"{prefix}_processing_seconds", "Processing time", registry=registry
        )
        self._refused = Counter(
            f"{prefix}_refused", "Refused requests", ["status"], registry=registry
        )

    def finish(self, job: Job, seconds: float) -> None:
        """Count a job and its processing time."""
        self._finished.labels(job.state).inc()
        self._processing.inc(seconds)
        if job.state == "done":
            self._audio.inc(job.duration)

    def refuse(self, status: int) -> None:
        """Count a refused request."""
        self._refused.labels(str(status)).inc()

    def text(self) -> str:
        """Return all values."""
        return generate_latest(self._registry).decode()
