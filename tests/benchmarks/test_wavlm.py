# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The speed of pruned WavLM."""

import torch
from tiny_wavlm import WAVLM

from pyannote_diarizen.wavlm import WavLM, WavLMConfig

PRUNED = {
    **WAVLM,
    "encoder_use_attention": [True, False],
    "encoder_remaining_heads": [[0, 2], []],
}


@torch.inference_mode()
def test_attention_that_is_not_fused_gives_the_same_output(load_benchmark):
    wavlm = WavLM(WavLMConfig(**PRUNED)).eval()
    port = load_benchmark("wavlm").unfused_port(wavlm)
    waveforms = torch.randn(2, 4000)
    expected, _ = wavlm.extract_features(waveforms)
    computed, _ = port.extract_features(waveforms)
    torch.testing.assert_close(computed, expected)
    assert "forward" in vars(port.encoder.transformer.layers[0].attention)
