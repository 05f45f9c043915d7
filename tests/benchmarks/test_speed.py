# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The table of docs/speed.md."""

import numpy as np
import soundfile
from pyannote.audio.models.embedding import WeSpeakerResNet34

from pyannote_diarizen.evaluation.profiling import Profile, Stage, stock_pipeline
from pyannote_diarizen.pipelines import DiariZen


def test_the_start_is_apart(load_benchmark):
    benchmark = load_benchmark("speed")
    stages = [
        Stage("start", 2.0, 3.0, 1 << 30),
        Stage("segmentation", 6.0, 12.0, 2 << 30),
    ]
    cells = benchmark.row(2, Profile("exact", 120.0, 2, "", stages))
    assert len(cells) == len(benchmark.HEADER)
    assert cells == ["2", "exact", "2.0", "6.0", "0.0500", "12.0", "6.00", "2048"]


def test_conversations_are_repeated(load_benchmark, tmp_path, monkeypatch, rng):
    benchmark = load_benchmark("speed")
    excerpt = tmp_path / "excerpt.wav"
    soundfile.write(excerpt, rng.uniform(-0.5, 0.5, 24000), 16000)
    monkeypatch.setattr(benchmark, "conversations", lambda: {"some": [excerpt]})
    benchmark.write_meeting(tmp_path / "meeting.wav", 0.1)
    samples, rate = soundfile.read(tmp_path / "meeting.wav")
    assert len(samples) / rate == 6.0
    levels = samples.reshape(4, -1).std(axis=1)
    assert len(np.unique(levels.round(4))) == 4


def test_pipelines_with_the_embedding_of_the_host(load_benchmark, tmp_path):
    load_benchmark("speed").write_wespeaker_pipeline(tmp_path)
    pipeline = DiariZen.from_pretrained(tmp_path)
    for each in (pipeline, stock_pipeline(pipeline)):
        assert isinstance(each._embedding.model_, WeSpeakerResNet34)
        assert each.parameters(instantiated=True)["clustering"]
