# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Tiny models, and the reference vectors of the original."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from pyannote_diarizen.wavlm import WavLM, WavLMConfig

Case = tuple[WavLM, dict[str, torch.Tensor]]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.fixture
def tiny_config() -> Callable[..., WavLMConfig]:
    """Build a configuration of two layers of 32 dimensions and 4 heads."""

    def build(layer_norm: bool = True, **changes: Any) -> WavLMConfig:
        return WavLMConfig.dense(
            embed_dim=32,
            num_layers=2,
            num_heads=4,
            feed_forward_dim=48,
            layer_norm=layer_norm,
            **{
                # not 8 wide with 8 channels, for which oneDNN is wrong in bfloat16
                # with AMX
                "extractor_conv_layer_config": ((8, 10, 5), (12, 4, 4), (16, 4, 2)),
                "encoder_pos_conv_kernel": 16,
                "encoder_pos_conv_groups": 4,
                "encoder_num_buckets": 32,
                "encoder_max_distance": 20,
                **changes,
            },
        )

    return build


@pytest.fixture
def load_case(parity: Path) -> Callable[[str], Case]:
    """Load a tiny model of the original with its inputs and outputs."""

    def load(name: str) -> Case:
        folder = parity / "wavlm"
        config = json.loads((folder / f"{name}.config.json").read_text())
        wavlm = WavLM(WavLMConfig.from_dict(config)).eval()
        wavlm.load_state_dict(load_file(folder / f"{name}.state.safetensors"))
        return wavlm, load_file(folder / f"{name}.io.safetensors")

    return load
