# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Pipeline that finds one speaker, and requests to a server that runs it."""

import io
import threading
import time

import numpy as np
import soundfile
from fastapi.testclient import TestClient
from pyannote.core import Annotation, Segment

from pyannote_diarizen.serving.app import create_app
from pyannote_diarizen.serving.service import Service


class OneSpeaker:
    """Pipeline that waits for `release` before it answers."""

    instantiated = True

    def __init__(self) -> None:
        self.release = threading.Event()
        self.release.set()
        self.calls = []

    def parameters(self, instantiated: bool) -> dict:
        return {}

    def __call__(self, file, hook, **options) -> Annotation:
        self.calls.append((file["uri"], options))
        hook("segmentation", None, file=file, total=2, completed=1)
        while not self.release.wait(0.01):
            hook("segmentation", None, file=file, total=2, completed=1)
        if file["uri"] == "broken":
            raise ValueError(f"'{file['audio']}' cannot be diarized")
        annotation = Annotation(uri=file["uri"])
        annotation[Segment(0.1, 0.4)] = "SPEAKER_00"
        return annotation


def audio_bytes(duration: float = 0.5, kind: str = "WAV") -> bytes:
    buffer = io.BytesIO()
    samples = 0.1 * np.random.default_rng(0).standard_normal(round(duration * 8000))
    soundfile.write(buffer, samples, 8000, format=kind)
    return buffer.getvalue()


def connect(pipeline, settings) -> TestClient:
    app = create_app(Service(pipeline, "one", settings))
    return TestClient(app, base_url="http://localhost")


def upload(client, name="monday.wav", content=None, **query):
    body = audio_bytes() if content is None else content
    return client.post("/jobs", params={"name": name, **query}, content=body)


def wait(client, job_id: str, *states: str) -> dict:
    for _ in range(500):
        job = client.get(f"/jobs/{job_id}").json()
        if job["state"] in (states or ("done", "failed")):
            return job
        time.sleep(0.01)
    raise AssertionError(job)
