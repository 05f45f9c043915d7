# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Small WavLMs: one to run, one of 13 thousand weights to be pruned."""

from pathlib import Path

from pyannote.audio.core.model import Model
from pyannote.audio.core.task import Problem, Resolution, Specifications

from pyannote_diarizen.models.checkpoint import save_model
from pyannote_diarizen.wavlm import WavLMConfig

WAVLM = WavLMConfig.dense(
    embed_dim=32,
    num_layers=2,
    num_heads=4,
    feed_forward_dim=48,
    layer_norm=True,
    # not 8 wide with 8 channels, for which oneDNN is wrong in bfloat16 with AMX
    extractor_conv_layer_config=((8, 10, 5), (12, 4, 4), (16, 4, 2)),
    encoder_pos_conv_kernel=16,
    encoder_pos_conv_groups=4,
).to_dict()
SMALL = {"attention_in": 8, "ffn_hidden": 8, "num_head": 2, "num_layer": 1}
CONFIG = WavLMConfig.dense(
    embed_dim=16,
    num_layers=3,
    num_heads=4,
    feed_forward_dim=64,
    layer_norm=True,
    extractor_conv_layer_config=((16, 10, 5), (16, 8, 8), (16, 8, 8)),
    encoder_pos_conv_kernel=4,
    encoder_pos_conv_groups=4,
    encoder_num_buckets=8,
)


def with_classes(model: Model) -> Model:
    """Give a segmentation model the classes of two speakers."""
    model.specifications = Specifications(
        problem=Problem.MONO_LABEL_CLASSIFICATION,
        resolution=Resolution.FRAME,
        duration=1.0,
        classes=["a", "b"],
        powerset_max_classes=2,
        permutation_invariant=True,
    )
    model.setup()
    return model


def save_segmentation(model: Model, path: Path) -> Path:
    """Write a segmentation model of two speakers."""
    save_model(with_classes(model), path)
    return path
