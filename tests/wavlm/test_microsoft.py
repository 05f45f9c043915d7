# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import re

import pytest
import torch
from foreign_wavlm import CONVS, microsoft_file

from pyannote_diarizen.errors import CheckpointMismatchError
from pyannote_diarizen.wavlm import WavLM
from pyannote_diarizen.wavlm.microsoft import conv_layers


@pytest.fixture(params=[False, True], ids=["base", "large"])
def wavlm(request, tiny_config) -> WavLM:
    return WavLM(tiny_config(request.param, extractor_conv_layer_config=CONVS)).eval()


@torch.inference_mode()
def test_a_published_file_gives_the_same_model(wavlm, tmp_path):
    content = microsoft_file(wavlm)
    assert len(content["model"]) == len(wavlm.state_dict())  # a mask, but no scale
    torch.save(content, tmp_path / "WavLM-Base+.pt")
    loaded = WavLM.from_pretrained(tmp_path / "WavLM-Base+.pt").eval()
    waveforms = torch.randn(2, 4000)
    assert torch.equal(loaded(waveforms)[0], wavlm(waveforms)[0])
    expected = wavlm.config.to_dict() | {
        "encoder_dropout": 0.11,
        "encoder_attention_dropout": 0.12,
        "encoder_ff_interm_dropout": 0.13,
        "encoder_projection_dropout": 0.14,
        "encoder_layer_drop": 0.05,
    }
    assert loaded.config.to_dict() == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("[(512,10,5)]", [(512, 10, 5)]),
        ("[(4, 3, 2), (5, 3, 2)]*2", [(4, 3, 2), (5, 3, 2)] * 2),
        ("[(512,10,5)] + [(8,2,2),]", [(512, 10, 5), (8, 2, 2)]),
    ],
)
def test_convolutions_are_those_of_the_expression(expression, expected):
    assert conv_layers(expression) == expected


@pytest.mark.parametrize("expression", ["", "[(1,2)]", "__import__('os')", "[] * 2"])
def test_another_expression_is_an_error(expression):
    with pytest.raises(ValueError, match="should be a sum of lists"):
        conv_layers(expression)


@pytest.mark.parametrize("key", ["encoder.layers.1.fc1.bias", "post_extract_proj.bias"])
def test_a_missing_weight_is_named(wavlm, tmp_path, key):
    content = microsoft_file(wavlm)
    del content["model"][key]
    torch.save(content, tmp_path / "a.pt")
    with pytest.raises(CheckpointMismatchError, match=r"a\.pt'.*\n.*Missing.*bias\""):
        WavLM.from_pretrained(tmp_path / "a.pt")


def test_a_missing_field_is_named(wavlm, tmp_path):
    content = microsoft_file(wavlm)
    del content["cfg"]["conv_pos"]
    torch.save(content, tmp_path / "a.pt")
    with pytest.raises(CheckpointMismatchError, match=r"a\.pt' lacks 'conv_pos'"):
        WavLM.from_pretrained(tmp_path / "a.pt")


def test_another_activation_is_an_error(wavlm, tmp_path):
    content = microsoft_file(wavlm)
    content["cfg"]["activation_fn"] = "relu"
    torch.save(content, tmp_path / "a.pt")
    message = re.escape("a.pt' is not a known WavLM: `activation_fn` should be")
    with pytest.raises(ValueError, match=message):
        WavLM.from_pretrained(tmp_path / "a.pt")
