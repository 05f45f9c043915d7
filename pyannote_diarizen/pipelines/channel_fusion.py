# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""From how a segmentation model looks at channels to one embedding out of them all.

Channels that the model looks at most are those that speakers are close to: their
embeddings weigh most, chunk by chunk.

References
----------
J. Han et al., arXiv:2510.14551, 2025.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from pyannote.audio.core.model import Model


@contextmanager
def recorded_channel_weights(model: Model) -> Iterator[list[np.ndarray]]:
    """Record what a multi-channel model says of the channels of each batch.

    Parameters
    ----------
    model : Model
        With `channel_weights` after each pass. Of others, nothing is recorded.

    Yields
    ------
    weights : list of (batch, channel) np.ndarray
        Grows with each pass.
    """
    weights: list[np.ndarray] = []

    def record(module: Model, *_: object) -> None:
        weights.append(module.channel_weights.float().cpu().numpy())

    if not hasattr(model, "channel_weights"):
        yield weights
        return
    hook = model.register_forward_hook(record)
    try:
        yield weights
    finally:
        hook.remove()


def average_channels(embeddings: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Average the embeddings of all channels.

    Parameters
    ----------
    embeddings : (num_channels, num_chunks, num_speakers, dimension) np.ndarray
    weights : (num_chunks, num_channels) np.ndarray
        Summing to one over channels.

    Returns
    -------
    average : (num_chunks, num_speakers, dimension) np.ndarray

    Examples
    --------
    >>> embeddings = np.array([[[[0.0, 8.0]]], [[[4.0, 4.0]]]])
    >>> average_channels(embeddings, np.array([[0.25, 0.75]])).tolist()
    [[[3.0, 5.0]]]
    """
    return np.einsum("cksd,kc->ksd", embeddings, weights)
