# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Equal error rate of speaker embeddings, over all pairs of a validation set.

`EqualErrorRate` of pyannote.audio expects a list of trials; here, each pair of
embeddings is a trial.
"""

import torch
import torch.nn.functional as F  # noqa: N812 - usual name
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from pyannote_diarizen.functional.detection import pairwise_equal_error_rate


class PairwiseEqualErrorRate(Metric):
    """Equal error rate of cosine similarity over all pairs of embeddings."""

    higher_is_better = False
    embeddings: list[Tensor]
    labels: list[Tensor]

    def __init__(self) -> None:
        super().__init__()
        self.add_state("embeddings", default=[], dist_reduce_fx="cat")
        self.add_state("labels", default=[], dist_reduce_fx="cat")

    def update(self, embeddings: Tensor, labels: Tensor) -> None:
        """Add (batch, dimension) embeddings and their (batch,) speaker indices."""
        self.embeddings.append(F.normalize(embeddings.float(), dim=-1))
        self.labels.append(labels)

    def compute(self) -> Tensor:
        """Return the rate, between 0 and 1."""
        # NumPy: autocast to half precision would round scores to 256 values
        # lists, or tensors once torchmetrics has gathered those of all processes
        embeddings = dim_zero_cat(self.embeddings).cpu().numpy()
        labels = dim_zero_cat(self.labels).cpu().numpy()
        rate = pairwise_equal_error_rate(embeddings @ embeddings.T, labels)
        return torch.tensor(rate, dtype=torch.float32)
