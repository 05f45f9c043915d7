# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Segmentation model in sliding windows, on audio that is read batch by batch."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import get_ident
from typing import Any

import numpy as np
import torch
from pyannote.audio import Inference
from pyannote.audio.core.model import Model
from pyannote.audio.utils.powerset import Powerset
from pyannote.audio.utils.reproducibility import fix_reproducibility
from pyannote.core import SlidingWindow, SlidingWindowFeature
from torch import Tensor, nn, uint8

from pyannote_diarizen.pipelines.batches import CPU_BATCH, Passes, shrinking_batches
from pyannote_diarizen.pipelines.files import JoinedChunks, LoadedFile
from pyannote_diarizen.pipelines.scratch import new_array
from pyannote_diarizen.pipelines.sincnet import SharedSincNet


class HardMultilabel(nn.Module):
    """Powerset scores to 0 or 1 per speaker, as uint8.

    Parameters
    ----------
    powerset : Powerset
        Conversion that the host chose for the model.
    """

    def __init__(self, powerset: Powerset) -> None:
        super().__init__()
        self.powerset = powerset

    def forward(self, scores: Tensor) -> Tensor:
        """Map (batch, frames, classes) scores to (batch, frames, speakers) uint8."""
        return self.powerset(scores).to(uint8)


def configure(inference: Inference, duration: float | None, step: float) -> None:
    """Set the chunks of a segmentation model, and its output to uint8 if powerset.

    Parameters
    ----------
    inference : Inference
        Segmentation model in sliding windows.
    duration : float or None
        Duration of chunks, in seconds. None keeps that of training.
    step : float
        Step between chunks, as a ratio of their duration.
    """
    if duration is not None:
        inference.duration, inference.step = duration, step * duration
    if inference.model.specifications.powerset:
        inference.conversion = HardMultilabel(inference.conversion)


def count_chunks(file: LoadedFile, inference: Inference) -> int:
    """Count the chunks of a file; the last one is filled with zeros."""
    window, step = _samples(inference)
    return 1 + max(0, -(-(file.num_samples - window) // step))


def _samples(inference: Inference) -> tuple[int, int]:
    """Length of chunks and their distance, in samples."""
    audio = inference.model.audio
    step = round(inference.step * audio.sample_rate)
    return audio.get_num_samples(inference.duration), step


@contextmanager
def recorded_channel_weights(model: Model) -> Iterator[list[np.ndarray]]:
    """Record the channel weights that a multi-channel model computes for each batch.

    Parameters
    ----------
    model : Model
        Model that sets `channel_weights` in each pass. Nothing is recorded for models
        without that attribute.

    Yields
    ------
    weights : list of (batch, channel) np.ndarray
        One more array after each pass.
    """
    weights: list[np.ndarray] = []
    thread = get_ident()

    def record(module: Model, *_: object) -> None:
        # other threads may process other files with the same model
        if get_ident() == thread:
            weights.append(module.channel_weights.float().cpu().numpy())

    if not hasattr(model, "channel_weights"):
        yield weights
        return
    hook = model.register_forward_hook(record)
    try:
        yield weights
    finally:
        hook.remove()


def slide(
    files: Sequence[LoadedFile], inference: Inference, hook: Callable | None = None
) -> list[SlidingWindowFeature]:
    """Apply a model to all chunks of some files, in common batches.

    Equals `Inference.__call__` of pyannote.audio, without the whole waveform.

    Parameters
    ----------
    files : sequence of LoadedFile
    inference : Inference
        Segmentation model in sliding windows, without aggregation.
    hook : callable, optional
        Called with `completed` and `total`, in chunks, before the first batch and after
        each.

    Returns
    -------
    outputs : list of (num_chunks, num_frames, num_speakers) SlidingWindowFeature
        Output of the model for each file.
    """
    fix_reproducibility(inference.device)
    window, step = _samples(inference)
    joined = JoinedChunks(files, [count_chunks(file, inference) for file in files])
    num_chunks = sum(joined.num_chunks)
    shared = None
    if SharedSincNet.supports(inference, step):
        shared = SharedSincNet(inference, window, step)

    def read(chunks: range) -> list[Any]:
        parts: list[Any] = []
        for file, part in joined.parts(chunks):
            start = part.start * step
            waveform = file.read(start, (part.stop - 1) * step + window)
            if shared:
                parts.append(shared.filter(waveform, start, file))
            else:
                # chunks come first, then channels
                parts.append(waveform.unfold(1, window, step).transpose(0, 1))
        return parts

    def infer(parts: list[Any]) -> np.ndarray:
        return shared.infer(parts) if shared else inference.infer(torch.cat(parts))

    passes = Passes.of(
        *(inference.model, inference.device, inference.batch_size),
        name="segmentation_batch_size",
        cpu_batch=CPU_BATCH,
    )
    if hook is not None:
        hook(completed=0, total=num_chunks)
    data = np.empty(0)
    for chunks, output in shrinking_batches(read, infer, num_chunks, passes):
        if not len(data):
            data = new_array((num_chunks, *output.shape[1:]), output.dtype)
        data[chunks.start : chunks.stop] = output
        if hook is not None:
            hook(completed=chunks.stop, total=num_chunks)
    grid = SlidingWindow(start=0.0, duration=inference.duration, step=inference.step)
    return [SlidingWindowFeature(own, grid) for own in joined.split(data)]
