# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Sources of audio, from files of any kind, whose samples are read by range.

`pyannote.audio` decodes with torchcodec alone, which needs FFmpeg. Here soundfile
comes first (WAV, FLAC, OGG, Opus, MP3 and more) and PyAV reads the rest (M4A, WMA, AMR,
WebM, videos and more); their wheels carry what they need. Each fault of a file
raises one `AudioFileError`: which file, what is wrong, what to do.
"""

import functools
import io
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import soundfile
import torch
from torch import Tensor

from pyannote_diarizen.audio.decoding import (
    MAX_NUM_SAMPLES,
    Stream,
    decode,
    decode_path,
    truncation,
)
from pyannote_diarizen.audio.headers import complete_header, flac_starts
from pyannote_diarizen.audio.streams import adapt_stream, as_tensor, is_stream
from pyannote_diarizen.errors import AudioFileError, MissingAudioFileError

AudioFile = str | Path | Stream | Mapping

# Encodings in which any sample can be found by its position alone.
SEEKABLE = {"FLOAT", "DOUBLE", "ULAW", "ALAW", "IMA_ADPCM", "MS_ADPCM"}
SEEKABLE |= {"PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32"}


@dataclass(frozen=True)
class AudioInfo:
    """Size of an audio file.

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
        Name in messages.
    info : AudioInfo
        Exact length, rate and number of channels.
    """

    name: str
    info: AudioInfo

    def read(self, start: int, stop: int) -> Tensor:
        """Return samples `start` to `stop`, (num_channels, stop - start) floats."""


class WaveformSource:
    """Waveform that is already decoded."""

    def __init__(self, waveform: Tensor, sample_rate: int, name: str) -> None:
        self.name = name
        num_channels, num_samples = waveform.shape
        self.info = AudioInfo(num_samples, sample_rate, num_channels)
        self._waveform = waveform

    def read(self, start: int, stop: int) -> Tensor:
        """See `AudioSource.read`."""
        return self._waveform[:, start:stop].to("cpu", torch.float32)


class SoundFileSource:
    """Open file that libsndfile seeks exactly."""

    def __init__(self, file: soundfile.SoundFile, name: str) -> None:
        self.name = name
        self.info = AudioInfo(file.frames, file.samplerate, file.channels)
        self._file = file

    def read(self, start: int, stop: int) -> Tensor:
        """See `AudioSource.read`."""
        try:
            self._file.seek(start)
            samples = self._file.read(stop - start, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise AudioFileError(
                f"{self.name} is damaged after {start / self.info.sample_rate:.1f} s "
                f"({error.error_string}): fetch or export it again."
            ) from error
        return torch.from_numpy(samples.T)


@contextmanager
def open_audio(file: AudioFile) -> Iterator[AudioSource]:
    """Open `file`, whatever it is, and close it, or rewind it, at the end.

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
    if isinstance(file, Mapping) and "waveform" in file:
        yield _check_waveform(file)
        return
    audio = _audio_of(file)
    try:
        with _open(audio) as source:
            yield source
    finally:
        if not isinstance(audio, Path):
            audio.seek(0)


@contextmanager
def _open(audio: Path | Stream) -> Iterator[AudioSource]:
    """Read by range what can be, decode the rest from beginning to end."""
    name = f"'{audio}'" if isinstance(audio, Path) else _stream_name(audio)
    with ExitStack() as stack:
        try:
            opened = stack.enter_context(_completed(audio, name))
            file = stack.enter_context(soundfile.SoundFile(opened))
        # soundfile wants a sample rate for files named .raw, hence TypeError
        except (soundfile.LibsndfileError, TypeError):
            file = None
        if file and _is_seekable(file, audio):
            if defect := truncation(file):
                warnings.warn(f"{name} is truncated. {defect}", stacklevel=2)
            yield SoundFileSource(file, name)
        else:
            yield WaveformSource(*_decode(audio, name), name)


def _is_seekable(file: soundfile.SoundFile, audio: Path | Stream) -> bool:
    """Whether libsndfile can read all samples, and their number is right."""
    if file.subtype not in SEEKABLE or not 0 < file.frames < MAX_NUM_SAMPLES:
        return False
    if file.format != "FLAC":
        return True
    if isinstance(audio, Path):
        status = audio.stat()
        return not _is_joined(audio, status.st_mtime_ns, status.st_size)
    position = audio.tell()
    starts = flac_starts(audio)
    audio.seek(position)
    return len(starts) < 2


# reads the whole file, hence once, although chunks are read one by one
@functools.lru_cache(maxsize=1 << 14)
def _is_joined(path: Path, modified: int, size: int) -> bool:
    with path.open("rb") as stream:
        return len(flac_starts(stream)) > 1


