# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import os
from pathlib import Path

import pytest
import torch
import torchaudio
from foreign_wavlm import CONVS, torchaudio_model
from restricted import full_disk
from torchaudio.models import wavlm_model
from torchaudio.pipelines._wav2vec2.utils import _extend_model

from pyannote_diarizen.errors import CheckpointMismatchError
from pyannote_diarizen.wavlm import WavLM, get_config
from pyannote_diarizen.wavlm.foreign import read_checkpoint

TOLERANCE = {"atol": 5e-5, "rtol": 1e-5}


class Harmful:
    def __reduce__(self):
        return os.mkdir, ("harm",)


@pytest.mark.parametrize("layer_norm", [True, False])
@pytest.mark.parametrize(
    "changes", [{}, {"aux_num_out": 5, "extractor_conv_bias": True}], ids=str
)
@torch.inference_mode()
def test_torchaudio_gives_the_same_from_model_and_file(tmp_path, layer_norm, changes):
    theirs = torchaudio_model(layer_norm, **changes).eval()
    torch.save(theirs.state_dict(), tmp_path / "wavlm.pth")
    waveforms = 0.1 + torch.randn(1, 4000)
    for source in (theirs, tmp_path / "wavlm.pth"):
        ours = WavLM.from_pretrained(source).eval()
        torch.testing.assert_close(
            ours(waveforms)[0], theirs(waveforms)[0], **TOLERANCE
        )


@torch.inference_mode()
def test_the_file_of_a_large_bundle_has_no_wrapper(tmp_path):
    theirs = torchaudio_model(layer_norm=True).eval()
    torch.save(theirs.model.state_dict(), tmp_path / "wavlm_large.pth")
    waveforms = 0.1 + torch.randn(1, 4000)
    ours = WavLM.from_pretrained(tmp_path / "wavlm_large.pth").eval()
    torch.testing.assert_close(ours(waveforms)[0], theirs(waveforms)[0], **TOLERANCE)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("WAVLM_BASE", "wavlm_base"),
        ("WAVLM_BASE_PLUS", "wavlm_base"),
        ("WAVLM_LARGE", "wavlm_large"),
    ],
)
def test_the_bundles_of_torchaudio_have_the_structures_that_we_know(name, expected):
    bundle = getattr(torchaudio.pipelines, name)
    with torch.device("meta"):
        theirs = wavlm_model(**bundle._params)
        ours = WavLM(get_config(expected))
    if bundle._normalize_waveform:
        theirs = _extend_model(theirs, normalize_waveform=True)
    config, weights = read_checkpoint(theirs)
    assert config == ours.config
    shapes = {key: weight.shape for key, weight in weights.items()}
    assert shapes == {key: weight.shape for key, weight in ours.state_dict().items()}


def test_torchaudio_with_other_kernels_is_an_error():
    theirs = torchaudio_model(False, extractor_conv_layer_config=CONVS[:3])
    with pytest.raises(ValueError, match=r"2, 2\], got \[10, 3, 3\]"):
        WavLM.from_pretrained(theirs)


@pytest.mark.parametrize(
    "key",
    [
        "encoder.transformer.layers.0.attention.rel_attn_embed.weight",
        "encoder.transformer.layers.1.attention.attention.in_proj_bias",
        "encoder.transformer.pos_conv_embed.conv.bias",
    ],
)
def test_incomplete_torchaudio_is_an_error(tmp_path, key):
    state = torchaudio_model(False).state_dict()
    del state[key]
    torch.save(state, tmp_path / "a.pth")
    name = key.split(".")[-1].removeprefix("in_proj_")
    with pytest.raises(CheckpointMismatchError, match=rf"(?s)a\.pth.*{name}"):
        WavLM.from_pretrained(tmp_path / "a.pth")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {
            "encoder_remaining_heads": [[3, 1], [0]],
            "encoder_ff_interm_features": [5, 7],
        },
        {"encoder_use_attention": [False, True]},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["wavlm_tiny-converted.bin", "a.pt"])
def test_what_is_saved_is_what_is_loaded(tiny_config, tmp_path, name, changes):
    wavlm = WavLM(tiny_config(**changes))
    wavlm.feature_extractor.dummy_weight[0] = 0.5
    wavlm.save(tmp_path / "new" / name)
    loaded = WavLM.from_pretrained(str(tmp_path / "new" / name))
    assert loaded.config == wavlm.config
    for key, weight in wavlm.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], weight), key
    assert loaded.training


