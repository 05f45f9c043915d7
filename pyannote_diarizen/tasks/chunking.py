# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Training chunks at regular starts, as in DiariZen.

pyannote.audio draws chunks at random: an epoch holds some twice, others not at all.
Here, an epoch holds each chunk once, in a new order.

Unlike DiariZen, which counts whole seconds, drops the first and the last second of each
region, and skips recordings shorter than a chunk plus two seconds, regions are used
from start to end. DiariZen uses the part `[start + 1, end - 1]`, in whole seconds.
"""

import os
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from itertools import count, islice
from math import ceil
from typing import Any

import numpy as np
from pyannote.audio.core.model import Model
from pyannote.audio.core.task import Subsets

from pyannote_diarizen.tasks.chunk_seeds import places_of_worker

PRECISION = 1e-3
"""Tolerance in seconds: times are stored in single precision."""


def shifted_chunks(
    start: float, end: float, duration: float, shift: float
) -> np.ndarray:
    """Compute the starts of the chunks of a region.

    Parameters
    ----------
    start, end : float
        Region, in seconds.
    duration : float
        Duration of a chunk, in seconds.
    shift : float
        Seconds from the start of a chunk to the next.

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
    # the last chunk starts at or before end - duration
    num = np.floor((end - start - duration + PRECISION) / shift) + 1
    return start + shift * np.arange(max(0, int(num)))


def training_chunks(
    prepared_data: Mapping[str, Any], duration: float, shift: float
) -> list[tuple[int, float]]:
    """File and start of each chunk of the training set.

    Parameters
    ----------
    prepared_data : Mapping
        Prepared data of the task.
    duration, shift : float
        See `shifted_chunks`.

    Raises
    ------
    ValueError
        If no region holds a chunk.
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


def balanced_filters(
    prepared_data: MutableMapping[str, Any], keys: Sequence[str]
) -> list[dict[str, str]]:
    """Values of some fields of recordings that occur together in the training set.

    Parameters
    ----------
    prepared_data : MutableMapping
        Prepared data of the task. The values of fields get the name under which filters
        of pyannote.audio 4.0.7 look for them, not the one of its own `prepare_data`.
    keys : sequence of str
        Fields of the protocol, as in "database".

    Raises
    ------
    ValueError
        If a recording of the training set has no such field.
    """
    values = prepared_data["metadata"] = prepared_data["metadata-values"].item()
    files = prepared_data["audio-metadata"]
    files = files[files["subset"] == Subsets.index("train")]
    for key in keys:
        if key not in values or (files[key] < 0).any():
            raise ValueError(
                f"`balance` needs the field '{key}' of all recordings: add it to the "
                "protocol, as in `domain: domain.map`."
            )
    indices = zip(*(files[key].tolist() for key in keys), strict=True)
    return [
        {key: values[key][index] for key, index in zip(keys, chosen, strict=True)}
        for chosen in sorted(set(indices))
    ] or [{}]


def chunks_per_process(num_chunks: int, model: Model, batch_size: int) -> int:
    """Divide the chunks of an epoch by the number of processes; at least a batch."""
    num_processes = 1 if model._trainer is None else model._trainer.world_size
    return max(batch_size, ceil(num_chunks / num_processes))


def chunks_of_worker(num_chunks: int, model: Model, batch_size: int) -> Iterator[int]:
    """Chunks of this worker of this process, without end.

    Parameters
    ----------
    num_chunks : int
        Number of chunks of an epoch, over all processes.
    model : Model
        Model that is trained.
    batch_size : int
        Workers make batches in turn.

    Yields
    ------
    chunk : int
        See `shuffled_epochs`.
    """
    chunks = shuffled_epochs(
        num_chunks,
        # set by Lightning's `seed_everything`, the same in all processes
        int(os.environ.get("PL_GLOBAL_SEED", "0")),
        model.current_epoch,
        model.global_rank,
        model.trainer.world_size,
    )
    passed = 0
    for place in places_of_worker(batch_size):
        yield next(islice(chunks, place - passed, None))
        passed = place + 1


def shuffled_epochs(
    num_chunks: int, seed: int, epoch: int, part: int, num_parts: int
) -> Iterator[int]:
    """Yield chunks without end, each once in an epoch, in a new order each time.

    Parameters
    ----------
    num_chunks : int
    seed : int
        Seed of the order, the same for all parts.
    epoch : int
        First epoch; a resumed run continues with the order it would have had.
    part, num_parts : int
        Index of this part and number of parts: parts share the chunks of an epoch.

    Yields
    ------
    chunk : int
    """
    for current in count(epoch):
        order = np.random.default_rng([seed, current]).permutation(num_chunks)
        yield from order[part::num_parts].tolist()
