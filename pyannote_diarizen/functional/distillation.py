# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Losses of knowledge distillation: hidden states of several layers, and posteriors.

References
----------
.. [1] Y. Peng et al., "DPHuBERT: Joint Distillation and Pruning of Self-Supervised
   Speech Models", Interspeech 2023.
.. [2] G. Hinton, O. Vinyals, J. Dean, "Distilling the Knowledge in a Neural Network",
   2015.
"""

from typing import Literal

import torch.nn.functional as F  # noqa: N812 - usual name
from torch import Tensor

CosineType = Literal["raw", "log_sig"]


def cosine_loss(student: Tensor, teacher: Tensor, kind: CosineType = "raw") -> Tensor:
    """Compare directions of hidden states.

    Parameters
    ----------
    student, teacher : (..., num_features) Tensor
    kind : {"raw", "log_sig"}, optional
        "raw" is minus the cosine; "log_sig", as in [1]_, minus the logarithm of its
        sigmoid, which has a larger gradient where directions differ. Defaults to "raw".

    Returns
    -------
    loss : () Tensor
        Mean over all vectors.
    """
    cosine = F.cosine_similarity(student, teacher, dim=-1)
    return -(cosine if kind == "raw" else F.logsigmoid(cosine)).mean()


def posterior_divergence(
    student: Tensor, teacher: Tensor, temperature: float = 1.0
) -> Tensor:
    """Kullback-Leibler divergence of the student from the teacher [2]_.

    Parameters
    ----------
    student, teacher : (batch, num_frames, num_classes) Tensor
        Log-probabilities, or logits.
    temperature : float, optional
        Divisor of both before the softmax. Higher values give more weight to classes
        with small probabilities. Defaults to 1.

    Returns
    -------
    divergence : () Tensor
        In nats per frame, times `temperature` squared: the scale of its gradient then
        does not depend on the temperature.
    """
    log_q = F.log_softmax(student / temperature, dim=-1).flatten(0, 1)
    log_p = F.log_softmax(teacher / temperature, dim=-1).flatten(0, 1)
    divergence = F.kl_div(log_q, log_p, reduction="batchmean", log_target=True)
    return divergence * temperature**2
