# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The server, with a pipeline that finds one speaker."""

import errno
import io
import json
import re
import signal
import socket
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from pyannote.core import Annotation, Segment

pytest.importorskip("fastapi", reason="pip install 'pyannote-diarizen[serve]'")
from fastapi.testclient import TestClient

from pyannote_diarizen.results.document import DiarizationDocument
from pyannote_diarizen.serving.app import create_app
from pyannote_diarizen.serving.jobs import FullQueueError, Job, Jobs
from pyannote_diarizen.serving.server import create_server
from pyannote_diarizen.serving.service import Service, Settings, is_loopback
from pyannote_diarizen.serving.uploads import Limits


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


def silence(duration: float) -> bytes:
    buffer = io.BytesIO()
    samples = np.zeros(round(duration * 8000))
    soundfile.write(buffer, samples, 8000, format="OGG", subtype="VORBIS")
    return buffer.getvalue()


@pytest.fixture
def pipeline():
    return OneSpeaker()


@pytest.fixture
def settings(tmp_path):
    limits = Limits(max_bytes=100_000, max_duration=10.0)
    return Settings(tmp_path / "serve", limits=limits, max_queue=2, grace=0.1)


@pytest.fixture
def client(pipeline, settings):
    with connect(pipeline, settings) as client:
        yield client


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


def test_from_upload_to_result(client, pipeline, settings):
    response = upload(client, num_speakers=2)
    assert response.status_code == 202
    job_id = response.json()["id"]
    job = wait(client, job_id)
    assert job["state"] == "done"
    assert job["duration"] == 0.5
    assert pipeline.calls == [("monday", {"num_speakers": 2})]
    result = client.get(f"/jobs/{job_id}/result")
    document = DiarizationDocument.from_dict(result.json())
    assert document.uri == "monday"
    assert document.pipeline["settings"] == {"num_speakers": 2}
    rttm = client.get(f"/jobs/{job_id}/result", params={"format": "rttm"})
    assert rttm.text.startswith("SPEAKER monday 1 0.100 0.300")
    assert "monday.rttm" in rttm.headers["content-disposition"]
    page = client.get(f"/jobs/{job_id}/result", params={"format": "html"})
    assert "Content-Security-Policy" in page.text
    # the recording is gone
    assert not [*settings.folder.glob("*/audio*")]
    assert client.delete(f"/jobs/{job_id}").status_code == 204
    assert client.get(f"/jobs/{job_id}").status_code == 404
    assert not [*settings.folder.glob("*/*")]


def test_a_form_is_read_too(client, pipeline):
    files = {"audio": ("monday.wav", audio_bytes(), "audio/wav")}
    job = client.post("/jobs", files=files).json()
    assert wait(client, job["id"])["uri"] == "monday"
    body = b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--B--\r\n'
    headers = {"Content-Type": "Multipart/Form-Data; boundary=B"}
    assert client.post("/jobs", content=body, headers=headers).status_code == 400
    assert client.post("/jobs", data={"a": "b"}, files={}).status_code == 415
    two = [("a", ("a.wav", audio_bytes())), ("b", ("b.wav", audio_bytes()))]
    response = client.post("/jobs", files=two)
    assert response.status_code == 400
    assert response.json()["detail"] == "Expected one file, got 2."


def test_events_describe_a_job_until_its_end(client, pipeline):
    pipeline.release.clear()
    job_id = upload(client).json()["id"]
    wait(client, job_id, "running")
    while not (progress := client.get(f"/jobs/{job_id}").json().get("progress")):
        time.sleep(0.01)
    assert progress == {"stage": "segmentation", "completed": 1, "total": 2}
    threading.Timer(0.1, pipeline.release.set).start()
    with client.stream("GET", f"/jobs/{job_id}/events") as response:
        text = "".join(response.iter_text())
    events = [event.split("\n") for event in text.strip().split("\n\n")]
    assert events[0][0] == "event: running"
    assert events[-1][0] == "event: done"
    assert json.loads(events[-1][1].removeprefix("data: "))["id"] == job_id


@pytest.mark.parametrize(
    ("content", "status", "detail"),
    [
        (b"", 400, "empty"),
        (b"no audio at all", 415, "'monday'"),
        (b"0" * 200_000, 413, "larger than 0.1 MB"),
        (audio_bytes(60.0, "FLAC")[:50] + bytes(100), 413, "lasts 60 s"),
        (silence(60.0), 413, "at most 10 s"),
    ],
)
def test_bad_recordings_are_refused(client, settings, content, status, detail):
    response = upload(client, content=content)
    assert response.status_code == status
    assert detail in response.json()["detail"]
    assert str(settings.folder) not in response.text
    assert [path.name for path in settings.folder.iterdir()] == ["serve.lock"]


def test_a_body_without_a_length_is_counted(client):
    pieces = (bytes(10_000) for _ in range(100))
    assert client.post("/jobs", content=pieces).status_code == 413


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\audio\\call.wav", "call"),
        ("..", "recording"),
        ("", "recording"),
        ("a b\0.wav", "a_b_"),
        ("<script>.wav", "<script>"),
    ],
)
def test_names_never_leave_the_folder(client, settings, name, uri):
    job = upload(client, name).json()
    assert wait(client, job["id"])["uri"] == uri
    assert {path.parent for path in settings.folder.parent.iterdir()} == {
        settings.folder.parent
    }
    assert len([*settings.folder.parent.iterdir()]) == 1


