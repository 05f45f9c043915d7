# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Uploads: forms, names, limits."""

import io
import socket
import time

import numpy as np
import pytest
import soundfile

pytest.importorskip("fastapi", reason="pip install 'pyannote-diarizen[serve]'")
from one_speaker import audio_bytes, upload, wait


def silence(duration: float) -> bytes:
    buffer = io.BytesIO()
    samples = np.zeros(round(duration * 8000))
    soundfile.write(buffer, samples, 8000, format="OGG", subtype="VORBIS")
    return buffer.getvalue()


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


def test_an_interrupted_upload_leaves_nothing(address, settings):
    with socket.create_connection(address, timeout=10) as connection:
        head = b"POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"
        connection.sendall(head + b"1234")
        while not [*settings.folder.glob(".*/audio")]:
            time.sleep(0.01)
    while [*settings.folder.glob(".*/audio")]:
        time.sleep(0.01)
