# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The server: results, events, access, connections."""

import json
import re
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="pip install 'pyannote-diarizen[serve]'")
from one_speaker import audio_bytes, connect, upload, wait

from pyannote_diarizen.results.document import DiarizationDocument
from pyannote_diarizen.serving.service import is_loopback


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


def test_numbers_of_speakers_are_checked(client):
    assert upload(client, num_speakers=0).status_code == 422
    response = upload(client, num_speakers="two")
    assert response.json()["detail"].startswith("num_speakers: Input should be")
    assert 'refused_total{status="422"} 2.0' in client.get("/metrics").text
    response = upload(client, min_speakers=3, max_speakers=2)
    assert response.status_code == 422
    assert "min_speakers" in response.json()["detail"]


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
