# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Thread that diarizes one recording after the other."""

import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Any

from pyannote_diarizen.atomic import write_file
from pyannote_diarizen.audio.decoding import decode_path
from pyannote_diarizen.results.confidence import add_confidence
from pyannote_diarizen.results.document import DiarizationDocument, describe_pipeline
from pyannote_diarizen.results.page import render_page
from pyannote_diarizen.serving.jobs import PAGE, RESULT, Job, Jobs


class _InterruptionError(Exception):
    """The server stops, or the job was removed."""


class Worker:
    """Diarization of queued jobs.

    Parameters
    ----------
    pipeline : callable
        Maps a file to an output with `speaker_diarization`, or to an `Annotation`.
    name : str
        Name of the pipeline in results.
    jobs : Jobs
    max_seconds : float
        Maximum processing time of one job.
    observe : callable
        Called with each finished job and its processing time in seconds.
    """

    def __init__(
        self,
        pipeline: Callable[..., Any],
        name: str,
        jobs: Jobs,
        max_seconds: float,
        observe: Callable[[Job, float], None],
    ) -> None:
        self.pipeline, self.name, self.jobs = pipeline, name, jobs
        self.max_seconds, self.observe = max_seconds, observe
        self._stopping, self._interrupted = Event(), Event()
        self._thread = Thread(target=self._run, daemon=True, name="diarization")

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def interrupt(self) -> None:
        """Leave the running job to the next server, at its next report of progress."""
        self._interrupted.set()

    def stop(self, grace: float) -> None:
        """Stop; after `grace` seconds, a running job is interrupted."""
        self._stopping.set()
        with self.jobs.changed:
            self.jobs.changed.notify_all()
        self._thread.join(grace)
        self.interrupt()
        self._thread.join(grace)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.jobs.remove_old()
            with self.jobs.changed:
                waiting = self.jobs.waiting()
                if not waiting:
                    self.jobs.changed.wait(timeout=60)
                    continue
            self._process(waiting[0])

    def _process(self, job: Job) -> None:
        """Diarize a job, and write its result."""
        started = time.monotonic()

        def hook(
            stage: str,
            artifact: Any,
            file: Any = None,
            total: int | None = None,
            completed: int | None = None,
        ) -> None:
            if self._interrupted.is_set() or self.jobs.get(job.id) is None:
                raise _InterruptionError
            if time.monotonic() - started > self.max_seconds:
                raise TimeoutError(f"It took longer than {self.max_seconds:g} s.")
            progress = {"stage": stage, "completed": completed, "total": total}
            self.jobs.update(job.id, progress=progress)

        self.jobs.update(job.id, state="running", attempts=job.attempts + 1)
        try:
            self._diarize(job, hook)
        except _InterruptionError:
            attempts = job.attempts  # the job did not fail
            self.jobs.update(job.id, state="queued", attempts=attempts, progress={})
            return
        except Exception as error:  # noqa: BLE001 - the server goes on
            message = str(error) or type(error).__name__
            # folders of the server are not for its users
            text = message.replace(str(self.jobs.path(job, job.audio)), job.uri)
            self.jobs.finish(job.id, text)
        else:
            self.jobs.finish(job.id)
        finally:
            decode_path.cache_clear()  # else it keeps the last recording
        if finished := self.jobs.get(job.id):
            self.observe(finished, time.monotonic() - started)
        else:
            self.jobs.remove(job.id)  # removed while its result was written

    def _diarize(self, job: Job, hook: Callable[..., None]) -> None:
        audio = self.jobs.path(job, job.audio)
        output = self.pipeline(
            {"uri": job.uri, "audio": audio}, hook=hook, **job.options
        )
        document = DiarizationDocument.from_output(
            output,
            uri=job.uri,
            duration=job.duration,
            pipeline=describe_pipeline(self.pipeline, self.name, job.options),
        )
        document = add_confidence(
            document,
            getattr(self.pipeline, "turn_confidence", None),
            getattr(output, "features", None),
        )
        contents = {
            PAGE: render_page(document, audio, with_sound=True),
            RESULT: document.to_json(),
        }
        for name, content in contents.items():
            write_file(content, self.jobs.path(job, name))
