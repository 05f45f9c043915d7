# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Package of somebody else: a model and a task, registered as entry points.

`toy_components-0.1.dist-info` stands beside it, as pip would write it.
"""

from pyannote.audio.core.task import Task

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
