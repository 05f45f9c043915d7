# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Distillation of the hidden states of WavLM."""

import json

import pytest
import torch
from safetensors.torch import load_file
from torch.testing import assert_close

from pyannote_diarizen.models import FBankConformer, WavLMConformer
from pyannote_diarizen.tasks.wavlm_distillation import (
    HiddenStateDistillation,
    WavLMDistillation,
)
from pyannote_diarizen.wavlm import WavLM, WavLMConfig
from pyannote_diarizen.wavlm.cost import expected_num_parameters, num_parameters

SMALL = {"attention_in": 8, "ffn_hidden": 8, "num_head": 2, "num_layer": 1}


def small_config(num_layers: int = 3, **changes) -> WavLMConfig:
    return WavLMConfig.dense(
        embed_dim=16,
        num_layers=num_layers,
        num_heads=2,
        feed_forward_dim=8,
        layer_norm=True,
        **{
            "extractor_conv_layer_config": ((8, 10, 5), (8, 8, 8), (8, 8, 8)),
            "encoder_pos_conv_kernel": 4,
            "encoder_pos_conv_groups": 4,
            **changes,
        },
    )


class Recorded:
    """Model whose states are given."""

    def __init__(self, states: torch.Tensor) -> None:
        self.states = states
        self.model = torch.nn.Identity()

    def __call__(self, waveforms, with_scores):
        return self.states, None


@pytest.mark.parity
@pytest.mark.parametrize("case", range(5))
def test_losses_are_those_of_the_original(parity, case):
    cases = json.loads((parity / "distill" / "distill_loss.json").read_text())["cases"]
    vectors = load_file(parity / "distill" / "distill_loss.safetensors")
    settings = cases[case]
    weights = {k.removesuffix("_weight"): v for k, v in settings.items() if "_w" in k}
    weights["cosine"] = weights.pop("cos")
    options = WavLMDistillation(
        WavLM(small_config()), cosine_type=settings["cos_type"], **weights
    )
    student = WavLMConformer(wavlm=small_config().to_dict(), **SMALL)
    distillation = HiddenStateDistillation(options, student)
    states = vectors["student"].requires_grad_()
    distillation._teacher = Recorded(vectors["teacher"])
    distillation._student = Recorded(states)
    parts, _ = distillation(torch.zeros(1))
    loss = distillation.loss(parts)
    loss.backward()
    assert_close(loss, vectors[f"{case}.loss"], atol=1e-6, rtol=1e-6)
    mean = [parts.get(name, torch.tensor(0.0)) for name in ("l2", "l1", "cosine")]
    expected = vectors[f"{case}.parts_mse_l1_cos"]
    assert_close(torch.stack(mean), expected, atol=1e-6, rtol=1e-6)
    assert_close(states.grad, vectors[f"{case}.grad"], atol=1e-9, rtol=1e-4)


@pytest.mark.parity
def test_states_of_teacher_and_student_are_those_of_the_original(parity):
    folder = parity / "distill"
    config = json.loads((folder / "wrapper.config.json").read_text())
    io = load_file(folder / "wrapper.io.safetensors")
    weights = load_file(folder / "wrapper.student_state.safetensors")
    weights = {k.removeprefix("student_model."): v for k, v in weights.items()}
    student = WavLMConformer(wavlm=config["student"], **SMALL).eval()
    student.wavlm_model.load_state_dict(weights)
    teacher = WavLM(WavLMConfig.from_dict(config["teacher"]))
    teacher.load_state_dict({k: v for k, v in weights.items() if "log_alpha" not in k})
    options = WavLMDistillation(teacher, layers=config["distill_layers"])
    distillation = HiddenStateDistillation(options, student)

    waveforms = io["waveform"][:, None]
    with torch.no_grad():
        for recorded, name in (
            (distillation._student, "student_hiddens"),
            (distillation._teacher, "teacher_hiddens"),
        ):
            states, _ = recorded(waveforms, with_scores=False)
            assert_close(states, io[name], atol=5e-5, rtol=1e-5)
        parts, _ = distillation(waveforms)
    assert_close(distillation.loss(parts), io["loss"], atol=1e-5, rtol=1e-5)
    assert num_parameters(teacher.config) == io["n_teacher_params"].item()
    size = expected_num_parameters(student.wavlm_model, positions=False)
    assert size.item() == pytest.approx(io["student_expected_params"].item(), rel=1e-6)


def test_published_layers_are_the_defaults():
    for num_layers, published in ((12, [0, 4, 8, 12]), (24, [0, 8, 16, 24])):
        teacher = WavLM(small_config(num_layers))
        assert WavLMDistillation(teacher).indices() == published


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": [4]}, "from 0 to 3"),
        ({"layers": []}, "from 0 to 3"),
        ({"cosine_type": "log"}, "one of raw, log_sig, got 'log'"),
        ({"l1": 0.0, "cosine": 0.0}, "one of them above"),
        ({"l2": -1.0}, "at least 0"),
        ({"temperature": 0.0}, "above 0, got 0"),
        ({"posteriors": 1.0}, "segmentation model as teacher"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        WavLMDistillation(WavLM(small_config()), **options)


def test_a_teacher_without_wavlm_is_refused():
    with pytest.raises(ValueError, match="teacher is a FBankConformer without a WavLM"):
        WavLMDistillation(FBankConformer(n_mels=8, **SMALL))


@pytest.mark.parametrize(
    "config",
    [
        small_config(2),
        small_config(extractor_conv_layer_config=((8, 10, 5), (8, 8, 8))),
    ],
)
def test_a_student_of_another_shape_is_refused(config):
    student = WavLMConformer(wavlm=config.to_dict(), **SMALL)
    with pytest.raises(ValueError, match="differ in shape: 3 layers of 16 dimensions"):
        HiddenStateDistillation(WavLMDistillation(WavLM(small_config())), student)
