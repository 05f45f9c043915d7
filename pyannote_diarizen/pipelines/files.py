# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""A file while a pipeline processes it."""

from collections.abc import Iterator, MutableMapping
from typing import Any

import numpy as np
from pyannote.core import SlidingWindowFeature
from torch import Tensor

from pyannote_diarizen.audio.reader import AudioReader

_AUDIO_KEYS = ("waveform", "sample_rate", "channel")


class LoadedFile(MutableMapping):
    """A file whose audio is read once, the first time that someone needs it.

    To its readers it is a file with a waveform in memory. All other keys are
    those of `file`: what is lazy stays lazy, what a hook, a clustering or the cache
    of pipeline tuning stores is stored there.

    Parameters
    ----------
    file : MutableMapping
        A file that pyannote has validated.
    audio : AudioReader
        Choice of rate and channel.

    Attributes
    ----------
    channel_weights : (num_chunks, num_channels) np.ndarray or None
        What a multi-channel segmentation model said of the channels of each chunk.
    segmentations : (num_chunks, num_frames, num_speakers) SlidingWindowFeature or None
    embeddings : (num_chunks, num_speakers, dimension) np.ndarray or None
        What the networks said, once they have: they do not run again.
    """

    def __init__(self, file: MutableMapping, audio: AudioReader) -> None:
        self.file = file
        self.channel_weights: np.ndarray | None = None
        self.segmentations: SlidingWindowFeature | None = None
        self.embeddings: np.ndarray | None = None
        self._audio = audio
        self._waveform: Tensor | None = None

    @property
    def waveform(self) -> Tensor:
        """(num_channels, num_samples) waveform, as the reader gives it."""
        if self._waveform is None:
            self._waveform, _ = self._audio(self.file)
        return self._waveform

    @property
    def duration(self) -> float:
        """Duration in seconds."""
        return self.waveform.shape[1] / self._audio.sample_rate

    def unload(self) -> None:
        """Free all memory; the file is read and processed again if needed again."""
        self._waveform = self.channel_weights = None
        self.segmentations = self.embeddings = None

    def __getitem__(self, key: str) -> Any:
        """Value of `key`; "channel" has none, since it was chosen by reading."""
        if key == "waveform":
            return self.waveform
        if key == "sample_rate":
            return self._audio.sample_rate
        if key == "channel":
            raise KeyError(key)
        return self.file[key]

    def __contains__(self, key: object) -> bool:
        """Whether `key` has a value, without computing it."""
        if key in _AUDIO_KEYS:
            return key != "channel"
        return key in self.file

    def __setitem__(self, key: str, value: Any) -> None:
        """Store `value` in the underlying file."""
        self.file[key] = value

    def __delitem__(self, key: str) -> None:
        """Delete `key` from the underlying file."""
        del self.file[key]

    def __iter__(self) -> Iterator[str]:
        """Iterate over keys."""
        yield "waveform"
        yield "sample_rate"
        yield from (key for key in self.file if key not in _AUDIO_KEYS)

    def __len__(self) -> int:
        """Count keys."""
        return sum(1 for _ in self)
