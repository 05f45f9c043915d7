# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import json

import pytest
import torch
from pyannote.audio.core.task import Problem, Resolution, Specifications
from safetensors.torch import load_file
from torch.testing import assert_close

from pyannote_diarizen.models.fbank_conformer import FBankConformer
from pyannote_diarizen.models.log_mel import FBank


@pytest.mark.parity
@torch.inference_mode()
def test_features_and_scores_are_those_of_the_original(parity):
    stem = parity / "eend" / "fbank_conformer"
    args = json.loads(stem.with_suffix(".config.json").read_text())["model_args"]
    io = load_file(stem.with_suffix(".io.safetensors"))
    options = ["attention_in", "ffn_hidden", "num_head", "num_layer", "kernel_size"]
    options += ["dropout", "use_posi", "output_activate_function", "n_fft", "n_mels"]
    model = FBankConformer(
        win_length_ms=args["win_length"],
        hop_length_ms=args["hop_length"],
        **{option: args[option] for option in options},
    )
    model.specifications = Specifications(
        problem=Problem.MONO_LABEL_CLASSIFICATION,
        resolution=Resolution.FRAME,
        duration=float(args["chunk_size"]),
        classes=[f"speaker#{i}" for i in range(args["max_speakers_per_chunk"])],
        powerset_max_classes=2,
        permutation_invariant=True,
    )
    model.setup()
    model.load_state_dict(load_file(stem.with_suffix(".state.safetensors")))
    model.eval()
    # 3.2e-6 on a CPU without AVX
    assert_close(model.make_feats.filters, io["mel_matrix"], atol=5e-6, rtol=1e-5)
    assert_close(model.make_feats.window, io["window"])
    features = model.make_feats(io["waveform"][:, 0])
    assert_close(features, io["fbank"], atol=1e-3, rtol=1e-5)  # decibels
    assert_close(model(io["waveform"]), io["log_probs"], atol=5e-5, rtol=1e-5)


def test_receptive_field_is_that_of_the_original():
    model = FBankConformer()
    frames = model.receptive_field
    assert (frames.start, frames.duration, frames.step) == (-0.01246875, 0.025, 0.01)
    assert model.num_frames(4 * 16000) == 401


def test_residual_network_divides_frames_by_four():
    model = FBankConformer(residual_channels=(16, 16, 16), residual_blocks=(1, 2, 1))
    assert model.receptive_field.step == pytest.approx(0.04)
    assert model.num_frames(5 * 16000) == 126
    assert model.proj.in_features == 16 * 10


@torch.inference_mode()
def test_residual_network_ignores_the_level():
    torch.manual_seed(0)
    model = FBankConformer(residual_channels=(16,), residual_blocks=(1,)).eval()
    waveforms = torch.randn(1, 8000)
    assert_close(
        model.features(waveforms), model.features(10 * waveforms), atol=1e-3, rtol=1e-3
    )


def test_loud_tone_is_in_its_band_and_80_db_is_the_range():
    tone = torch.sin(2 * torch.pi * 1000 * torch.arange(16000) / 16000)[None]
    fbank = FBank()
    features = fbank(tone)[0]
    centers = fbank.filters.argmax(dim=0) * 40  # Hz per bin
    assert abs(int(centers[features[50].argmax()]) - 1000) <= 40
    assert float(features.max() - features.min()) == pytest.approx(80)


@pytest.mark.parametrize(
    "options",
    [
        {"residual_channels": (16,)},
        {"residual_blocks": (1,)},
        {"residual_channels": (16, 32), "residual_blocks": (1,)},
        {"residual_channels": (16,), "residual_blocks": (0,)},
    ],
)
def test_stages_without_width_or_depth_are_refused(options):
    with pytest.raises(ValueError, match="one positive number per stage"):
        FBankConformer(**options)
