# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Networks on several short files at once."""

import pytest
from tone_model import ToneModel, ToneSegmentation
from tone_pipeline import write_tones

from pyannote_diarizen.pipelines.batch import diarize_files
from pyannote_diarizen.pipelines.batches import CPU_BATCH

TURNS = {
    "two": [(0.2, 1.3, 0), (1.5, 2.4, 1)],
    "silent": [],
    "overlap": [(0.3, 2.8, 1), (1.4, 3.9, 2)],
    "long": [(start, start + 1.1, start % 3) for start in range(0, 24, 2)],
    "short": [(0.2, 0.5, 2)],
    "last": [(0.2, 2.4, 2), (2.5, 4.0, 0)],
}


@pytest.fixture
def files(tmp_path):
    paths = {name: tmp_path / f"{name}.wav" for name in [*TURNS, "bad", "gone"]}
    for name, turns in TURNS.items():
        write_tones(paths[name], turns)
    paths["bad"].write_text("not audio")
    return dict(sorted(paths.items()))


def one_by_one(pipeline, files, **options):
    return list(diarize_files(lambda *a, **b: pipeline(*a, **b), files, **options))


@pytest.mark.parametrize("powerset", [True, False])
def test_results_are_those_of_one_file_after_the_other(build, files, powerset):
    pipeline = build(segmentation=ToneSegmentation(powerset).eval())
    expected = one_by_one(pipeline, files, channel=0)
    outcomes = list(diarize_files(pipeline, files, channel=0))
    for outcome, alone in zip(outcomes, expected, strict=True):
        assert (outcome.file, outcome.error) == (alone.file, alone.error)
        assert outcome.diarization == alone.diarization
        if outcome.error is None:
            features = outcome.output.features
            assert (features.embedding == alone.output.features.embedding).all()
    assert sum(outcome.error is not None for outcome in outcomes) == 2


def test_results_come_before_all_files_are_read(build, files):
    pipeline = build(segmentation_batch_size=2)
    seen = []

    def names():
        for _ in range(20):
            seen.append("short")
            yield {"uri": "short", "audio": files["short"]}

    next(pipeline.load_together(names()))
    assert len(seen) == 8  # four batches of two chunks


def test_an_error_of_the_networks_is_one_of_its_file(build, files, monkeypatch):
    amplitudes = ToneModel.amplitudes

    def fail_on_noise(model, waveforms):
        if (waveforms.abs().amax(dim=(1, 2)) < 0.1).any():
            raise RuntimeError("quiet")
        return amplitudes(model, waveforms)

    monkeypatch.setattr(ToneModel, "amplitudes", fail_on_noise)
    outcomes = diarize_files(build(), {name: files[name] for name in TURNS})
    # whose last chunk, or only one, is noise
    failed = {outcome.file.stem for outcome in outcomes if outcome.error is not None}
    assert "silent" in failed
    assert not failed & {"two", "overlap"}


def test_lists_of_files_share_batches(build, files, passes):
    names = [name for name in TURNS if name != "long"]
    pipeline = build()
    described = [{"uri": name, "audio": files[name]} for name in names]
    expected = [pipeline(file).speaker_diarization for file in described]
    passes.clear()
    results = list(pipeline(described))
    assert [output.speaker_diarization for _, output in results] == expected
    assert [file["uri"] for file, _ in results] == names
    num_chunks = sum(len(output.features.embedded) for _, output in results)
    assert passes["ToneSegmentation"] == -(-num_chunks // CPU_BATCH) < len(names)
