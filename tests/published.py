# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Small pipelines in the layout that DiariZen publishes, with random weights."""

from pathlib import Path

import numpy as np
import torch
from pyannote.audio.core.task import Problem, Resolution, Specifications

from pyannote_diarizen.clustering import PLDA
from pyannote_diarizen.functional.plda import PLDAParameters
from pyannote_diarizen.models import SpeakerResNet, WavLMConformer
from pyannote_diarizen.models.checkpoint import save_model
from pyannote_diarizen.wavlm import WavLMConfig
from pyannote_diarizen.wavlm.config import CONV_LAYERS

WAVLM = WavLMConfig.dense(
    embed_dim=32,
    num_layers=2,
    num_heads=4,
    feed_forward_dim=24,
    layer_norm=True,
    extractor_conv_layer_config=[
        (num_channels, kernel, stride)
        for num_channels, (_, kernel, stride) in zip(
            (8, 8, 8, 8, 8, 8, 16), CONV_LAYERS, strict=True
        )
    ],
    encoder_pos_conv_kernel=16,
    encoder_pos_conv_groups=4,
).to_dict()
CONFIG = """
[meta]
save_dir = "exp"
seed = 3407

[trainer.args]
max_epochs = 20

[model]
path = "diarizen.models.eend.model_wavlm_conformer.Model"
[model.args]
wavlm_src = "/home/somebody/models/wavlm.bin"
wavlm_layer_num = 3
wavlm_feat_dim = 32
attention_in = 16
ffn_hidden = 24
num_head = 4
num_layer = 2
dropout = 0.1
chunk_size = 3
use_posi = false
output_activate_function = false
selected_channel = 0
max_speakers_per_chunk = 4
max_speakers_per_frame = 2

[inference.args]
seg_duration = 2
segmentation_step = 0.25
batch_size = 8
apply_median_filtering = false

[clustering.args]
method = "VBxClustering"
min_speakers = 1
max_speakers = 20
ahc_criterion = "distance"
ahc_threshold = 0.6
Fa = 0.07
Fb = 0.8
lda_dim = 128
max_iters = 20
"""


def segmentation_model() -> WavLMConformer:
    """Return the model that `CONFIG` describes."""
    torch.manual_seed(3)
    model = WavLMConformer(
        wavlm=WAVLM, attention_in=16, ffn_hidden=24, num_head=4, num_layer=2
    )
    model.specifications = Specifications(
        problem=Problem.MONO_LABEL_CLASSIFICATION,
        resolution=Resolution.FRAME,
        duration=3.0,
        classes=["speaker#1", "speaker#2", "speaker#3", "speaker#4"],
        powerset_max_classes=2,
        permutation_invariant=True,
    )
    model.setup()
    model.eval()
    # random weights hardly ever change their mind: let them
    model.classifier.weight.data *= 30
    with torch.inference_mode():
        scores = model(0.1 * torch.randn(1, 1, 48000))
    model.classifier.bias.data -= scores.mean(dim=(0, 1))
    return model


def embedding_model() -> SpeakerResNet:
    """Return a model that stands for the one which DiariZen takes from the hub."""
    torch.manual_seed(4)
    model = SpeakerResNet(channels=(4, 8), blocks=(1, 1), dimension=256)
    model.specifications = Specifications(
        problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=3.0
    )
    return model.eval()


def plda() -> PLDA:
    """Return a PLDA of its embeddings, of the dimensions of the published one."""
    rng = np.random.default_rng(5)
    return PLDA.from_parameters(
        PLDAParameters(
            mean1=0.1 * rng.standard_normal(256),
            lda=rng.standard_normal((256, 128)) / 16,
            mean2=0.1 * rng.standard_normal(128),
            mu=0.1 * rng.standard_normal(128),
            tr=np.eye(128) + 0.01 * rng.standard_normal((128, 128)),
            psi=np.linspace(4.0, 0.1, 128),
        )
    )


def write_original(folder: Path, **changes: str) -> Path:
    """Write `config.toml`, `pytorch_model.bin`, `wavlm.bin` and `plda/`.

    `changes` give other values to keys of `CONFIG`, "" leaves them out.
    """
    folder.mkdir(parents=True)
    lines = []
    for line in CONFIG.splitlines():
        key = line.split(" = ")[0]
        value = changes.pop(key, None)
        if value != "":
            lines.append(line if value is None else f"{key} = {value}")
    assert not changes
    (folder / "config.toml").write_text("\n".join(lines))
    (folder / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n")
    model = segmentation_model()
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    wavlm = {"config": WAVLM, "state_dict": model.wavlm_model.state_dict()}
    torch.save(wavlm, folder / "wavlm.bin")
    plda().save(folder / "plda")
    return folder


def write_embedding(folder: Path) -> Path:
    """Write `pytorch_model.bin`, in the format of pyannote.audio."""
    save_model(embedding_model(), folder / "pytorch_model.bin")
    return folder