@contextmanager
def _completed(audio: Path | Stream, name: str) -> Iterator[Any]:
    """Yield what soundfile opens: `audio`, or a file whose header is completed."""
    with audio.open("rb") if isinstance(audio, Path) else nullcontext(audio) as stream:
        completed = complete_header(stream, name)
        stream.seek(0)
        # soundfile encodes names strictly, which fails with an ASCII locale
        if isinstance(audio, Path) and os.name == "posix":
            yield completed or os.fsencode(audio)
        else:
            yield completed or audio


def _decode(audio: Path | Stream, name: str) -> tuple[Tensor, int]:
    if isinstance(audio, Path):
        status = audio.stat()
        return decode_path(audio, status.st_mtime_ns, status.st_size)
    return decode(audio, name)


def _audio_of(file: AudioFile) -> Path | Stream:
    """Path or file object of `file`, known to be readable."""
    audio: Any = file
    if isinstance(file, Mapping):
        if "audio" not in file:
            raise AudioFileError(
                f"{file.get('uri', 'The file')} should have an 'audio' or a 'waveform' "
                f"key, got {sorted(map(str, file))}."
            )
        audio = file["audio"]
    if isinstance(audio, (str, Path)):
        _check_path(Path(audio))
        return Path(audio)
    _check_stream(audio)
    audio.seek(0)
    return adapt_stream(audio)


def _check_path(path: Path) -> None:
    try:
        if path.is_dir():
            raise AudioFileError(
                f"'{path}' is a folder where an audio file was expected: give one of "
                "the files that it holds."
            )
        if path.exists() and not path.is_file():
            raise AudioFileError(
                f"'{path}' is a pipe or a device: write its content to a file first."
            )
        with path.open("rb") as stream:
            empty = not stream.read(1)
    except FileNotFoundError as error:
        raise MissingAudioFileError(f"'{path}' does not exist: check it.") from error
    except OSError as error:
        raise AudioFileError(f"'{path}' cannot be opened: {error.strerror}.") from error
    if empty:
        raise AudioFileError(f"'{path}' is empty (0 bytes): record or fetch it again.")


def _check_stream(stream: Any) -> None:
    if not is_stream(stream):
        raise AudioFileError(
            "An audio file should be a path, a file object, or a mapping with 'audio' "
            f"or with 'waveform' and 'sample_rate', got {type(stream).__name__}."
        )
    name = _stream_name(stream)
    if getattr(stream, "closed", False):
        raise AudioFileError(f"{name} is closed: open it again.")
    if isinstance(stream, io.TextIOBase):
        raise AudioFileError(f"{name} is open as text: use `open(path, 'rb')`.")
    if hasattr(stream, "seekable") and not stream.seekable():
        raise AudioFileError(f"{name} cannot seek: give `io.BytesIO(file.read())`.")


def _stream_name(stream: Any) -> str:
    return f"File object '{getattr(stream, 'name', type(stream).__name__)}'"


def _check_waveform(file: Mapping) -> WaveformSource:
    name = str(file.get("uri", "waveform"))
    waveform = as_tensor(file["waveform"])
    sample_rate: Any = file.get("sample_rate")
    if not isinstance(waveform, Tensor):
        raise AudioFileError(
            f"{name}: 'waveform' should be a (channel, time) tensor, got "
            f"{type(waveform).__name__}."
        )
    shape = tuple(waveform.shape)
    if waveform.ndim != 2 or shape[0] == 0:
        raise AudioFileError(
            f"{name}: 'waveform' should be (channel, time), got shape {shape}: is the "
            "channel dimension missing? Use `waveform[None]` for a mono signal."
        )
    if shape[0] > shape[1] > 0:
        raise AudioFileError(
            f"{name}: 'waveform' should be (channel, time), got shape {shape}: is it "
            "(time, channel)? Use `waveform.T`."
        )
    if not waveform.is_floating_point():
        raise AudioFileError(
            f"{name}: 'waveform' should hold floats between -1 and 1, got "
            f"{waveform.dtype}: divide 16-bit integers by 32768."
        )
    is_number = isinstance(sample_rate, (int, float, np.number))
    if not (is_number and sample_rate > 0 and sample_rate % 1 == 0):
        close = get_close_matches("sample_rate", [str(key) for key in file], n=1)
        guess = f" Rename the key '{close[0]}'?" if close and not sample_rate else ""
        raise AudioFileError(
            f"{name}: 'waveform' should come with its 'sample_rate', a positive "
            f"integer in hertz, got {sample_rate!r}.{guess}"
        )
    return WaveformSource(waveform.detach(), int(sample_rate), name)
