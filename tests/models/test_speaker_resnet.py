# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import io
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows
from batch_norms import draw_statistics
from pyannote.audio.core.model import Model
from pyannote.audio.core.task import Problem, Resolution, Specifications
from pyannote.audio.models.blocks.pooling import StatsPool
from torch.testing import assert_close
from torchaudio.transforms import MelSpectrogram

from pyannote_diarizen.models.log_mel import LogMelSpectrogram
from pyannote_diarizen.models.speaker_resnet import SpeakerResNet, weighted_statistics


def make_model(**options: Any) -> SpeakerResNet:
    torch.manual_seed(1)
    defaults: dict[str, Any] = {"channels": (4, 8), "blocks": (1, 2), "dimension": 6}
    model = SpeakerResNet(**(defaults | options))
    draw_statistics(model)
    return model.eval()


@pytest.fixture
def waveforms() -> torch.Tensor:
    torch.manual_seed(2)
    return 0.1 * torch.randn(3, 1, 16000)


@pytest.fixture(params=[0, 2], ids=["residual", "temporal"])
def model(request: pytest.FixtureRequest) -> SpeakerResNet:
    return make_model(temporal_channels=8, temporal_blocks=request.param)


@torch.inference_mode()
def test_three_speakers_from_shared_frames_equal_three_passes(
    model: SpeakerResNet, waveforms: torch.Tensor
) -> None:
    weights = torch.rand(3, 3, 99).round()
    together = model.forward_embedding(model.forward_frames(waveforms), weights)
    assert together.shape == (3, 3, model.dimension)
    alone = [model(waveforms, weights[:, speaker]) for speaker in range(3)]
    assert_close(together, torch.stack(alone, dim=1), rtol=1e-5, atol=1e-5)


@torch.inference_mode()
def test_convolutions_normalise_outside_of_training() -> None:
    network = make_model().encoder.resnet
    features = torch.randn(2, 1, 10, 12)
    convolution, norm, _, *blocks = network
    expected = F.relu(norm(convolution(features)))
    for block in blocks:
        output = F.relu(block.norm1(block.conv1(expected)))
        output = block.norm2(block.conv2(output))
        expected = F.relu(output + block.shortcut(expected))
    assert_close(network(features), expected, rtol=1e-5, atol=1e-5)


@torch.inference_mode()
def test_batch_or_alone_is_the_same(
    model: SpeakerResNet, waveforms: torch.Tensor
) -> None:
    alone = torch.cat([model(waveform[None]) for waveform in waveforms])
    assert_close(model(waveforms), alone, rtol=1e-5, atol=1e-5)


# the floor of the spectrogram is a hundredth of its power at a gain of 0.001
@pytest.mark.parametrize(("gain", "atol"), [(1e-3, 5e-3), (0.1, 1e-4), (30.0, 1e-4)])
@torch.inference_mode()
def test_level_does_not_matter(
    waveforms: torch.Tensor, gain: float, atol: float
) -> None:
    model = make_model()
    assert_close(model(waveforms), model(gain * waveforms), rtol=0, atol=atol)


@torch.inference_mode()
def test_masked_half_does_not_matter_beyond_the_receptive_field() -> None:
    model = make_model()
    torch.manual_seed(3)
    first, second, other = torch.randn(3, 1, 1, 32000)
    weights = torch.zeros(1, 100)
    weights[:, :40] = 1.0
    features = model.encoder.spectrogram(torch.cat([first, second], dim=-1).squeeze(1))
    replaced = model.encoder.spectrogram(torch.cat([first, other], dim=-1).squeeze(1))
    # the mean over the chunk is shared: compare what comes after it
    replaced[..., :190] = features[..., :190]
    embeddings = [
        model.forward_embedding(
            model.encoder.resnet(x.unsqueeze(1)).flatten(1, 2), weights
        )
        for x in (features, replaced)
    ]
    assert_close(*embeddings)


@pytest.mark.parametrize("num_samples", [400, 401, 719, 720, 1040, 16000, 16161])
@torch.inference_mode()
def test_num_frames_is_what_comes_out(model: SpeakerResNet, num_samples: int) -> None:
    frames = model.forward_frames(torch.randn(1, 1, num_samples))
    assert frames.shape[-1] == model.num_frames(num_samples)
    assert torch.isfinite(model.forward_embedding(frames)).all()


