# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Digest of the weights of a model: what does not compare is told apart by it."""

import hashlib

import numpy as np
import torch
from torch import nn


def fingerprint(model: nn.Module) -> str:
    """Digest of the names, shapes and values of all weights and buffers.

    Parameters
    ----------
    model : nn.Module
        On any device. The file that it was loaded from does not matter, nor its format.

    Returns
    -------
    digest : str
        SHA-256, in hexadecimal.
    """
    digest = hashlib.sha256()
    for name, weight in sorted(model.state_dict().items()):
        # counters of batches that were seen tell nothing of what is computed
        if weight.is_complex():
            weight = torch.view_as_real(weight)
        elif not weight.is_floating_point():
            continue
        values = weight.detach().to("cpu", torch.float32).numpy()
        digest.update(f"{name} {tuple(values.shape)} ".encode())
        digest.update(np.ascontiguousarray(values, dtype="<f4").tobytes())
    return digest.hexdigest()
