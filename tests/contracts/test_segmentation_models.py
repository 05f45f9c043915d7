# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""What every segmentation model should do, whatever its features."""

import pickle

import pytest
import torch
from lightning import Trainer
from pyannote.audio.core.model import Model
from pyannote.audio.core.task import Problem, Resolution, Specifications
from tiny_wavlm import WAVLM
from torch.testing import assert_close

from pyannote_diarizen.audio.reader import AudioReader
from pyannote_diarizen.models import (
    FBankConformer,
    MultiChannelWavLMConformer,
    WavLMConformer,
)

CONFORMER = {"attention_in": 16, "ffn_hidden": 24, "num_layer": 2, "kernel_size": 7}
FUSION = {
    "channel_fusion_dim": 24,
    "channel_fusion_layers": 2,
    "channel_fusion_heads": 4,
}
RESIDUAL = {"residual_channels": (16, 32), "residual_blocks": (1, 1)}
MODELS = {
    "wavlm": lambda: WavLMConformer(wavlm=WAVLM, **CONFORMER),
    "wavlm-channels": lambda: MultiChannelWavLMConformer(
        wavlm=WAVLM, num_channels=2, **FUSION, **CONFORMER
    ),
    "fbank": lambda: FBankConformer(**CONFORMER),
    "fbank-residual": lambda: FBankConformer(**RESIDUAL, **CONFORMER),
}


def specify(
    model: Model,
    num_speakers: int = 4,
    num_simultaneous: int | None = 2,
    problem: Problem = Problem.MONO_LABEL_CLASSIFICATION,
) -> Model:
    torch.manual_seed(1)
    model.specifications = Specifications(
        problem=problem,
        resolution=Resolution.FRAME,
        duration=2.0,
        classes=[f"speaker#{speaker}" for speaker in range(num_speakers)],
        powerset_max_classes=num_simultaneous,
        permutation_invariant=True,
    )
    model.setup()
    return model.eval()


@pytest.fixture(params=MODELS)
def model(request):
    torch.manual_seed(1)
    return MODELS[request.param]()


@pytest.fixture
def waveforms(model) -> torch.Tensor:
    torch.manual_seed(2)
    return 0.1 * torch.randn(3, model.hparams.num_channels, 4000)


@pytest.mark.parametrize(
    ("num_speakers", "num_simultaneous", "num_classes"),
    [(4, 2, 11), (4, 4, 16), (3, 2, 7), (1, 1, 2)],
)
@torch.inference_mode()
def test_classes_are_those_of_the_powerset(
    model, waveforms, num_speakers, num_simultaneous, num_classes
):
    scores = specify(model, num_speakers, num_simultaneous)(waveforms)
    assert scores.shape == (3, model.num_frames(4000), num_classes)
    assert_close(scores.exp().sum(-1), torch.ones(scores.shape[:2]))


@torch.inference_mode()
def test_multilabel_task_gives_one_probability_per_speaker(model, waveforms):
    specify(model, 4, None, Problem.MULTI_LABEL_CLASSIFICATION)
    scores = model(waveforms)
    assert scores.shape[-1] == 4
    assert ((scores > 0) & (scores < 1)).all()


@torch.inference_mode()
def test_checkpoint_gives_the_same_model_back(model, tmp_path, waveforms):
    specify(model)
    trainer = Trainer(logger=False, enable_checkpointing=False, accelerator="cpu")
    trainer.strategy.connect(model)
    trainer.save_checkpoint(tmp_path / "pytorch_model.bin")
    loaded = Model.from_pretrained(tmp_path).eval()
    assert type(loaded) is type(model)
    assert dict(loaded.hparams) == dict(model.hparams)
    assert loaded.specifications == model.specifications
    # kernels for AVX2 round by the alignment of the weights in memory
    assert_close(loaded(waveforms), model(waveforms), atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_pickle_gives_the_same_model_back(model, waveforms):
    specify(model)
    loaded = pickle.loads(pickle.dumps(model))
    assert_close(loaded(waveforms), model(waveforms), atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_item_gives_the_same_alone_and_in_a_batch(model, waveforms):
    specify(model)
    alone = torch.cat([model(waveform[None]) for waveform in waveforms])
    assert_close(model(waveforms), alone, atol=5e-5, rtol=1e-5)


@pytest.mark.parametrize("num_frames", [1, 2, 30])
@torch.inference_mode()
def test_frames_are_those_announced(model, num_frames):
    specify(model)
    num_samples = model.receptive_field_size(num_frames)
    announced = model.num_frames(num_samples)
    assert announced >= num_frames
    assert model(torch.randn(1, 1, num_samples)).shape[1] == announced


def test_frames_are_one_step_apart(model):
    step = model.receptive_field_size(2) - model.receptive_field_size(1)
    for num_samples in (8000, 8001, 8159, 8160, 16000):
        assert model.num_frames(num_samples + step) == model.num_frames(num_samples) + 1
    assert model.receptive_field.step == pytest.approx(step / 16000)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@torch.inference_mode()
def test_half_precision_is_close_to_single(model, waveforms, dtype):
    specify(model)
    expected = model(waveforms)
    with torch.autocast("cpu", dtype):
        mixed = model(waveforms)
    half = model.to(dtype)(waveforms)
    for scores in (mixed, half):
        assert scores.dtype == torch.float32
        assert_close(scores, expected, atol=0.1, rtol=0.05)


@torch.inference_mode()
def test_silence_gives_finite_scores(model):
    assert specify(model)(torch.zeros(1, 1, 4000)).isfinite().all()


def test_all_weights_that_may_learn_get_a_gradient(model, waveforms):
    specify(model).train()
    model(waveforms)[..., 0].mean().backward()
    for name, parameter in model.named_parameters():
        assert (parameter.grad is not None) == parameter.requires_grad, name


def test_audio_is_read_without_ffmpeg(model):
    assert isinstance(model.audio, AudioReader)


@pytest.mark.parametrize("shape", [(1, 4000), (1, 0, 4000), (1, 1, 1, 4000)])
def test_waveforms_of_another_shape_are_an_error(model, shape):
    with pytest.raises(ValueError, match=r"\(batch, channel, sample\) with .*one chan"):
        specify(model)(torch.zeros(shape))


# The others depend on it, as in DiariZen: eps of the first norm of WavLM and the floor
# of FBank are added to the power. With smaller ones, published weights would not give
# their output.
@torch.inference_mode()
def test_the_output_does_not_depend_on_the_level():
    torch.manual_seed(1)
    model = specify(MODELS["fbank-residual"]())
    waveforms = 0.1 * torch.randn(1, model.hparams.num_channels, 4000)
    expected = model(waveforms)
    for gain in (1e-3, 0.1, 30.0):
        assert_close(model(gain * waveforms), expected, atol=1e-4, rtol=1e-4)
