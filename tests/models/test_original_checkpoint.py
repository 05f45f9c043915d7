# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Models in the layout of DiariZen: `config.toml` beside weights."""

import logging
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from published import WAVLM, segmentation_model, write_original
from safetensors.torch import load_file
from torch.testing import assert_close

from pyannote_diarizen.errors import CheckpointMismatchError
from pyannote_diarizen.models import FBankConformer, MultiChannelWavLMConformer
from pyannote_diarizen.models.checkpoint import load_model, save_model
from pyannote_diarizen.models.original_checkpoint import (
    ARCHITECTURES,
    OriginalConfig,
    _warn_of_licence,
    build_original,
)
from pyannote_diarizen.repository import Repository

TOLERANCE = {"atol": 5e-5, "rtol": 1e-5}
FBANK = """
[model]
path = "diarizen.models.eend.model_fbank_conformer.Model"
[model.args]
n_mels = 40
win_length = 32
attention_in = 16
ffn_hidden = 24
num_layer = 1
chunk_size = 8
selected_channel = 0
max_speakers_per_chunk = 3
"""
BASELINE = """
[model]
path = "diarizen.models.eend.model_pyannote.Model"
[model.args]
chunk_size = 8
selected_channel = 0
max_speakers_per_chunk = 4
"""


def config_of(tmp_path: Path, text: str) -> OriginalConfig:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return OriginalConfig.read(path)


@torch.inference_mode()
def test_a_folder_gives_the_model_it_describes(tmp_path):
    model = load_model(write_original(tmp_path / "a"))
    waveforms = 0.1 * torch.randn(2, 1, 16000)
    assert torch.equal(model(waveforms), segmentation_model()(waveforms))
    assert model.specifications == segmentation_model().specifications
    assert model.hparams.wavlm == segmentation_model().hparams.wavlm
    assert not model.training


@pytest.mark.parity
@torch.inference_mode()
def test_scores_of_a_published_folder_are_those_of_the_original(parity):
    model = load_model(parity / "hub")
    io = load_file(parity / "hub" / "expected_logits.safetensors")
    for chunk in ("chunk0", "chunk1", "chunk2"):
        scores = model(io[f"{chunk}.waveform"])
        # logarithms of probabilities: 1.6e-4 on a CPU without AVX
        assert_close(scores, io[f"{chunk}.log_probs"], atol=3e-4, rtol=1e-5)


def recipe(key: str, shape: torch.Size) -> np.ndarray:
    """Weights of the full-size references, see their README (recipe R1, seed 66)."""
    random = np.random.RandomState(zlib.crc32(f"66:{key}".encode()))
    values = random.standard_normal(int(np.prod(shape))).reshape(shape)
    if key.rpartition(".")[2].startswith("bias"):
        return 0.05 * values
    if len(shape) <= 1:
        return 1 + 0.1 * values
    return values / np.sqrt(np.prod(shape[1:]))


@pytest.mark.parity
@torch.inference_mode()
def test_scores_of_the_baseline_are_those_of_the_original(parity, tmp_path):
    """SincNet and LSTM, the baseline of the paper, are a model of pyannote.audio."""
    io = load_file(parity / "eend" / "pyannote_baseline.io.safetensors")
    config = config_of(tmp_path, BASELINE)
    state = {key[3:]: value for key, value in io.items() if key.startswith("sd.")}
    template = build_template(config)
    for key, weight in template.items():
        if key not in state:
            values = recipe(key, weight.shape).astype(np.float32)
            state[key] = torch.from_numpy(values)
    model = build_original(config, state, Repository(tmp_path))
    assert_close(model(io["waveform"]), io["log_probs"], **TOLERANCE)


def build_template(config: OriginalConfig) -> dict[str, torch.Tensor]:
    """State dictionary of a new model."""
    with pytest.raises(CheckpointMismatchError):
        build_original(config, {}, Repository(config.path.parent))
    architecture = config.architecture
    model = architecture.model(**architecture.fixed)
    model.specifications = segmentation_model().specifications
    model.setup()
    return model.state_dict()


def test_features_without_wavlm_are_known(tmp_path):
    model = FBankConformer(
        n_mels=40, win_length_ms=32, attention_in=16, ffn_hidden=24, num_layer=1
    )
    three = ["speaker#1", "speaker#2", "speaker#3"]
    model.specifications = replace(segmentation_model().specifications, classes=three)
    model.setup()
    config = config_of(tmp_path, FBANK)
    loaded = build_original(config, model.state_dict(), Repository(tmp_path))
    assert loaded.hparams == model.hparams
    assert (loaded.dimension, loaded.specifications.duration) == (7, 8.0)