@pytest.mark.parity
def test_files_of_the_original_are_read(parity):
    """Lists for tuples, legacy names of weights, plain values throughout."""
    wavlm = WavLM.from_pretrained(parity / "hub" / "wavlm_tiny.bin")
    content = torch.load(parity / "hub" / "wavlm_tiny.bin", weights_only=True)
    for key, weight in content["state_dict"].items():
        assert torch.equal(wavlm.state_dict()[key], weight), key


def test_what_we_save_is_what_the_original_reads(tiny_config, tmp_path):
    wavlm = WavLM(tiny_config())
    wavlm.save(tmp_path / "a.bin")
    content = torch.load(tmp_path / "a.bin", weights_only=True)
    assert content["config"] == wavlm.config.to_dict()
    assert content["state_dict"].keys() == wavlm.state_dict().keys()


def test_failure_to_save_leaves_what_was_there(tiny_config, tmp_path):
    pytest.importorskip("resource", reason="to limit the size of files")
    path = tmp_path / "a.pt"
    path.write_bytes(b"before")
    wavlm = WavLM(tiny_config())
    # torch raises an error of its own
    with full_disk(), pytest.raises((OSError, RuntimeError)):
        wavlm.save(path)
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"before"]


def test_weights_that_differ_are_listed(tiny_config, tmp_path):
    wavlm = WavLM(tiny_config())
    state = wavlm.state_dict()
    state["extra"] = state.pop("encoder.transformer.layer_norm.bias")
    state["encoder.feature_projection.layer_norm.bias"] = torch.zeros(5)
    content = {"config": wavlm.config.to_dict(), "state_dict": state}
    torch.save(content, tmp_path / "a.pt")
    with pytest.raises(CheckpointMismatchError) as caught:
        WavLM.from_pretrained(tmp_path / "a.pt")
    for key in (
        "extra",
        "transformer.layer_norm.bias",
        "feature_projection.layer_norm",
    ):
        assert key in str(caught.value)


def test_a_model_without_its_gates_is_an_error(tiny_config, tmp_path):
    wavlm = WavLM(tiny_config())
    config = wavlm.config.to_dict() | {"encoder_prune_attention_heads": True}
    torch.save({"config": config, "state_dict": wavlm.state_dict()}, tmp_path / "a.pt")
    with pytest.raises(CheckpointMismatchError, match=r"Missing.*_heads\.log_alpha"):
        WavLM.from_pretrained(tmp_path / "a.pt")


@pytest.mark.parametrize(
    "content",
    [
        [],
        {},
        {"weight": torch.zeros(3)},
        {"config": None, "state_dict": None},
        {"config": {}, "state_dict": {}},
        {"cfg": None, "model": {}},
        {"cfg": {}, "model": {}},
        {"a.attention.attention.in_proj_weight": torch.zeros(4)},
    ],
    ids=str,
)
def test_another_file_is_an_error_that_names_it(tmp_path, content):
    torch.save(content, tmp_path / "a.pt")
    with pytest.raises(ValueError, match=r"a\.pt' (is not a known WavLM|lacks)"):
        WavLM.from_pretrained(tmp_path / "a.pt")


def test_code_is_refused_with_the_way_to_allow_it(tiny_config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wavlm = WavLM(tiny_config())
    wavlm.save("a.pt")
    content = torch.load("a.pt", weights_only=True)
    torch.save(content | {"optimizer": Harmful()}, "a.pt")
    with pytest.raises(ValueError, match=r"'a.pt'.*`weights_only=False`"):
        WavLM.from_pretrained("a.pt")
    assert not Path("harm").exists()
    assert WavLM.from_pretrained("a.pt", weights_only=False).config == wavlm.config
    assert Path("harm").exists()


@pytest.mark.parametrize(
    "checkpoint", ["wavlm-base", "a/b/c", "models/a.pt", Path("owner/name")], ids=str
)
def test_a_path_that_does_not_exist_is_an_error(checkpoint):
    with pytest.raises(FileNotFoundError, match=rf"'{checkpoint}' (does not|is neith)"):
        WavLM.from_pretrained(checkpoint)
