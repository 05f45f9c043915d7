# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Prepared data stay on disk for no longer than they are needed."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from lightning.pytorch import Trainer
from pyannote.audio.core.task import Task
from pyannote.audio.tasks import SpeakerDiarization
from pyannote.core import Annotation, Segment, Timeline
from pyannote.database.protocol import SpeakerDiarizationProtocol

from pyannote_diarizen.models import FBankConformer
from pyannote_diarizen.tasks.powerset_diarization import PowersetDiarization

OPTIONS = {"duration": 2.0, "max_speakers_per_chunk": 2, "num_workers": 0}


class OneFile(SpeakerDiarizationProtocol):
    """A single conversation, of which the audio is never read."""

    name = "Conversations.SpeakerDiarization.One"

    def train_iter(self):
        """Yield it."""
        annotation = Annotation(uri="one")
        annotation[Segment(0, 3)], annotation[Segment(2, 5)] = "a", "b"
        yield {
            "uri": "one",
            "database": "Conversations",
            "scope": "file",
            "audio": "one.wav",
            "annotated": Timeline([Segment(0, 5)], uri="one"),
            "annotation": annotation,
        }

    development_iter = train_iter


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch) -> Path:
    """Folder of temporary files, empty."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def make_task(**options) -> PowersetDiarization:
    task = PowersetDiarization(OneFile(), **OPTIONS, **options)
    task.model = FBankConformer(attention_in=8, ffn_hidden=8, num_layer=1, task=task)
    return task


def test_pyannote_leaves_its_cache(temporary: Path):
    task = SpeakerDiarization(OneFile(), **OPTIONS)
    task.prepare_data()
    task.setup()
    assert len(list(temporary.iterdir())) == 1


def test_a_temporary_cache_is_removed_once_it_is_read(temporary: Path):
    task = make_task()
    task.prepare_data()
    assert len(list(temporary.iterdir())) == 1
    for _ in range(2):  # once more when a training is resumed
        task.setup()
        assert list(temporary.iterdir()) == []
        assert len(task.prepared_data["annotations-segments"]) == 4
        task.prepare_data()


def test_other_processes_read_it_first(temporary: Path, monkeypatch):
    task, other = make_task(), make_task()
    task.prepare_data()
    strategy = Trainer(accelerator="cpu", logger=False).strategy
    task.trainer = other.trainer = type("Two", (), {"strategy": strategy})
    monkeypatch.setattr(strategy, "broadcast", lambda path: task.cache)

    def wait(name: str) -> None:
        monkeypatch.setattr(strategy, "barrier", lambda name: None)
        other.setup("fit")

    monkeypatch.setattr(strategy, "barrier", wait)
    task.setup("fit")
    segments = [each.prepared_data["annotations-segments"] for each in (task, other)]
    np.testing.assert_array_equal(*segments)
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("step", ["prepare_data", "setup"])
def test_a_temporary_cache_is_removed_if_something_fails(
    temporary: Path, monkeypatch, step: str
):
    def fail(*arguments):
        assert len(list(temporary.iterdir())) == 1
        raise KeyboardInterrupt

    task = make_task()
    if step == "setup":
        task.prepare_data()
    monkeypatch.setattr(Task, step, fail)
    with pytest.raises(KeyboardInterrupt):
        getattr(task, step)()
    assert list(temporary.iterdir()) == []
    assert task.cache is None


def test_a_cache_that_was_asked_for_is_kept(temporary: Path):
    cache = temporary / "folder" / "cache.npz"
    task = make_task(cache=cache)
    task.prepare_data()
    written = cache.read_bytes()
    task.setup()
    task.prepare_data()
    assert cache.read_bytes() == written
    assert list(temporary.iterdir()) == [cache.parent]