def test_the_model_of_several_channels_is_known(tmp_path):
    channels = {"channel_fusion_dim": 16, "channel_fusion_layers": 2}
    conformer = {"attention_in": 16, "ffn_hidden": 24, "num_layer": 2}
    model = MultiChannelWavLMConformer(WAVLM, **channels, **conformer)
    model.specifications = segmentation_model().specifications
    model.setup()
    folder = write_original(
        tmp_path / "a",
        path='"diarizen.models.eend.model_wavlm_conformer_mc.Model"',
        selected_channel="",
        num_head="4\nchannel_fusion_dim = 16\nchannel_fusion_layers = 2",
    )
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    loaded = load_model(folder)
    assert loaded.hparams == model.hparams
    save_model(loaded, tmp_path / "ours" / "pytorch_model.bin")
    assert load_model(tmp_path / "ours").hparams == model.hparams


@pytest.mark.parametrize(
    ("in_chunk", "at_once", "num_classes"),
    [("4", "2", 11), ("4", "4", 16), ("3", "1", 4), ("", "", 11)],
)
def test_the_number_of_classes_follows_from_speakers(
    tmp_path, in_chunk, at_once, num_classes
):
    speakers = {"max_speakers_per_chunk": in_chunk, "max_speakers_per_frame": at_once}
    folder = write_original(tmp_path / "a", **speakers, chunk_size="7.5")
    state = torch.load(folder / "pytorch_model.bin", weights_only=True)
    for kind in ("weight", "bias"):
        shape = (num_classes, *state[f"classifier.{kind}"].shape[1:])
        state[f"classifier.{kind}"] = torch.ones(shape)
    torch.save(state, folder / "pytorch_model.bin")
    model = load_model(folder)
    assert model.dimension == num_classes
    assert model.specifications.duration == 7.5


def test_the_duration_of_inference_replaces_a_missing_one_of_training(tmp_path):
    folder = write_original(tmp_path / "a", chunk_size="", seg_duration="16")
    assert load_model(folder).specifications.duration == 16.0


def test_a_wavlm_may_be_known_by_name(tmp_path):
    folder = write_original(tmp_path / "a", wavlm_src='"WavLM_base_s80_md"')
    with pytest.raises(CheckpointMismatchError, match="WavLMConformer") as caught:
        load_model(folder)
    assert "current model is torch.Size([137, 155, 2])" in str(caught.value)


def test_a_wavlm_that_is_not_there_is_an_error_that_asks_for_it(tmp_path):
    folder = write_original(tmp_path / "a")
    (folder / "wavlm.bin").unlink()
    with pytest.raises(FileNotFoundError, match=r"Put '/home/somebody.*wavlm\.bin'"):
        load_model(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"path": '"diarizen.models.eend.model_wavlm_mamba.Model"'}, "one of .*mamba"),
        ({"path": ""}, r"`path` in \[model\] .* got None"),
        ({"dropout": "0.1\ndrop_out = 0.1"}, "drop_out.*Did you mean dropout"),
        ({"attention_in": '"16"'}, r"\[model\.args\] of .* are not valid"),
        ({"num_head": "5"}, "are not valid"),
        ({"max_speakers_per_frame": "5"}, "at most max_speakers_per_chunk.*5 and 4"),
        ({"max_speakers_per_chunk": "4.0"}, "of type int, got 4.0"),
        ({"chunk_size": "", "seg_duration": ""}, "lacks seg_duration"),
        ({"num_layer": "2 layers"}, r"is not TOML.*line 18"),
    ],
)
def test_an_invalid_config_is_an_error_that_names_the_value(tmp_path, changes, message):
    folder = write_original(tmp_path / "a", **changes)
    with pytest.raises(ValueError, match=message):
        load_model(folder)


def test_a_table_of_another_type_is_an_error(tmp_path):
    config = config_of(tmp_path, "inference = 3\nclustering = {args = 4}")
    for table in ("inference", "clustering"):
        with pytest.raises(ValueError, match=rf"\[{table}\.args\] .* be a table"):
            config.args(table)


def test_a_config_in_another_encoding_is_an_error(tmp_path):
    path = tmp_path / "config.toml"
    path.write_bytes('author = "José"'.encode("latin-1"))
    with pytest.raises(ValueError, match="is not TOML"):
        OriginalConfig.read(path)


def test_weights_of_another_model_are_an_error_that_lists_them(tmp_path):
    folder = write_original(tmp_path / "a", ffn_hidden="25")
    with pytest.raises(CheckpointMismatchError, match=r"ffn1\.w_1\.weight"):
        load_model(folder)


def test_the_licence_is_logged_once(tmp_path, caplog):
    _warn_of_licence.cache_clear()
    with caplog.at_level(logging.WARNING):
        load_model(write_original(tmp_path / "a"))
        load_model(write_original(tmp_path / "b"))
    assert caplog.text.count("CC BY-NC 4.0") == 1


def test_each_original_argument_has_one_name_of_ours():
    for architecture in ARCHITECTURES:
        assert len(set(architecture.known)) == len(architecture.known)
        ours = [*architecture.names.values(), *architecture.fixed]
        assert len(set(ours)) == len(ours)
