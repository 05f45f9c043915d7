# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The one audio reader: any file, rate and channels; whole or in part.

`AudioReader` stands wherever `pyannote.audio.Audio` does, with the same rounding, and
needs no FFmpeg for the formats that soundfile reads.
"""

import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import torch
from pyannote.audio.core.io import Audio
from pyannote.core import Segment
from torch import Tensor

from pyannote_diarizen.data.decoding import (
    AudioFile,
    AudioInfo,
    AudioSource,
    open_audio,
)
from pyannote_diarizen.data.resampling import Resampling
from pyannote_diarizen.errors import AudioFileError, MissingAudioFileError

__all__ = ["AUDIO_SUFFIXES", "AudioReader", "audio_info", "list_audio", "read_audio"]

Channel = int | Literal["downmix"] | None

# What soundfile reads, then what torchcodec reads where FFmpeg is installed.
AUDIO_SUFFIXES = (
    *(".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".aif", ".aiff", ".au"),
    *(".sph", ".w64", ".caf"),
    *(".m4a", ".aac", ".wma", ".mp4", ".mkv", ".mov", ".webm"),
)


def list_audio(paths: Iterable[str | Path]) -> list[Path]:
    """Expand folders into the audio files that they hold.

    Parameters
    ----------
    paths : iterable of str or Path
        Files, kept as they are, and folders, searched recursively for files whose
        suffix is one of `AUDIO_SUFFIXES`, upper case or lower case.

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
        found = sorted(f for f in path.rglob("*") if f.suffix.lower() in AUDIO_SUFFIXES)
        if not found:
            raise AudioFileError(
                f"Folder '{path}' holds no audio file; the suffixes looked for are "
                f"{' '.join(AUDIO_SUFFIXES)}."
            )
        files.extend(found)
    return list(dict.fromkeys(files))


def audio_info(file: AudioFile) -> AudioInfo:
    """Length, sample rate and number of channels of `file`, without decoding it.

    Parameters
    ----------
    file : str, Path, file object or Mapping
        See `open_audio`.

    Returns
    -------
    info : AudioInfo
        What its header says.
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
    with open_audio(file) as source:
        rate = sample_rate or source.info.sample_rate
        first = round((start or 0.0) * rate)
        total = Resampling(source.info.sample_rate, rate).length(
            source.info.num_samples
        )
        last = total if duration is None else first + round(duration * rate)
        chosen = _file_channel(file, channel)
        return _read_range(source, first, min(last, total), rate, chosen), rate


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
        super().__init__(sample_rate=sample_rate, mono=mono)  # type: ignore[arg-type]
        self.channel = channel

    def get_duration(self, file: AudioFile) -> float:
        """Return the duration of `file` in seconds."""
        return audio_info(file).duration

    def __call__(self, file: AudioFile) -> tuple[Tensor, int]:
        """Return (num_channels, num_samples) waveform of `file` and its rate."""
        with open_audio(file) as source:
            rate, total = self._grid(source)
            return _read_range(source, 0, total, rate, self._choose(file, source)), rate

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
        with open_audio(file) as source:
            rate, total = self._grid(source)
            first = self.get_num_samples(float(segment.start), rate)
            last = first + self.get_num_samples(float(segment.duration), rate)
            outside = max(-first, last - total)
            if mode == "raise" and outside > max(1, self.PRECISION * rate):
                raise ValueError(
                    f"{source.name} lasts {source.info.duration:.3f} s, which does not "
                    f"contain the requested {segment.start:.3f} s to {segment.end:.3f} "
                    "s: use mode='pad' to fill up with zeros."
                )
            start, stop = min(max(0, first), total), max(0, min(last, total))
            inside = _read_range(source, start, stop, rate, self._choose(file, source))
        # what a truncated file lacks is padded too
        before = min(max(0, -first), last - first)
        after = last - first - before - inside.shape[1]
        return torch.nn.functional.pad(inside, (before, after)), rate

    def _grid(self, source: AudioSource) -> tuple[int, int]:
        """Rate of what comes out, and length of the whole file at that rate."""
        rate = self.sample_rate or source.info.sample_rate
        resampling = Resampling(source.info.sample_rate, rate)
        return rate, resampling.length(source.info.num_samples)

    def _choose(self, file: AudioFile, source: AudioSource) -> Channel:
        if self.channel is not None or self.mono is None:
            return _file_channel(file, self.channel)
        if self.mono == "random":
            return _file_channel(file, random.randrange(source.info.num_channels))
        return _file_channel(file, "downmix")


def _file_channel(file: AudioFile, default: Channel) -> Channel:
    channel = file.get("channel") if isinstance(file, Mapping) else None
    return default if channel is None else channel


def _read_range(
    source: AudioSource, start: int, stop: int, rate: int, channel: Channel
) -> Tensor:
    """Read samples `start` to `stop` of `source` at `rate`, block by block."""
    info = source.info
    if info.num_samples == 0:
        raise AudioFileError(f"{source.name} holds no sample: record it again.")
    resampling = Resampling(info.sample_rate, rate)
    num_samples = max(0, stop - start)
    waveform = torch.empty(info.num_channels if channel is None else 1, num_samples)
    block = max(1, int(min(source.block_duration * rate, num_samples)))
    for offset in range(0, num_samples, block):
        size = min(block, num_samples - offset)
        first, last = resampling.inputs(start + offset, start + offset + size)
        samples = source.read(first, min(last, info.num_samples) - first)
        _check_finite(samples, first, source)
        resampled = resampling(_remix(samples, channel, source))
        skipped = start + offset - resampling.length(first)
        part = resampled[:, skipped : skipped + size]
        waveform[:, offset : offset + part.shape[1]] = part
        if part.shape[1] < size:
            return waveform[:, : offset + part.shape[1]]
    return waveform


def _remix(samples: Tensor, channel: Channel, source: AudioSource) -> Tensor:
    if channel is None:
        return samples
    if channel == "downmix":
        return samples.mean(dim=0, keepdim=True)
    if not 0 <= channel < source.info.num_channels:
        raise AudioFileError(
            f"{source.name} has {source.info.num_channels} channel(s), numbered from "
            f"0: there is no channel {channel}."
        )
    return samples[channel : channel + 1]


def _check_finite(samples: Tensor, start: int, source: AudioSource) -> None:
    finite = torch.isfinite(samples).all(dim=0)
    if not finite.all():
        instant = (start + int(finite.int().argmin())) / source.info.sample_rate
        raise AudioFileError(
            f"{source.name} holds NaN or infinite samples, the first one at "
            f"{instant:.3f} s: export it again or replace them by zeros."
        )
