# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Several processes on one machine, and on a Ray cluster."""

import json
import os
import shutil
import sys
import time
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from pyannote_diarizen.errors import MissingPackagesError
from pyannote_diarizen.pipelines import cluster, processes
from pyannote_diarizen.pipelines.batch import diarize_files
from pyannote_diarizen.pipelines.cluster import connect, diarize_on_ray
from pyannote_diarizen.pipelines.journal import Journal
from pyannote_diarizen.pipelines.processes import diarize_on_devices

import killed_pipeline  # isort: skip


class KilledError(BaseException):
    """What stands for the death of a process."""


class SameProcess(Executor):
    """Executor without a process, which files of some names break."""

    starts = 0

    def __init__(self, **_: object) -> None:
        type(self).starts += 1
        processes._workers.clear()

    def submit(self, function, *arguments):
        future = Future()
        try:
            future.set_result(function(*arguments))
        except KilledError:
            future.set_exception(BrokenProcessPool("killed"))
        except ValueError as error:
            future.set_exception(error)
        return future


@pytest.fixture
def load(tmp_path, monkeypatch):
    def kill(*_: object) -> None:
        raise KilledError

    monkeypatch.setattr(SameProcess, "starts", 0)
    monkeypatch.setattr(processes, "ProcessPoolExecutor", SameProcess)
    monkeypatch.setattr(processes, "keep_freed_memory", lambda: None)
    monkeypatch.setattr(processes, "show_warnings_as_sentences", lambda: None)
    monkeypatch.setattr(killed_pipeline.os, "kill", kill)
    marks = tmp_path / "marks"
    marks.mkdir()
    return partial(killed_pipeline.load, marks)


def paths(*names: str) -> dict[str, Path]:
    return {name: Path(f"{name}.wav") for name in names}


def test_a_killed_process_costs_its_file_again(load, tmp_path):
    files = paths("a", "once", "b")
    outcomes = list(diarize_on_devices(load, ["cpu"], files, into=tmp_path / "out"))
    assert {outcome.file for outcome in outcomes} == {*files.values()}
    assert all(outcome.error is None for outcome in outcomes)
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == ["a.rttm", "b.rttm", "once.rttm"]
    marks = (tmp_path / "marks").iterdir()
    calls = {mark.name: mark.read_text().split() for mark in marks}
    assert calls == {"a": ["cpu"], "once": ["cpu", "cpu"], "b": ["cpu"]}
    assert SameProcess.starts == 2


def test_a_file_that_kills_each_time_stops_no_other(load):
    outcomes = list(diarize_on_devices(load, ["cpu"], paths("always", "a")))
    assert [outcome.error is None for outcome in outcomes] == [False, True]
    assert "'always.wav' is not diarized: its process was killed twice" in (
        outcomes[0].error
    )


@pytest.mark.parametrize("error", [ValueError, RuntimeError, MemoryError])
@pytest.mark.usefixtures("load")
def test_a_pipeline_that_cannot_be_loaded_is_an_error_of_the_file(error):
    def fail(device: str) -> None:
        raise error("no such device")

    (outcome,) = diarize_on_devices(fail, ["none"], paths("a"))
    assert outcome.error == "'a.wav' is not diarized: no such device"


@pytest.mark.usefixtures("load")
def test_another_fault_of_loading_is_raised():
    def fail(device: str) -> None:
        raise KeyError("part")

    with pytest.raises(KeyError, match="part"):
        list(diarize_on_devices(fail, ["cpu"], paths("a", "b")))


def test_closed_outcomes_start_no_more_files(load, tmp_path):
    def slow(device: str):
        def pipeline(file):
            time.sleep(0.005)
            return load(device)(file)

        return pipeline

    files = paths(*(f"file{index}" for index in range(50)))
    outcomes = diarize_on_devices(slow, ["cpu"], files)
    next(outcomes)
    outcomes.close()
    started = len(list((tmp_path / "marks").iterdir()))
    time.sleep(0.05)
    assert len(list((tmp_path / "marks").iterdir())) == started < len(files)


def test_a_cluster_needs_ray(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingPackagesError, match=r"pyannote-diarizen\[ray\]"):
        connect("local")


@pytest.mark.slow
def test_two_processes_share_the_files(tmp_path):
    marks = tmp_path / "marks"
    marks.mkdir()
    load = partial(killed_pipeline.load, marks)
    files = paths("a", "once", "b", "c")
    outcomes = list(diarize_on_devices(load, ["cpu", "cpu"], files))
    assert {outcome.file for outcome in outcomes} == {*files.values()}
    assert [outcome.error for outcome in outcomes] == [None] * 4


@pytest.fixture
def ray(monkeypatch):
    module = pytest.importorskip("ray")
    # paths of sockets have at most 107 characters
    folder = Path("/tmp", f"ray{os.getpid()}")
    monkeypatch.setenv("RAY_TMPDIR", str(folder))
    monkeypatch.setenv("PYTHONPATH", ":".join(sys.path))
    yield module
    module.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
@pytest.mark.usefixtures("ray")
def test_a_killed_worker_of_a_cluster_costs_its_file_again(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster.os, "cpu_count", lambda: 2)
    marks = tmp_path / "marks"
    marks.mkdir()
    load = partial(killed_pipeline.load, marks)
    files = {f"file{index:02d}": tmp_path / f"{index:02d}.wav" for index in range(23)}
    files["once"] = tmp_path / "once.wav"
    for path in files.values():
        path.write_bytes(b"")
    journal = Journal(tmp_path / "out", "settings")
    outcomes = diarize_on_ray(load, "local", files, tmp_path / "out", journal=journal)
    assert {outcome.file for outcome in outcomes} == {*files.values()}
    calls = {mark.name: len(mark.read_text().split()) for mark in marks.iterdir()}
    assert calls == {**dict.fromkeys(files, 1), "once": 2}
    plain = tmp_path / "plain"
    list(diarize_files(load("cpu"), files, plain))
    for path in plain.iterdir():
        assert (tmp_path / "out" / path.name).read_text() == path.read_text()
    lines = (tmp_path / "out" / "finished.jsonl").read_text().splitlines()
    assert sorted(json.loads(line)["uri"] for line in lines) == sorted(files)
    again = Journal(tmp_path / "out", "settings")
    assert all(again.is_finished(uri, path) for uri, path in files.items())


def test_without_files_no_cluster_is_needed(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert list(diarize_on_ray(killed_pipeline.load, "local", {})) == []


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "host:port"])
def test_no_cluster_at_an_address(address, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(init=pytest.fail))
    with pytest.raises(
        ValueError, match=f"No Ray cluster can be reached at '{address}"
    ):
        connect(address)
