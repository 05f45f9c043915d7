# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""A training is examined as it would run."""

import pytest
from omegaconf import OmegaConf

from pyannote_diarizen.training.examination import examine_training, read_config


def findings(config, folder) -> dict[str, str]:
    """Status by topic, of a configuration that was written and read again."""
    OmegaConf.save(config, folder / "config.yaml")
    found = examine_training(read_config(folder))
    return {finding.text.partition(":")[0]: finding.status for finding in found}


def test_a_training_is_looked_at_from_all_sides(configure, tmp_path):
    assert findings(configure(), tmp_path) == {
        "learning rates": "ok",
        "batches": "warning",  # of two chunks
        "train": "ok",
        "development": "ok",
        "speakers": "ok",
        "chunks": "ok",
        "classes": "ok",
        "audio": "ok",
    }


def test_without_development_one_is_told(configure, tmp_path):
    config = configure(protocol="Noise.SpeakerDiarization.NoDevelopment")
    assert findings(config, tmp_path)["development"] == "warning"


def test_chunks_longer_than_files_and_missing_protocols_are_errors(configure, tmp_path):
    found = findings(configure(task__duration=20.0), tmp_path)
    assert (found["train"], found["audio"]) == ("error", "error")
    found = findings(configure(protocol="A.SpeakerDiarization.B"), tmp_path)
    assert found == {"learning rates": "ok", "task": "error"}


def test_embeddings_have_no_classes_to_look_at(configure, tmp_path):
    config = configure(
        task="SpeakerEmbedding", task__duration=2.0, task__max_speakers_per_chunk=None
    )
    found = findings(config, tmp_path)
    assert found["train"] == "ok"
    assert not found.keys() & {"task", "chunks", "classes"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("task: {}", "it lacks protocol, model"),
        ("- a\n- b", "is no configuration of a training"),
        ("a: [", "is no YAML"),
    ],
)
def test_what_is_no_configuration_is_refused(tmp_path, text, message):
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_config(tmp_path)
    with pytest.raises(FileNotFoundError, match="no configuration"):
        read_config(tmp_path / "other.yaml")
