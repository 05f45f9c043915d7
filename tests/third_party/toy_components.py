# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Third-party package: one component of each group, and a loss.

`docs/developers.md` shows it. `toy_components-0.1.dist-info` stands beside it, as pip
would write it from `pyproject.toml`.
"""

import numpy as np
import torch
from pyannote.audio import Pipeline
from pyannote.audio.core.task import Task
from pyannote.audio.pipelines.clustering import BaseClustering
from pyannote.core import Annotation, Segment
from pyannote.pipeline.parameter import Uniform

from pyannote_diarizen.models import FBankConformer
from pyannote_diarizen.tasks import PowersetDiarization


class ToyModel(FBankConformer):
    """Small model with an option of its own."""

    def __init__(self, width: int = 4, task: Task | None = None) -> None:
        super().__init__(
            n_mels=8,
            attention_in=width,
            ffn_hidden=width,
            num_head=2,
            num_layer=1,
            kernel_size=3,
            task=task,
        )


class ToyTask(PowersetDiarization):
    """Task with an option of its own."""

    def __init__(self, protocol, *, hint: str = "none", **options) -> None:
        super().__init__(protocol, **options)
        self.hint = hint


class ToyLoss(torch.nn.Module):
    """Squared error of the probability of each speaker."""

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, scores, active, powerset):
        error = powerset.to_multilabel(scores, soft=True) - active
        return self.scale * error.square().mean()


class ToyClustering(BaseClustering):
    """All local speakers of one index in one cluster."""

    def __init__(self, metric: str = "cosine", first: int = 0) -> None:
        super().__init__(metric=metric)
        self.first = first
        self.margin = Uniform(0.0, 1.0)

    @staticmethod
    def default_parameters() -> dict[str, float]:
        return {"margin": 0.25}

    def __call__(self, embeddings, segmentations=None, **bounds):
        num_chunks, num_speakers, dimension = embeddings.shape
        indices = (np.arange(num_speakers) + self.first) % num_speakers
        hard = np.tile(indices, (num_chunks, 1))
        soft = np.ones((num_chunks, num_speakers, num_speakers))
        return hard, soft, np.ones((num_speakers, dimension))


class ToyPipeline(Pipeline):
    """One speaker in the first second of any file."""

    def __init__(self, label: str = "toy", token=None, cache_dir=None) -> None:
        super().__init__()
        self.label = label

    def default_parameters(self) -> dict:
        return {}

    def apply(self, file, hook=None, **bounds) -> Annotation:
        annotation = Annotation(uri=file["uri"])
        annotation[Segment(0, 1)] = self.label
        return annotation
