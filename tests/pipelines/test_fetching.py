# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Recordings and results at addresses."""

import json
from pathlib import Path

import pytest
from addresses import memory, served  # noqa: F401
from pyannote.core import Annotation, Segment

from pyannote_diarizen import remote
from pyannote_diarizen.pipelines.batch import diarize_files, find_audio
from pyannote_diarizen.pipelines.journal import Journal
from pyannote_diarizen.remote import RemotePath

OUT = RemotePath("memory://out")


class Lengths:
    """Pipeline whose turn has one second per byte, and which keeps its paths."""

    def __init__(self) -> None:
        self.paths: list[Path] = []

    def __call__(self, file: dict) -> Annotation:
        self.paths.append(file["audio"])
        annotation = Annotation(uri=file["uri"])
        annotation[Segment(0, len(file["audio"].read_bytes()))] = "A"
        return annotation


@pytest.fixture
def calls(memory) -> dict[str, RemotePath]:  # noqa: F811
    for length in range(1, 10):
        memory.pipe_file(f"/calls/{length}.wav", b"-" * length)
    files, missing = find_audio([RemotePath("memory://calls")], OUT)
    assert not missing
    return files


def test_results_are_those_of_local_files(calls, memory, tmp_path):  # noqa: F811
    local = {}
    for uri in calls:
        local[uri] = tmp_path / f"{uri}.wav"
        local[uri].write_bytes(b"-" * int(uri))
    list(diarize_files(Lengths(), local, tmp_path / "out"))
    pipeline = Lengths()
    outcomes = list(diarize_files(pipeline, calls, OUT))
    assert [outcome.file for outcome in outcomes] == [*calls.values()]
    written = {path: memory.cat_file(path) for path in memory.find("/out")}
    assert written == {
        f"/out/{path.name}": path.read_bytes() for path in (tmp_path / "out").iterdir()
    }
    assert not any(path.exists() for path in pipeline.paths)


def test_copies_are_deleted_one_by_one(calls):
    pipeline = Lengths()
    for _ in diarize_files(pipeline, calls):
        assert not any(path.exists() for path in pipeline.paths[:-1])
    assert len({path.parent for path in pipeline.paths}) == len(calls)


def test_a_missing_recording_stops_no_other(calls, memory):  # noqa: F811
    memory.rm_file("/calls/4.wav")
    outcomes = diarize_files(Lengths(), calls, OUT)
    failed = [outcome.error for outcome in outcomes if outcome.error]
    assert failed == [f"'{calls['4']}' does not exist: check it."]
    assert len(memory.find("/out")) == 8


def test_a_full_disk_is_an_error_of_each_recording(calls, monkeypatch):
    def fail(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(remote, "TemporaryDirectory", fail)
    outcomes = list(diarize_files(Lengths(), calls))
    assert [outcome.file for outcome in outcomes] == [*calls.values()]
    assert all("No space left" in outcome.error for outcome in outcomes)


def test_a_folder_that_cannot_be_written_leaves_no_other(served, tmp_path):  # noqa: F811
    _, url = served
    folders = {".json": RemotePath(f"{url}/out")}
    with pytest.raises(OSError, match="cannot be written"):
        next(diarize_files(Lengths(), {}, tmp_path / "some" / "out", folders))
    assert not any(tmp_path.glob("some"))


def test_finished_files_are_known_to_a_second_journal(calls, memory):  # noqa: F811
    list(diarize_files(Lengths(), calls, OUT, journal=Journal(OUT, "settings")))
    again = Journal(OUT, "settings")
    assert all(again.is_finished(uri, path) for uri, path in calls.items())
    entry = json.loads(memory.cat_file("/out/finished/3.json"))
    assert entry["audio"] == str(calls["3"])
    memory.pipe_file("/calls/1.wav", b"changed")
    memory.pipe_file("/out/2.rttm", b"changed")
    memory.rm_file("/out/3.rttm")
    left = [uri for uri, path in calls.items() if not again.is_finished(uri, path)]
    assert left == ["1", "2", "3"]


def test_recordings_of_a_server(served, tmp_path):  # noqa: F811
    folder, url = served
    (folder / "a.wav").write_bytes(b"---")
    files, _ = find_audio([RemotePath(f"{url}/a.wav"), RemotePath(f"{url}/b.wav")])
    good, bad = diarize_files(Lengths(), files, tmp_path)
    assert good.diarization.get_timeline().extent().end == 3
    assert bad.error == f"'{url}/b.wav' does not exist: check it."


def test_names_come_from_the_ends_of_addresses(memory):  # noqa: F811
    for path in ("/one/a.wav", "/two/a.wav"):
        memory.pipe_file(path, b"-")
    files, _ = find_audio([RemotePath("memory://one"), RemotePath("memory://two")])
    assert list(files) == ["one_a", "two_a"]