def test_a_name_that_is_too_long_is_refused(client):
    assert upload(client, "a" * 300).status_code == 400


def test_numbers_of_speakers_are_checked(client):
    assert upload(client, num_speakers=0).status_code == 422
    response = upload(client, num_speakers="two")
    assert response.json()["detail"].startswith("num_speakers: Input should be")
    assert 'refused_total{status="422"} 2.0' in client.get("/metrics").text
    response = upload(client, min_speakers=3, max_speakers=2)
    assert response.status_code == 422
    assert "min_speakers" in response.json()["detail"]


def test_a_full_queue_refuses(client, pipeline):
    pipeline.release.clear()
    first = upload(client).json()["id"]
    wait(client, first, "running")
    second, third = upload(client).json(), upload(client).json()
    assert (second["position"], third["position"]) == (1, 2)
    response = upload(client)
    assert response.status_code == 429
    assert response.headers["retry-after"]
    assert client.get(f"/jobs/{third['id']}/result").status_code == 409
    pipeline.release.set()
    assert wait(client, third["id"])["state"] == "done"


def test_errors_of_the_pipeline_are_those_of_the_job(client, settings):
    job = wait(client, upload(client, "broken.wav").json()["id"])
    assert job["error"] == "'broken' cannot be diarized"
    response = client.get(f"/jobs/{job['id']}/result")
    assert response.status_code == 410
    assert wait(client, upload(client).json()["id"])["state"] == "done"


def test_a_job_that_takes_too_long_fails(pipeline, settings):
    pipeline.release.clear()
    with connect(pipeline, replace(settings, max_seconds=0.05)) as client:
        job = wait(client, upload(client).json()["id"])
    assert "longer than 0.05 s" in job["error"]


def test_a_removed_job_is_interrupted(client, pipeline):
    pipeline.release.clear()
    first = upload(client).json()["id"]
    wait(client, first, "running")
    client.delete(f"/jobs/{first}")
    pipeline.release.set()
    assert wait(client, upload(client).json()["id"])["state"] == "done"


def test_jobs_survive_the_end_of_the_server(pipeline, settings):
    pipeline.release.clear()
    with connect(pipeline, settings) as client:
        first, second = (upload(client).json()["id"] for _ in range(2))
        wait(client, first, "running")
    pipeline.release.set()
    with connect(pipeline, settings) as client:
        assert wait(client, first)["state"] == "done"
        assert wait(client, second)["state"] == "done"


def test_after_a_crash_jobs_wait_again_or_are_lost(settings):
    jobs = Jobs(settings.folder, 5, 60.0)
    for name, attempts in zip("abcde", (1, 2, 1, 1, 1), strict=True):
        with jobs.receiving() as part:
            (part / "audio.wav").touch()
            jobs.add(part, Job(name, name, "audio.wav", 1.0))
        jobs.update(name, state="running", attempts=attempts)
    folder = settings.folder
    (folder / ".half").mkdir()
    (folder / "removed").mkdir()
    (folder / "removed" / "result.json").touch()
    (folder / "a" / ".half.json").touch()
    (folder / "c" / "audio.wav").unlink()
    (folder / "d" / "result.json").touch()
    (folder / "e" / "job.json").write_text("{")
    jobs.close()
    jobs = Jobs(folder, 5, 60.0)
    states = {job.id: job.state for job in jobs.all()}
    lost = dict.fromkeys("bce", "failed")
    assert states == {"a": "queued", **lost, "d": "done"}
    assert "stopped twice" in jobs.get("b").error
    assert "is gone" in jobs.get("c").error
    assert "is gone" in jobs.get("e").error
    names = sorted(str(path.relative_to(folder)) for path in folder.glob("*/*"))
    assert names == [
        *("a/audio.wav", "a/job.json", "b/job.json", "c/job.json"),
        *("d/job.json", "d/result.json", "e/job.json"),
    ]
    assert {each.name for each in folder.iterdir()} == {*"abcde", "serve.lock"}
    assert folder.stat().st_mode & 0o077 == 0
    with pytest.raises(OSError, match="Another server uses"):
        Jobs(settings.folder, 5, 60.0)
    jobs.close()


def test_a_folder_of_other_files_is_not_touched(tmp_path):
    (tmp_path / ".ssh").mkdir()
    with pytest.raises(OSError, match="not of a server"):
        Jobs(tmp_path, 5, 60.0)
    assert [path.name for path in tmp_path.iterdir()] == [".ssh"]


def test_uploads_have_a_place_in_the_queue(settings):
    jobs = Jobs(settings.folder, 1, 60.0)
    with jobs.receiving(), pytest.raises(FullQueueError), jobs.receiving():
        pass
    with jobs.receiving():
        pass
    jobs.close()


