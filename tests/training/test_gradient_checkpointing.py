# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Gradient checkpointing changes neither gradients nor weights."""

import torch
from torch import Tensor

from pyannote_diarizen.models.conformer import Conformer
from pyannote_diarizen.training.gradient_checkpointing import (
    enable_gradient_checkpointing,
)
from pyannote_diarizen.wavlm import WavLM, WavLMConfig

CONFIG = WavLMConfig.dense(
    embed_dim=16,
    num_layers=2,
    num_heads=2,
    feed_forward_dim=8,
    layer_norm=True,
    extractor_conv_layer_config=[[4, 10, 5], *[[4, 3, 2]] * 4, *[[4, 2, 2]] * 2],
)


def gradients(wavlm: WavLM) -> dict[str, Tensor]:
    """Of a sum of all layers, with dropout."""
    torch.manual_seed(2)
    states = wavlm.hidden_states(torch.linspace(-1, 1, 4000)[None])
    sum(state.square().mean() for state in states).backward()
    return {name: p.grad for name, p in wavlm.named_parameters() if p.grad is not None}


def test_wavlm_has_the_same_gradients_and_weights():
    torch.manual_seed(1)
    wavlm = WavLM(CONFIG).train()
    expected, weights = gradients(wavlm), dict(wavlm.state_dict())
    wavlm.zero_grad()
    assert enable_gradient_checkpointing(wavlm) == 9  # of convolution and of attention
    recomputed = gradients(wavlm)
    assert recomputed.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(recomputed[name], gradient, rtol=0, atol=1e-7)
    assert wavlm.state_dict().keys() == weights.keys()


def one_step(checkpointed: bool) -> tuple[int, dict[str, Tensor], dict[str, Tensor]]:
    """Number of changed layers, gradients and weights of a Conformer, with dropout."""
    torch.manual_seed(1)
    conformer = Conformer(
        attention_in=8, ffn_hidden=8, num_head=2, num_layer=2, kernel_size=3
    ).train()
    changed = enable_gradient_checkpointing(conformer) if checkpointed else 0
    conformer(torch.randn(2, 10, 8)).square().sum().backward()
    gradients = {name: p.grad for name, p in conformer.named_parameters()}
    return changed, gradients, conformer.state_dict()


def test_conformer_has_the_same_gradients_and_statistics():
    _, *expected = one_step(checkpointed=False)
    changed, *recomputed = one_step(checkpointed=True)
    assert changed == 2
    torch.testing.assert_close(recomputed, expected)
    (count,) = {
        int(value)
        for name, value in recomputed[1].items()
        if name.endswith("num_batches_tracked")
    }
    assert count == 1
