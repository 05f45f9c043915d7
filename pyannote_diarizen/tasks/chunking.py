# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Chunks that follow each other by a fixed shift, as DiariZen trains on them.

pyannote.audio draws chunks at random, so that an epoch has some twice and others not at
all; here each is seen once in an epoch, in another order each time.

DiariZen counts in whole seconds, leaves out the first and the last one of each region,
and skips, without a word, recordings of less than the chunk and two seconds. Here a
region is used from its beginning to its end; what `[start + 1, end - 1]`, in whole
seconds, holds are the chunks of DiariZen.
"""

import os
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

import numpy as np
from pyannote.audio.core.model import Model
from pyannote.audio.core.task import Subsets
from torch.utils.data import get_worker_info

PRECISION = 1e-3
"""Seconds by which a region may be too short: times are stored in single precision."""


def shifted_chunks(
    start: float, end: float, duration: float, shift: float
) -> np.ndarray:
    """Tell where the chunks of a region start.

    Parameters
    ----------
    start, end : float
        The region, in seconds.
    duration : float
        Of chunks.
    shift : float
        From the start of a chunk to that of the next.

    Returns
    -------
    starts : (num_chunks,) np.ndarray
        Empty if the region is shorter than a chunk.

    Raises
    ------
    ValueError
        If `shift` is not positive.

    Examples
    --------
    >>> shifted_chunks(1.0, 24.0, duration=8.0, shift=6.0)
    array([ 1.,  7., 13.])
    """
    if not shift > 0:
        raise ValueError(f"`shift` should be in seconds, above 0, got {shift}.")
    num = np.floor((end - start - duration + PRECISION) / shift) + 1
    return start + shift * np.arange(max(0, int(num)))


def training_chunks(
    prepared_data: Mapping[str, Any], duration: float, shift: float
) -> list[tuple[int, float]]:
    """List the file and the start of each chunk of the training set.

    Parameters
    ----------
    prepared_data : Mapping
        Of the task.
    duration, shift : float
        See `shifted_chunks`.

    Raises
    ------
    ValueError
        If there is none.
    """
    subset = prepared_data["audio-metadata"]["subset"]
    files = set(np.flatnonzero(subset == Subsets.index("train")).tolist())
    chunks = [
        (int(region["file_id"]), float(start))
        for region in prepared_data["annotations-regions"]
        if int(region["file_id"]) in files
        for start in shifted_chunks(
            float(region["start"]),
            float(region["start"]) + float(region["duration"]),
            duration,
            shift,
        )
    ]
    if not chunks:
        raise ValueError(
            f"No annotated region of the training set lasts {duration:g} s: use "
            "shorter chunks."
        )
    return chunks


def share_of_worker(num_chunks: int, model: Model) -> Iterator[int]:
    """Go through those chunks for ever that are up to this worker of this process.

    Parameters
    ----------
    num_chunks : int
        Of all of them.
    model : Model
        That is trained on them.

    Yields
    ------
    chunk : int
        See `in_turn`.
    """
    worker = get_worker_info()
    num_workers, number = (1, 0) if worker is None else (worker.num_workers, worker.id)
    return in_turn(
        num_chunks,
        # of Lightning's `seed_everything`, the same in all processes
        int(os.environ.get("PL_GLOBAL_SEED", "0")),
        model.current_epoch,
        model.global_rank * num_workers + number,
        model.trainer.world_size * num_workers,
    )


def in_turn(
    num_chunks: int, seed: int, epoch: int, part: int, num_parts: int
) -> Iterator[int]:
    """Go through chunks for ever, each once in an epoch.

    Parameters
    ----------
    num_chunks : int
    seed : int
        The same for all parts.
    epoch : int
        To begin with: what is resumed goes on with the order that it would have had.
    part, num_parts : int
        Which of how many processes this one is; they share the chunks out.

    Yields
    ------
    chunk : int
    """
    for current in count(epoch):
        order = np.random.default_rng([seed, current]).permutation(num_chunks)
        yield from order[part::num_parts].tolist()