def test_a_full_disk_does_not_stop_the_server(client, pipeline, monkeypatch):
    pipeline.release.clear()
    first = upload(client).json()["id"]

    def fail(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("pyannote_diarizen.serving.jobs.write_file", fail)
        response = upload(client)
        assert response.status_code == 507
        assert response.json()["detail"] == "The disk of the server is full."
        pipeline.release.set()
        assert wait(client, first)["state"] == "done"
    assert wait(client, upload(client).json()["id"])["state"] == "done"


def test_nothing_stays_of_a_job_that_is_removed_while_it_is_written(
    client, pipeline, settings, monkeypatch
):
    def render(document, audio, with_sound):
        (job,) = client.app.state.service.jobs.all()
        client.app.state.service.jobs.remove(job.id)
        return "page"

    with monkeypatch.context() as patch:
        patch.setattr("pyannote_diarizen.serving.worker.render_page", render)
        job_id = upload(client).json()["id"]
        while client.get(f"/jobs/{job_id}").is_success:
            time.sleep(0.01)
    wait(client, upload(client).json()["id"])
    assert len([*settings.folder.glob("*/*")]) == 3


def test_a_server_that_processes_nothing_is_not_healthy(client):
    assert client.get("/health").is_success
    client.app.state.service.stop()
    assert client.get("/health").status_code == 503


def test_events_end_with_the_server(client, pipeline):
    pipeline.release.clear()
    job_id = upload(client).json()["id"]
    wait(client, job_id, "running")
    client.app.state.service.prepare_stop()
    assert "event: running" in client.get(f"/jobs/{job_id}/events").text


def test_old_results_are_removed(settings):
    jobs = Jobs(settings.folder, 5, max_age=0.0)
    with jobs.receiving() as part:
        jobs.add(part, Job("a", "a", "audio.wav", 1.0))
    jobs.remove_old()
    assert len(jobs.all()) == 1
    jobs.finish("a")
    time.sleep(0.01)
    jobs.remove_old()
    assert not jobs.all()
    jobs.close()


@pytest.fixture
def address(pipeline, settings, monkeypatch):
    """Host and port of a server in a thread."""
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr("pyannote_diarizen.serving.server._SILENCE", 0.1)
    service = Service(pipeline, "one", replace(settings, limits=Limits()))
    server = create_server(service, 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()
    server.handle_exit(signal.SIGTERM, None)
    thread.join()


def test_the_python_of_its_page_runs(address, tmp_path, monkeypatch, capsys):
    page = (Path(__file__).parents[2] / "docs" / "serve.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    Path("meeting.wav").write_bytes(audio_bytes())
    exec(code.replace("127.0.0.1:8000", "{}:{}".format(*address)), {})
    assert capsys.readouterr().out.endswith("done \nSPEAKER_00 0.1 0.4\n")


def test_connections_without_a_request_are_closed(address):
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(b"GET /jobs HTTP/1.1\r\n")
        assert connection.recv(1) == b""
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")


def test_an_interrupted_upload_leaves_nothing(address, settings):
    with socket.create_connection(address, timeout=10) as connection:
        head = b"POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"
        connection.sendall(head + b"1234")
        while not [*settings.folder.glob(".*/audio")]:
            time.sleep(0.01)
    while [*settings.folder.glob(".*/audio")]:
        time.sleep(0.01)


def test_a_token_is_needed(pipeline, settings):
    with connect(pipeline, replace(settings, token="secret")) as client:
        assert client.get("/health").status_code == 200
        assert client.get("/").status_code == 200
        assert client.get("/jobs").status_code == 401
        headers = {"Authorization": "Bearer secret"}
        assert client.get("/jobs", headers=headers).status_code == 200
        for wrong in (b"Bearer s\xe9cret", b"Bearer", b"Basic secret"):
            headers = {"Authorization": wrong}
            assert client.get("/jobs", headers=headers).status_code == 401


def test_other_sites_are_refused(client):
    for origin in ("https://evil.example", "null", "http://["):
        response = client.get("/jobs", headers={"Origin": origin})
        assert response.status_code == 403
    assert client.get("/jobs", headers={"Origin": "http://localhost"}).is_success
    assert client.get("/jobs", headers={"Host": "evil.example"}).status_code == 400


def test_metrics_count(client):
    wait(client, upload(client).json()["id"])
    upload(client, content=b"")
    text = client.get("/metrics").text
    assert 'pyannote_diarizen_jobs_total{state="done"} 1.0' in text
    assert "pyannote_diarizen_audio_seconds_total 0.5" in text
    assert 'pyannote_diarizen_refused_total{status="400"} 1.0' in text


def test_the_page_loads_its_own_files_only(client):
    page = client.get("/")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    for name in ("upload.js", "upload.css"):
        assert name in page.text
        assert client.get(f"/{name}").is_success
    assert client.get("/upload.py").status_code == 404
    assert client.get("/docs").status_code == 404
    assert "/jobs/{job_id}/result" in client.get("/openapi.json").json()["paths"]
    assert client.get("/jobs/x/result", params={"format": "exe"}).status_code == 404


def test_addresses_of_this_machine():
    assert is_loopback("127.0.0.1")
    assert is_loopback("localhost")
    assert is_loopback("::1")
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("example.org")
