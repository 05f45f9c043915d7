# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The one audio reader: any file, rate and channels; whole or in part.

`AudioReader` stands wherever `pyannote.audio.Audio` does, with the same rounding, and
needs no FFmpeg.
"""

import os
import random
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from pyannote.audio.core.io import Audio
from pyannote.core import Segment
from torch import Tensor

from pyannote_diarizen.audio.resampled import Channel, ResampledSource
from pyannote_diarizen.audio.sources import (
    AudioFile,
    AudioInfo,
    AudioSource,
    open_audio,
)
from pyannote_diarizen.errors import AudioFileError, MissingAudioFileError

__all__ = [
    *("AUDIO_SUFFIXES", "AudioReader", "audio_info", "list_audio", "read_audio"),
    "to_int16",
]

# What soundfile reads, then what PyAV does.
AUDIO_SUFFIXES = (
    ".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".aif", ".aiff", ".au", ".sph",
    ".w64", ".caf", ".m4a", ".aac", ".wma", ".amr", ".3gp", ".mp4", ".mkv", ".mov",
    ".webm",
)  # fmt: skip


def list_audio(paths: Iterable[str | Path]) -> list[Path]:
    """Expand folders into the audio files that they hold.

    Parameters
    ----------
    paths : iterable of str or Path
        Files, kept as they are, and folders, searched recursively for files whose
        suffix is one of `AUDIO_SUFFIXES`, upper case or lower case. Links to folders
        are followed; links to nothing are kept. There is a warning for each folder that
        cannot be read.

    Returns
    -------
    files : list of Path
        In the order of `paths`, each folder sorted, without repetition.

    Raises
    ------
    AudioFileError
        If a path does not exist or a folder holds no audio file.
    """
    files: list[Path] = []
    for path in map(Path, paths):
        if not path.exists():
            raise MissingAudioFileError(f"'{path}' does not exist: check its path.")
        if not path.is_dir():
            files.append(path)
            continue
        found = sorted(file for file in _walk(path) if _is_audio(file))
        if not found:
            raise AudioFileError(
                f"Folder '{path}' holds no audio file; the suffixes looked for are "
                f"{' '.join(AUDIO_SUFFIXES)}."
            )
        files.extend(found)
    return list(dict.fromkeys(files))


def _walk(folder: Path) -> Iterator[Path]:
    """Yield all files, each folder once, as links may lead back to a parent."""

    def warn(error: OSError) -> None:
        warnings.warn(
            f"Folder '{error.filename}' is left out: {error.strerror}.", stacklevel=4
        )

    seen = set()
    for root, folders, names in os.walk(folder, onerror=warn, followlinks=True):
        folders.sort()
        if (real := Path(root).resolve()) in seen:
            folders.clear()
            continue
        seen.add(real)
        yield from (Path(root, name) for name in names)


def _is_audio(path: Path) -> bool:
    # macOS puts a hidden "._name.wav" beside each file of a foreign disk
    hidden = path.name.startswith(".")
    is_file = path.is_file() or path.is_symlink()
    return path.suffix.lower() in AUDIO_SUFFIXES and not hidden and is_file


def audio_info(file: AudioFile) -> AudioInfo:
    """Length, sample rate and number of channels of `file`.

    Only headers that hold the exact length are used; compressed formats, except FLAC,
    are decoded.

    Parameters
    ----------
    file : str, Path, file object or Mapping
        See `open_audio`.

    Returns
    -------
    info : AudioInfo
        Exact; no sample is no error here.
    """
    with open_audio(file) as source:
        return source.info


def read_audio(
    file: AudioFile,
    sample_rate: int | None = 16000,
    channel: Channel = "downmix",
    start: float | None = None,
    duration: float | None = None,
) -> tuple[Tensor, int]:
    """Read `file`, or part of it.

    Parameters
    ----------
    file : str, Path, file object or Mapping
        See `open_audio`. The "channel" key of a mapping takes precedence over
        `channel`, as it does in `pyannote.audio`.
    sample_rate : int or None
        Resample to this rate, in hertz; None keeps that of the file.
    channel : int, "downmix" or None
        Zero-based channel to keep, average of all channels, or all channels.
    start : float, optional
        First instant to read, in seconds. Defaults to the beginning.
    duration : float, optional
        Seconds to read. Defaults to the rest of the file; what lies past its end is
        left out.

    Returns
    -------
    waveform : (num_channels, num_samples) Tensor
        float32.
    sample_rate : int
        Its rate in hertz.

    Raises
    ------
    AudioFileError
        If `file` cannot be read, is empty, holds NaN or infinite samples, or lacks
        `channel`.
    ValueError
        If `start` or `duration` is negative.
    """
    for name, value in (("start", start), ("duration", duration)):
        if value is not None and value < 0:
            raise ValueError(f"`{name}` should be in seconds, from 0, got {value}.")
    with open_audio(file) as original:
        source = _resample(original, file, sample_rate, channel)
        rate, total = source.info.sample_rate, source.info.num_samples
        first = round((start or 0.0) * rate)
        last = total if duration is None else first + round(duration * rate)
        return source.read(min(first, total), min(last, total)), rate


def to_int16(waveform: np.ndarray) -> np.ndarray:
    """Convert floats between -1 and 1 to 16-bit integers.

    Parameters
    ----------
    waveform : np.ndarray
        Values outside of this range are clipped.

    Returns
    -------
    samples : np.ndarray
        int16, rounded. Audio that was stored in 16 bits keeps its samples.

    Examples
    --------
    >>> to_int16(np.array([0.5, -1.0, 1.0]))
    array([ 16384, -32768,  32767], dtype=int16)
    """
    scaled = np.rint(waveform * 2**15)
    return scaled.clip(-(2**15), 2**15 - 1).astype(np.int16)


class AudioReader(Audio):
    """`pyannote.audio.Audio` that reads through `open_audio`.

    Parameters
    ----------
    sample_rate : int or None
        Resample to this rate, in hertz; None keeps that of each file.
    mono : {"downmix", "random"} or None
        Average the channels, draw one of them, or keep them all.
    channel : int, optional
        Zero-based channel to keep, in place of `mono`. The "channel" key of a file
        takes precedence.
    """

    def __init__(
        self,
        sample_rate: int | None = 16000,
        mono: Literal["downmix", "random"] | None = "downmix",
        channel: int | None = None,
    ) -> None:
        # the host says `int` where its default is None
        super().__init__(sample_rate=sample_rate, mono=mono)
        self.channel = channel

    def get_duration(self, file: AudioFile) -> float:
        """Return the duration of `file` in seconds."""
        return audio_info(file).duration

    def __call__(self, file: AudioFile) -> tuple[Tensor, int]:
        """Return (num_channels, num_samples) waveform of `file` and its rate."""
        with open_audio(file) as original:
            source = self._source(original, file)
            return source.read(0, source.info.num_samples), source.info.sample_rate

    def crop(
        self,
        file: AudioFile,
        segment: Segment,
        mode: Literal["raise", "pad"] = "raise",
    ) -> tuple[Tensor, int]:
        """Read `segment` of `file`, without reading the rest.

        Parameters
        ----------
        file : str, Path, file object or Mapping
            See `open_audio`.
        segment : Segment
            What to read; always `get_num_samples(segment.duration)` samples.
        mode : {"raise", "pad"}
            Outside of the file, beyond a tolerance of `PRECISION` seconds: raise a
            `ValueError`, or return zeros.

        Returns
        -------
        waveform : (num_channels, num_samples) Tensor
            float32.
        sample_rate : int
            Its rate in hertz.
        """
        with open_audio(file) as original:
            source = self._source(original, file)
            rate, total = source.info.sample_rate, source.info.num_samples
            first = self.get_num_samples(float(segment.start), rate)
            last = first + self.get_num_samples(float(segment.duration), rate)
            outside = max(-first, last - total)
            if mode == "raise" and outside > max(1, self.PRECISION * rate):
                raise ValueError(
                    f"{source.name} lasts {source.info.duration:.3f} s, which does not "
                    f"contain the requested {segment.start:.3f} s to {segment.end:.3f} "
                    "s: use mode='pad' to fill up with zeros."
                )
            start, stop = min(max(0, first), total), min(max(0, last), total)
            inside = source.read(start, stop)
        before = min(max(0, -first), last - first)
        after = last - first - before - inside.shape[1]
        return torch.nn.functional.pad(inside, (before, after)), rate

    def num_samples(self, file: AudioFile) -> int:
        """Return the number of samples of each channel, at the rate of this reader."""
        with open_audio(file) as original:
            return self._source(original, file).info.num_samples

    def read(self, file: AudioFile, start: int, stop: int) -> Tensor:
        """Read samples `start` to `stop`, at the rate of this reader.

        Parameters
        ----------
        file : str, Path, file object or Mapping
            See `open_audio`.
        start, stop : int
            Range, from 0.

        Returns
        -------
        waveform : (num_channels, stop - start) Tensor
            float32, zeros past the end of the file.
        """
        with open_audio(file) as original:
            source = self._source(original, file)
            total = source.info.num_samples
            inside = source.read(min(start, total), min(stop, total))
        return torch.nn.functional.pad(inside, (0, stop - start - inside.shape[1]))

    def _source(self, original: AudioSource, file: AudioFile) -> ResampledSource:
        channel: Channel = None
        if self.channel is not None:
            channel = self.channel
        elif self.mono == "random":
            channel = random.randrange(original.info.num_channels)
        elif self.mono == "downmix":
            channel = "downmix"
        return _resample(original, file, self.sample_rate, channel)


def _resample(
    original: AudioSource, file: AudioFile, sample_rate: int | None, channel: Channel
) -> ResampledSource:
    """Resample to a rate and channel; the "channel" key of `file` takes precedence."""
    chosen = file.get("channel") if isinstance(file, Mapping) else None
    if sample_rate is None:
        sample_rate = original.info.sample_rate
    return ResampledSource(original, sample_rate, channel if chosen is None else chosen)
