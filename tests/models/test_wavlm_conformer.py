# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import json
from typing import Any

import pytest
import torch
from lightning import Trainer
from pyannote.audio.core.model import Model
from pyannote.audio.core.task import Problem, Resolution, Specifications
from pyannote.audio.utils.powerset import Powerset
from safetensors.torch import load_file
from tiny_wavlm import WAVLM
from torch.testing import assert_close

from pyannote_diarizen.models.checkpoint import load_model, save_model
from pyannote_diarizen.models.wavlm_conformer import WavLMConformer
from pyannote_diarizen.wavlm import WavLM, WavLMConfig

TOLERANCE = {"atol": 5e-5, "rtol": 1e-5}
TINY = {"attention_in": 16, "ffn_hidden": 24, "num_layer": 2, "kernel_size": 7}


def powerset(num_speakers: int = 4, num_simultaneous: int = 2) -> Specifications:
    return Specifications(
        problem=Problem.MONO_LABEL_CLASSIFICATION,
        resolution=Resolution.FRAME,
        duration=2.0,
        classes=[f"speaker#{speaker}" for speaker in range(num_speakers)],
        powerset_max_classes=num_simultaneous,
        permutation_invariant=True,
    )


def make_model(
    specifications: Specifications | None = None, **options: Any
) -> WavLMConformer:
    torch.manual_seed(1)
    model = WavLMConformer(**({"wavlm": WAVLM} | TINY | options))
    model.specifications = specifications or powerset()
    model.setup()
    return model.eval()


@pytest.fixture
def waveforms() -> torch.Tensor:
    torch.manual_seed(2)
    return 0.1 * torch.randn(3, 1, 4000)


@pytest.mark.parity
@pytest.mark.parametrize("name", ["base", "ch1", "large_uneven"])
@torch.inference_mode()
def test_scores_are_those_of_the_original(parity, name):
    stem = parity / "eend" / f"wavlm_conformer_{name}"
    stored = json.loads(stem.with_suffix(".config.json").read_text())
    io = load_file(stem.with_suffix(".io.safetensors"))
    args = stored["model_args"]
    options = ["attention_in", "ffn_hidden", "num_head", "num_layer", "kernel_size"]
    options += ["dropout", "use_posi", "output_activate_function"]
    num_speakers, num_simultaneous = (
        args["max_speakers_per_chunk"],
        args["max_speakers_per_frame"],
    )
    model = make_model(
        powerset(num_speakers, num_simultaneous),
        wavlm=stored["wavlm_config"],
        **{option: args[option] for option in options},
    )
    model.load_state_dict(load_file(stem.with_suffix(".state.safetensors")))
    channel = args["selected_channel"]
    waveforms = io["waveform"][:, channel : channel + 1]

    features = model.features(waveforms[:, 0])
    assert_close(features, io["weighted_sum"], **TOLERANCE)
    projected = model.lnorm(model.proj(features))
    assert_close(projected, io["proj_ln"], **TOLERANCE)
    assert_close(model.conformer(projected), io["conformer"], **TOLERANCE)
    scores = model(waveforms)
    assert_close(scores, io["log_probs"], **TOLERANCE)
    classes = Powerset(num_speakers, num_simultaneous)
    assert torch.equal(classes.mapping, io["powerset_mapping"])
    assert torch.equal(classes.to_multilabel(scores), io["multilabel_hard"])
    soft = classes.to_multilabel(scores, soft=True)
    assert_close(soft, io["multilabel_soft"], **TOLERANCE)


@pytest.mark.parametrize("temperature", [None, 1.0, 5.0])
def test_weights_of_layers(temperature, tmp_path):
    model = make_model(layer_temperature=temperature)
    waveforms = torch.randn(2, 4000, generator=torch.Generator().manual_seed(0))
    states = torch.stack(list(model.wavlm_model.hidden_states(waveforms)))
    weights = model.weight_sum.weight[0]
    if temperature:
        exponentials = (weights / temperature).exp()
        weights = exponentials / exponentials.sum()
    expected = torch.einsum("l,lbfd->bfd", weights, states)
    assert_close(model.features(waveforms), expected, atol=1e-5, rtol=1e-4)
    save_model(model, tmp_path / "model.bin")
    assert load_model(tmp_path / "model.bin").hparams.layer_temperature == temperature


