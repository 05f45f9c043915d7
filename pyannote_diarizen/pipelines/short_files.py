# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Networks on several short files at once.

A file of a few seconds is one chunk: a batch of one, which one thread computes. Here
batches have the chunks of several files. 500 files of 3 to 12 s take half of the time
on two cores, and a GPU computes a batch of 32 as fast as one chunk.
"""

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from pyannote.audio.core.io import AudioFile
from pyannote.core import SlidingWindowFeature

from pyannote_diarizen.pipelines.batch import ERRORS, FAULTS
from pyannote_diarizen.pipelines.files import JoinedChunks, LoadedFile
from pyannote_diarizen.pipelines.segmentation import binarize_scores
from pyannote_diarizen.pipelines.sliding import count_chunks

if TYPE_CHECKING:
    from pyannote_diarizen.pipelines.diarizen import DiariZen

_BATCHES = 4
"""Batches of segmentation after which results are written."""


def load_together(
    pipeline: "DiariZen", files: Iterable[AudioFile]
) -> Iterator[AudioFile]:
    """Run the networks of a pipeline on files that are shorter than a batch.

    Parameters
    ----------
    pipeline : DiariZen
    files : iterable of AudioFile

    Yields
    ------
    file : AudioFile
        Each file, in order: a `LoadedFile` with the outputs of the networks, or the
        file itself if it is long, or causes an error.
    """
    waiting: list[tuple[AudioFile, LoadedFile]] = []
    num_chunks = 0
    for file in files:
        loaded = _load_short(pipeline, file)
        if loaded is not None:
            waiting.append((file, loaded))
            num_chunks += count_chunks(loaded, pipeline._segmentation)
        if loaded is None or num_chunks >= _BATCHES * pipeline.segmentation_batch_size:
            yield from _run_networks(pipeline, waiting)
            waiting, num_chunks = [], 0
        if loaded is None:
            yield file
    yield from _run_networks(pipeline, waiting)


def _load_short(pipeline: "DiariZen", file: AudioFile) -> LoadedFile | None:
    """Read a file; None if it is long, or needs more than its own chunks."""
    inference = pipeline._segmentation
    several_channels = hasattr(inference.model, "channel_weights")
    if pipeline.training or not pipeline.instantiated or several_channels:
        return None
    try:
        loaded = pipeline.prepare_one(file)
        if count_chunks(loaded, inference) >= pipeline.segmentation_batch_size:
            return None
        _ = loaded.waveform
    except (*ERRORS, *FAULTS):  # comes again when the pipeline gets the file
        return None
    return loaded


def _run_networks(
    pipeline: "DiariZen", files: list[tuple[AudioFile, LoadedFile]]
) -> Iterator[AudioFile]:
    """Yield files with the outputs of the networks, or as they were after an error."""
    if not files:
        return
    started = time.perf_counter()
    loaded = [file for _, file in files]
    outputs: list[AudioFile] = [*loaded]
    try:
        for file, some in zip(loaded, pipeline._segment(loaded), strict=True):
            file.segmentations = some
        _embed(pipeline, loaded)
    except (*ERRORS, *FAULTS):
        outputs = [file for file, _ in files]
    for file in loaded:
        file.seconds = (time.perf_counter() - started) / len(loaded)
    # outside of the handler: the error keeps the tensors of its frames
    yield from outputs


def _embed(pipeline: "DiariZen", files: list[LoadedFile]) -> None:
    """Set the embeddings of files with speech."""
    extract, threshold = pipeline._extraction(), pipeline._threshold
    if extract is None or pipeline.embedding_mode == "shared":
        return
    active = [
        (file, binary)
        for file in files
        if (binary := binarize_scores(file.segmentations, threshold)).data.any()
    ]
    if not active:
        return
    binaries = [binary for _, binary in active]
    chunks = binaries[0].sliding_window
    joined = JoinedChunks([file for file, _ in active], [*map(len, binaries)])
    embeddings = extract(
        joined,
        SlidingWindowFeature(np.concatenate([some.data for some in binaries]), chunks),
        pipeline.embedding_exclude_overlap,
    )
    for file, own in zip(joined.files, joined.split(embeddings), strict=True):
        file.embeddings, file.threshold = own, threshold
