# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Random numbers of training chunks, which do not depend on the number of workers.

The workers of a data loader make batches in turn: of n workers, worker w makes the
batches w, w + n, w + 2n, ... pyannote.audio seeds each worker, so that batches depend
on n. Here, each chunk has the seed of its place in the epoch of a process.
"""

import os
import random
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import numpy as np
import torch
from lightning.pytorch.utilities.seed import isolate_rng
from pyannote.audio.core.model import Model
from torch.utils.data import get_worker_info


def batches_of_worker() -> Iterator[int]:
    """Yield the numbers of the batches that this worker makes, without end."""
    worker = get_worker_info()
    yield from count() if worker is None else count(worker.id, worker.num_workers)


def places_of_worker(batch_size: int) -> Iterator[int]:
    """Yield the places, in the epoch of a process, of the chunks of this worker."""
    for batch in batches_of_worker():
        yield from range(batch * batch_size, (batch + 1) * batch_size)


def place_seed(model: Model, place: int) -> int:
    """Compute the seed of a chunk.

    Parameters
    ----------
    model : Model
        Model in training, at some epoch, in one of several processes.
    place : int
        Place of the chunk, or number of a batch, in the epoch of this process.

    Returns
    -------
    seed : int
        32 bits.
    """
    # set by Lightning's `seed_everything`, the same in all processes
    run = os.environ.get("PL_GLOBAL_SEED", "0")
    drawn = (run, model.global_rank, model.current_epoch, place)
    return zlib.crc32(str(drawn).encode())


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed the global generators of the CPU, and restore their state at the end.

    Augmentations draw from them, in a worker or, without workers, between the steps of
    the training, which draws from them, too.
    """
    with isolate_rng(include_cuda=False):
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002 - libraries use this generator
        # `torch.manual_seed` would seed GPUs, too, whose dropout is of the training
        torch.default_generator.manual_seed(seed)
        yield
