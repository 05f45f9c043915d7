# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""A file in a pipeline: its audio is read once, and outputs of networks are kept."""

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from pyannote.audio.core.io import Audio, AudioFile
from pyannote.core import SlidingWindowFeature
from torch import Tensor
from torch.nn.functional import pad

from pyannote_diarizen.audio.reader import AudioReader, audio_info
from pyannote_diarizen.audio.streams import host_file
from pyannote_diarizen.errors import AudioFileError

MAX_LOADED = 1800.0
"""Seconds of audio that stay in memory: 115 MB for one channel at 16 kHz."""
BLOCK = 60
"""Seconds of audio that are read at once from longer files."""
CACHED_FILE = "training_cache/loaded_file"
"""Key under which a file keeps outputs of networks while a pipeline is tuned."""
_AUDIO_KEYS = ("waveform", "sample_rate", "channel")


def without_reference(file: Mapping[str, Any]) -> dict[str, Any]:
    """Copy the name and the audio of a file of a protocol.

    Pipelines would use the names or the number of the speakers of a reference.
    """
    shown = ("uri", "audio", *_AUDIO_KEYS)
    return {key: file[key] for key in shown if key in file}


class LoadedFile(MutableMapping):
    """File whose audio is read once, the first time that it is needed.

    It reads as a file with a waveform in memory. All other keys come from `file`:
    lazy keys stay lazy, and new keys of a hook or a clustering are stored in `file`.

    Parameters
    ----------
    file : MutableMapping
        File that pyannote has validated.
    audio : AudioReader
        Reader with the sample rate and channel to use.

    Attributes
    ----------
    channel_weights : (num_chunks, num_channels) np.ndarray or None
        Weights that a multi-channel segmentation model gives to channels.
    segmentations : (num_chunks, num_frames, num_speakers) SlidingWindowFeature or None
        Output of the segmentation network, once it has run.
    embeddings : (num_chunks, num_speakers, dimension) np.ndarray or None
        Output of the embedding network, once it has run.
    threshold : float or None
        Threshold on the segmentations from which `embeddings` were extracted.
    seconds : float
        Time that the networks took before the file came to a pipeline.
    """

    def __init__(self, file: MutableMapping, audio: AudioReader) -> None:
        self.file = file
        self.channel_weights: np.ndarray | None = None
        self.segmentations: SlidingWindowFeature | None = None
        self.embeddings: np.ndarray | None = None
        self.threshold: float | None = None
        self.seconds = 0.0
        self._audio = audio
        self._waveform: Tensor | None = None
        self._blocks: dict[int, Tensor] = {}
        self._num_samples: int | None = None

    @staticmethod
    def checked(file: AudioFile) -> AudioFile:
        """Return `file` for pyannote.audio; an `AudioFileError` if it has no sample."""
        if audio_info(file).num_samples == 0:
            name: Any = file
            if isinstance(file, Mapping):
                name = file.get("uri") or file.get("audio")
            raise AudioFileError(f"'{name}' holds no sample: record it again.")
        return host_file(file)

    @classmethod
    def of(cls, file: AudioFile, audio: AudioReader) -> "LoadedFile":
        """Validate `file`, unless it is loaded already."""
        if isinstance(file, cls):
            return file
        return cls(Audio.validate_file(cls.checked(file)), audio)

    @property
    def waveform(self) -> Tensor:
        """(num_channels, num_samples) waveform."""
        if self._waveform is None:
            self._waveform, _ = self._audio(self.file)
        return self._waveform

    @property
    def num_samples(self) -> int:
        """Number of samples of each channel."""
        if self._num_samples is None:
            self._num_samples = self._audio.num_samples(self.file)
        return self._num_samples

    @property
    def duration(self) -> float:
        """Duration in seconds."""
        return self.num_samples / self._audio.sample_rate

    def read(self, start: int, stop: int) -> Tensor:
        """Read samples `start` to `stop`, zeros past the end of the file.

        Recordings longer than `MAX_LOADED` are read in blocks, once per network.

        Returns
        -------
        waveform : (num_channels, stop - start) Tensor
        """
        if self._waveform is None and self.duration > MAX_LOADED:
            return self._read_blocks(start, stop)
        waveform = self.waveform[:, start:stop]
        return pad(waveform, (0, stop - start - waveform.shape[1]))

    def _read_blocks(self, start: int, stop: int) -> Tensor:
        """See `read`; the blocks of the last call are not read again."""
        size = BLOCK * self._audio.sample_rate
        first = start // size
        self._blocks = {
            block: self._blocks[block]
            if block in self._blocks
            else self._audio.read(self.file, block * size, (block + 1) * size)
            for block in range(first, -(-stop // size))
        }
        waveform = torch.cat(list(self._blocks.values()), dim=1)
        return waveform[:, start - first * size : stop - first * size]

    def unload_audio(self) -> None:
        """Free the waveform; it is read again if needed."""
        self._waveform, self._blocks = None, {}

    def unload(self) -> None:
        """Free the waveform and the outputs of the networks."""
        self.unload_audio()
        self.channel_weights = None
        self.segmentations = self.embeddings = None

    def __getitem__(self, key: str) -> Any:
        """Value of `key`. "channel" has none: the reader has selected it."""
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


@dataclass(frozen=True)
class JoinedChunks:
    """Chunks of several files, one file after the other.

    Parameters
    ----------
    files : sequence of LoadedFile
    num_chunks : sequence of int
        Number of chunks of each file.
    """

    files: Sequence[LoadedFile]
    num_chunks: Sequence[int]

    def parts(self, chunks: range) -> Iterator[tuple[LoadedFile, range]]:
        """Yield the files of some chunks, and the numbers of the chunks in them."""
        first = 0
        for file, num_chunks in zip(self.files, self.num_chunks, strict=True):
            start, stop = chunks.start - first, chunks.stop - first
            if inside := range(max(0, start), min(stop, num_chunks)):
                yield file, inside
            first += num_chunks

    def split(self, array: np.ndarray) -> list[np.ndarray]:
        """Split an array along chunks, into those of each file."""
        return np.split(array, np.cumsum(self.num_chunks)[:-1])