def test_frames_are_40_ms_apart(model: SpeakerResNet) -> None:
    receptive_field = model.receptive_field
    assert receptive_field.step == pytest.approx(0.04)
    # the first frame is centred on the first window
    assert receptive_field.start + receptive_field.duration / 2 == pytest.approx(
        0.0125, abs=1e-4
    )


def test_too_short_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 400 samples"):
        make_model()(torch.randn(1, 1, 399))


@torch.inference_mode()
def test_silence_and_empty_weights_give_numbers(waveforms: torch.Tensor) -> None:
    model = make_model()
    assert torch.isfinite(model(torch.zeros_like(waveforms))).all()
    assert torch.isfinite(model(waveforms, torch.zeros(3, 2, 10))).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@torch.inference_mode()
def test_half_precision_is_close(waveforms: torch.Tensor, dtype: torch.dtype) -> None:
    expected = make_model()(waveforms)
    actual = make_model().to(dtype)(waveforms.to(dtype))
    assert actual.dtype == dtype
    cosine = torch.cosine_similarity(expected, actual.float(), dim=-1)
    assert cosine.min() > 0.99


@torch.inference_mode()
def test_checkpoint_round_trip(waveforms: torch.Tensor) -> None:
    model = make_model()
    model.specifications = Specifications(
        problem=Problem.REPRESENTATION,
        resolution=Resolution.CHUNK,
        duration=4.0,
        min_duration=1.0,
        classes=["a", "b"],
    )
    checkpoint: dict[str, Any] = {
        "state_dict": model.state_dict(),
        "hyper_parameters": dict(model.hparams),
        "pytorch-lightning_version": "2.4.0",
    }
    model.on_save_checkpoint(checkpoint)
    file = io.BytesIO()
    torch.save(checkpoint, file)
    file.seek(0)
    loaded = Model.from_pretrained(file).eval()
    assert isinstance(loaded, SpeakerResNet)
    assert loaded.dimension == 6
    assert_close(loaded(waveforms), model(waveforms), rtol=0, atol=0)


def test_gradient_is_finite_where_features_are_constant() -> None:
    frames = torch.zeros(1, 2, 5, requires_grad=True)
    weighted_statistics(frames, torch.ones(1, 1, 1)).sum().backward()
    assert torch.isfinite(frames.grad).all()


def test_statistics_are_those_of_the_host(waveforms: torch.Tensor) -> None:
    torch.manual_seed(4)
    frames, weights = torch.randn(2, 5, 50), torch.rand(2, 3, 50)
    mean, deviation = weighted_statistics(frames, weights).chunk(2, dim=-1)
    host_mean, host_deviation = StatsPool()(frames, weights).chunk(2, dim=-1)
    assert_close(mean, host_mean)
    # the host's deviation is the unbiased one
    assert_close(deviation, host_deviation, rtol=0.03, atol=0)


def test_weights_are_averaged_when_frames_are_coarser() -> None:
    frames = torch.tensor([[[1.0, 3.0]]])
    mean, _ = weighted_statistics(frames, torch.tensor([[[1.0, 0, 1, 1]]])).squeeze()
    assert mean == pytest.approx((1 * 0.5 + 3 * 1) / 1.5)


def test_spectrogram_agrees_with_torchaudio(waveforms: torch.Tensor) -> None:
    reference = MelSpectrogram(
        n_fft=400,
        hop_length=160,
        n_mels=20,
        f_min=20.0,
        center=False,
        window_fn=torch.hamming_window,
        wkwargs={"periodic": False},
    )
    ours = LogMelSpectrogram(num_mel_bins=20)
    ours.fft_size, ours.filters = 400, reference.mel_scale.fb
    expected = torch.log(reference(waveforms[:, 0]) + ours.floor)
    expected = expected - expected.mean(dim=-1, keepdim=True)
    assert_close(ours(waveforms[:, 0]), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "options",
    [{"channels": (4, 8), "blocks": (1,)}, {"channels": (4,), "blocks": (0,)}],
)
def test_stages_that_do_not_match_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="one positive number per stage"):
        SpeakerResNet(**options)
