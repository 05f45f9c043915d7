# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Sources of audio samples: a path, a file object or a waveform in memory.

`pyannote.audio` decodes with torchcodec alone, which needs FFmpeg. Here soundfile
comes first (WAV, FLAC, OGG, Opus, MP3 and more, nothing to install) and torchcodec
reads the rest where it loads. Whatever is wrong with a file is told in one
`AudioFileError`: which file, what is wrong, what to do.
"""

import io
import math
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import soundfile
import torch
from torch import Tensor

from pyannote_diarizen.errors import AudioFileError, MissingAudioFileError

AudioFile = str | Path | io.IOBase | Mapping


@dataclass(frozen=True)
class AudioInfo:
    """What the header of an audio file says.

    Parameters
    ----------
    num_samples : int
        Number of samples of each channel.
    sample_rate : int
        Samples per second of each channel.
    num_channels : int
        Number of channels.
    """

    num_samples: int
    sample_rate: int
    num_channels: int

    @property
    def duration(self) -> float:
        """Duration in seconds."""
        return self.num_samples / self.sample_rate


class AudioSource(Protocol):
    """Samples at their own rate, read by range.

    Attributes
    ----------
    name : str
        What messages call this source.
    info : AudioInfo
        Length, rate and number of channels.
    block_duration : float
        Longest range, in seconds, that is wisely read at once: infinite where
        starting in the middle costs as much as reading from the beginning.
    """

    name: str
    info: AudioInfo
    block_duration: float

    def read(self, start: int, num_samples: int) -> Tensor:
        """Return (num_channels, num_samples) float32, fewer samples at the end."""


class WaveformSource:
    """Waveform that the caller holds in memory."""

    block_duration = math.inf

    def __init__(self, waveform: Any, sample_rate: Any, name: str = "waveform") -> None:
        self.name = name
        if isinstance(waveform, np.ndarray):
            waveform = torch.from_numpy(waveform)
        if not isinstance(waveform, Tensor) or waveform.ndim != 2:
            shape = getattr(waveform, "shape", type(waveform).__name__)
            raise AudioFileError(
                f"{name}: 'waveform' should be a (channel, time) tensor, got "
                f"{_plain(shape)}: is the channel dimension missing? Use "
                "`waveform[None]` for a mono signal."
            )
        if not waveform.is_floating_point():
            raise AudioFileError(
                f"{name}: 'waveform' should hold floats between -1 and 1, got "
                f"{waveform.dtype}: divide 16-bit integers by 32768."
            )
        num_channels, num_samples = waveform.shape
        if num_channels > num_samples > 0:
            raise AudioFileError(
                f"{name}: 'waveform' should be (channel, time), got "
                f"{_plain(waveform.shape)}: is it (time, channel)? Use `waveform.T`."
            )
        if not isinstance(sample_rate, (int, np.integer)) or sample_rate <= 0:
            raise AudioFileError(
                f"{name}: 'waveform' should come with its 'sample_rate', a positive "
                f"integer in hertz, got {sample_rate!r}."
            )
        self._waveform = waveform
        self.info = AudioInfo(num_samples, int(sample_rate), num_channels)

    def read(self, start: int, num_samples: int) -> Tensor:
        """See `AudioSource.read`."""
        return self._waveform[:, start : start + num_samples].float()


class SoundFileSource:
    """File that libsndfile reads."""

    # Keeps the peak memory of an hours-long file at one block above its result.
    block_duration = 60.0

    def __init__(self, file: soundfile.SoundFile, name: str) -> None:
        self.name = name
        self._file = file
        self.info = AudioInfo(file.frames, file.samplerate, file.channels)

    def read(self, start: int, num_samples: int) -> Tensor:
        """See `AudioSource.read`."""
        rate = self.info.sample_rate
        try:
            self._file.seek(start)
            samples = self._file.read(num_samples, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise AudioFileError(
                f"{self.name} is damaged somewhere after {start / rate:.3f} s "
                f"({error}): fetch or export it again."
            ) from error
        missing = min(num_samples, self.info.num_samples - start) - len(samples)
        if missing > 0:
            warnings.warn(
                f"{self.name} ends at {(start + len(samples)) / rate:.3f} s although "
                f"its header announces {self.info.duration:.3f} s: is it truncated?",
                stacklevel=2,
            )
        return torch.from_numpy(np.ascontiguousarray(samples.T))


class TorchcodecSource:
    """File that FFmpeg reads (M4A, WebM, the sound of a video...)."""

    # FFmpeg starts from the beginning of the stream whenever it goes back.
    block_duration = math.inf

    def __init__(self, decoder: Any, name: str) -> None:
        self.name = name
        self._decoder = decoder
        metadata = decoder.metadata
        rate = metadata.sample_rate
        duration = metadata.duration_seconds_from_header or 0.0
        self.info = AudioInfo(round(duration * rate), rate, metadata.num_channels)

    def read(self, start: int, num_samples: int) -> Tensor:
        """See `AudioSource.read`."""
        rate = self.info.sample_rate
        try:
            samples = self._decoder.get_samples_played_in_range(
                start / rate, (start + num_samples) / rate
            )
        except RuntimeError as error:
            raise AudioFileError(
                f"{self.name} is damaged somewhere after {start / rate:.3f} s "
                f"({error}): fetch or export it again."
            ) from error
        return samples.data[:, :num_samples]


@contextmanager
def open_audio(file: AudioFile) -> Iterator[AudioSource]:
    """Open `file`, whatever it is, and close it or rewind it at the end.

    Parameters
    ----------
    file : str, Path, file object or Mapping
        As in `pyannote.audio.Audio`: a path, a seekable binary file object, a mapping
        with one of these as "audio", or with "waveform" (channel, time) and
        "sample_rate".

    Yields
    ------
    source : AudioSource
        Where to read samples from.

    Raises
    ------
    AudioFileError
        If `file` cannot be read; `MissingAudioFileError`, which is a
        `FileNotFoundError` too, if its path does not exist.
    """
    if isinstance(file, Mapping):
        if "waveform" in file:
            name = str(file.get("uri", "waveform"))
            yield WaveformSource(file["waveform"], file.get("sample_rate"), name)
            return
        if "audio" not in file:
            raise AudioFileError(
                f"{file.get('uri', 'File')} should have an 'audio' or a 'waveform' "
                f"key, got {sorted(map(str, file))}."
            )
        file = file["audio"]

    if isinstance(file, (str, Path)):
        path = Path(file)
        _check_path(path)
        with _decode(path, f"'{path}'") as source:
            yield source
        return

    stream = _check_stream(file)
    stream.seek(0)
    try:
        with _decode(stream, f"file object {getattr(file, 'name', '')}".strip()) as s:
            yield s
    finally:
        stream.seek(0)


@contextmanager
def _decode(audio: Path | io.IOBase, name: str) -> Iterator[AudioSource]:
    """Soundfile if it can, torchcodec otherwise."""
    try:
        opened = soundfile.SoundFile(audio)
    # soundfile wants a sample rate for files named .raw, hence TypeError
    except (soundfile.LibsndfileError, TypeError) as error:
        yield _torchcodec_source(audio, name, str(error).rsplit(": ", 1)[-1])
        return
    with opened:
        yield SoundFileSource(opened, name)


def _torchcodec_source(
    audio: Path | io.IOBase, name: str, reason: str
) -> TorchcodecSource:
    """Fall-back; `reason` is why soundfile refused."""
    try:
        # loads FFmpeg, which may be absent: never at the top of a module
        from torchcodec.decoders import AudioDecoder
    except (ImportError, OSError, RuntimeError) as error:
        raise AudioFileError(
            f"{name} is not audio that soundfile can read ({reason}), and torchcodec, "
            "which reads more formats, does not load here (it needs FFmpeg). "
            "Is it audio at all? If so, convert it: `ffmpeg -i INPUT OUTPUT.wav`."
        ) from error
    if not isinstance(audio, Path):
        audio.seek(0)
    try:
        return TorchcodecSource(AudioDecoder(audio), name)
    except (RuntimeError, ValueError, TypeError) as error:
        raise AudioFileError(
            f"{name} is not audio that soundfile ({reason}) or torchcodec can read: "
            "is it audio at all? If so, convert it: `ffmpeg -i INPUT OUTPUT.wav`."
        ) from error


def _check_path(path: Path) -> None:
    if not path.exists():
        raise MissingAudioFileError(f"'{path}' does not exist: check its path.")
    if path.is_dir():
        raise AudioFileError(
            f"'{path}' is a folder where an audio file was expected: "
            "give one of the files that it holds."
        )
    if path.stat().st_size == 0:
        raise AudioFileError(f"'{path}' is empty (0 bytes): record or fetch it again.")


def _check_stream(file: Any) -> io.IOBase:
    if not (hasattr(file, "read") and hasattr(file, "seek")):
        raise AudioFileError(
            "An audio file should be a path, a file object, or a mapping with 'audio' "
            f"or with 'waveform' and 'sample_rate', got {type(file).__name__}."
        )
    name = getattr(file, "name", "The file object")
    if getattr(file, "closed", False):
        raise AudioFileError(f"{name} is closed: open it again.")
    if isinstance(file, io.TextIOBase):
        raise AudioFileError(f"{name} is open as text: use `open(path, 'rb')`.")
    if hasattr(file, "seekable") and not file.seekable():
        raise AudioFileError(
            f"{name} cannot seek: give `io.BytesIO(file.read())` instead."
        )
    return cast(io.IOBase, file)


def _plain(shape: Any) -> str:
    return str(tuple(shape)) if isinstance(shape, torch.Size) else str(shape)
