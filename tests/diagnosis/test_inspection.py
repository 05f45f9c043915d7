# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""What a checkpoint is; see tests/contracts/test_checkpoints.py for all kinds."""

import shutil
from pathlib import Path

import pytest
from published import plda, write_embedding, write_original

from pyannote_diarizen.diagnosis.inspection import describe, load_checkpoint, network
from pyannote_diarizen.export.network import write_network
from pyannote_diarizen.models.checkpoint import load_model


@pytest.fixture
def original(tmp_path):
    folder = write_original(tmp_path / "original")
    write_embedding(folder / "embedding")
    return folder


@pytest.mark.parametrize(
    ("part", "description"),
    [
        (
            "",
            "pipeline DiariZen of WavLMConformer in chunks of 2 s, with VBxClustering",
        ),
        ("config.toml", "pipeline DiariZen of WavLMConformer in chunks of 2 s, with V"),
        (
            "pytorch_model.bin",
            "model WavLMConformer, 0.0 million parameters, up to 4 speakers in chunks "
            "of 3 s, 2 at once",
        ),
        ("wavlm.bin", "WavLM of 2 layers, 0.0 million parameters"),
        ("embedding", "model SpeakerResNet, 0.1 million parameters"),
        ("embedding/pytorch_model.bin", "model SpeakerResNet, 0.1 million parameters"),
        ("plda", "PLDA, from 256 to 128 dimensions"),
        ("plda/plda.npz", "PLDA, from 256 to 128 dimensions"),
    ],
)
def test_parts_of_a_published_pipeline(original, part, description):
    assert describe(load_checkpoint(original / part)).startswith(description)


def test_a_folder_of_weights_is_a_model_or_a_wavlm(original, tmp_path):
    for name in ("wavlm.bin", "embedding/pytorch_model.bin"):
        folder = tmp_path / Path(name).stem
        folder.mkdir()
        shutil.copy(original / name, folder / "pytorch_model.bin")
        # as in published models of pyannote.audio
        (folder / "config.yaml").write_text("task: of a training")
    assert describe(load_checkpoint(tmp_path / "wavlm")).startswith("WavLM of 2 layers")
    described = describe(load_checkpoint(tmp_path / "pytorch_model"))
    assert described.startswith("model SpeakerResNet")


def test_an_exported_network_has_no_layers(original, tmp_path):
    model = load_model(original / "embedding")
    (tmp_path / "exported").mkdir()
    write_network(model, tmp_path / "exported", "torchscript")
    loaded = load_checkpoint(tmp_path / "exported")
    assert describe(loaded) == "embedding exported to torchscript in float32"
    assert network(loaded) is None


def test_a_name_or_an_owner_and_name(hub):
    assert "PyanNet" in describe(load_checkpoint("diarizen-tiny"))
    plda().save(hub.root / "me" / "plda")
    assert describe(load_checkpoint("me/plda")) == "PLDA, from 256 to 128 dimensions"
    with pytest.raises(FileNotFoundError, match="There is no 'me/other' on disk"):
        load_checkpoint("me/other")


def test_a_slip_in_a_name_is_an_error_that_lists_names():
    with pytest.raises(FileNotFoundError, match=r"'diarizen-tini' .*diarizen-tiny"):
        load_checkpoint("diarizen-tini")


def test_pipelines_of_others_are_told_by_name(tmp_path):
    name = "pyannote.audio.pipelines.VoiceActivityDetection"
    config = f"pipeline: {{name: {name}, params: {{segmentation: $model/a}}}}"
    (tmp_path / "config.yaml").write_text(config)
    write_embedding(tmp_path / "a")
    assert describe(load_checkpoint(tmp_path)) == "pipeline VoiceActivityDetection"


def test_a_folder_of_nothing_is_an_error_that_lists_what_it_may_hold(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no config\.yaml or .* or pytorch_mo"):
        describe(load_checkpoint(tmp_path))