def test_temperature_of_layers_is_positive():
    with pytest.raises(ValueError, match="`layer_temperature` should be above 0"):
        make_model(layer_temperature=0)


def test_several_channels_are_an_error():
    with pytest.raises(ValueError, match=r"one channel, got shape \(1, 2, 4000\)"):
        make_model()(torch.zeros(1, 2, 4000))


def test_hyper_parameters_are_plain_values():
    for value in make_model().hparams["wavlm"].values():
        assert isinstance(value, list | str | int | float | bool | None)


def test_predefined_structure_is_found_by_name():
    with torch.device("meta"):
        model = WavLMConformer(wavlm="WavLM_Base_S80_MD")
    assert model.hparams.wavlm == "WavLM_Base_S80_MD"
    assert model.weight_sum.weight.shape == (1, 13)
    others = [p for n, p in model.named_parameters() if not n.startswith("wavlm_model")]
    assert sum(p.numel() for p in others) == 6291992 - 11 * 257


def test_receptive_field_is_that_of_the_original():
    with torch.device("meta"):
        model = WavLMConformer()
    frames = model.receptive_field
    assert (frames.start, frames.duration, frames.step) == (-0.00753125, 0.025, 0.02)
    assert model.num_frames(8 * 16000) == 399


@pytest.mark.parametrize("layer_norm_first", [True, False])
def test_all_weights_that_may_learn_get_a_gradient(waveforms, layer_norm_first):
    wavlm = WAVLM | {"encoder_layer_norm_first": layer_norm_first}
    model = make_model(wavlm=wavlm).train()
    model(waveforms)[..., 0].mean().backward()
    for name, parameter in model.named_parameters():
        assert (parameter.grad is not None) == parameter.requires_grad, name


def test_weights_of_a_checkpoint_are_those_to_start_from(tmp_path):
    wavlm = WavLM(WavLMConfig.from_dict(WAVLM))
    wavlm.save(tmp_path / "wavlm.pt")
    wavlm.save_huggingface(tmp_path / "wavlm")
    for source in (str(tmp_path / "wavlm.pt"), tmp_path / "wavlm"):
        model = WavLMConformer(wavlm=source, **TINY)
        for key, weight in wavlm.state_dict().items():
            assert torch.equal(model.wavlm_model.state_dict()[key], weight), key
        assert model.hparams.wavlm == WAVLM


def test_a_model_outlives_the_checkpoint_that_it_started_from(tmp_path, waveforms):
    WavLM(WavLMConfig.from_dict(WAVLM)).save(tmp_path / "wavlm.pt")
    model = make_model(wavlm=tmp_path / "wavlm.pt")
    trainer = Trainer(logger=False, enable_checkpointing=False, accelerator="cpu")
    trainer.strategy.connect(model)
    trainer.save_checkpoint(tmp_path / "pytorch_model.bin")
    (tmp_path / "wavlm.pt").unlink()
    loaded = Model.from_pretrained(tmp_path).eval()
    assert torch.equal(loaded(waveforms), model(waveforms))


@pytest.mark.parametrize("name", ["wavlm_bose", "wavlm.pt", "nowhere/wavlm.pt"])
def test_neither_a_structure_nor_a_checkpoint_is_an_error(name):
    with pytest.raises(FileNotFoundError, match=f"one of wavlm_base, .*'{name}'"):
        WavLMConformer(wavlm=name)


def test_unknown_wavlm_option_is_an_error():
    with pytest.raises(ValueError, match="Unknown key"):
        WavLMConformer(wavlm=WAVLM | {"encoder_size": 3})
