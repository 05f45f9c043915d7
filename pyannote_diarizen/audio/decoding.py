# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Decoding of whole files, from the first sample to the last.

Compressed formats have to be decoded in order. After a seek, libsndfile returns wrong
samples of MP3 with a variable bit rate and of Vorbis. The header of MP3, AAC and WebM
files may hold an estimate of their length, or no length.
"""

import functools
import io
import re
import warnings
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import soundfile
import torch
from torch import Tensor

from pyannote_diarizen.audio.headers import flac_starts
from pyannote_diarizen.audio.spooling import spool
from pyannote_diarizen.errors import AudioFileError

Stream = io.IOBase | BinaryIO

# Samples of each channel that are decoded at once.
BLOCK = 1 << 20

# libsndfile announces 2 ** 63 - 1 samples if the length is unknown.
MAX_NUM_SAMPLES = 1 << 48

# Bytes that may be missing in an intact file, whose header counts padding.
MIN_TRUNCATED = 8

# Bytes that may follow the sound in an intact file: tags, without cover art.
MAX_TAG_SIZE = 1 << 13

# Seconds of noise that PyAV may decode from such tags.
MAX_TAG_DURATION = 0.5

# Relative error of the length that is estimated for MP3 without a header frame.
LENGTH_TOLERANCE = 0.02

# Seconds that may be missing in an intact Ogg file, whose pages count its samples.
MAX_OGG_GAP = 0.02

_SIZES = re.compile(
    r"^\s*(?:data|SSND|Data Size|Riff size|riff)\s*: (\d+) \(should be (\d+)\)", re.M
)
"""Size in the header and present size, in the log of libsndfile, which has different
names for it: WAV, AIFF, AU, RF64 (whole file), W64 (whole file)."""

_MP3_HEADER = re.compile(b"(?:Xing|Info)(.{4})(.{4})", re.DOTALL)


class _InOrder(soundfile.SoundFile):
    """File that does not seek: `SoundFile` seeks after each read."""

    def seekable(self) -> bool:
        return False


@functools.lru_cache(maxsize=1)
def decode_path(path: Path, modified: int, size: int) -> tuple[Tensor, int]:
    """Decode a file; the result for the last file is kept.

    Pipelines read the chunks of one file one after the other. `modified` and `size`
    change with the content of the file.
    """
    with path.open("rb") as stream:
        return decode(stream, f"'{path}'")


def decode(stream: Stream, name: str) -> tuple[Tensor, int]:
    """Decode with soundfile, or with PyAV what soundfile cannot read.

    Parameters
    ----------
    stream : binary file object
        Seekable.
    name : str
        Name of the file in messages.

    Returns
    -------
    waveform : (num_channels, num_samples) Tensor
        float32, not to be written to.
    sample_rate : int
        In hertz.

    Raises
    ------
    AudioFileError
        If neither can decode it.
    """
    starts = flac_starts(stream)
    if len(starts) > 1:
        return _decode_joined(stream, starts, name)
    decoded = None
    try:
        decoded = _decode_with_soundfile(stream, name)
        if decoded.defect is None:
            return decoded.waveform, decoded.sample_rate
        defect = decoded.defect
    # TypeError: soundfile requires a sample rate for files named .raw
    except (soundfile.LibsndfileError, TypeError) as error:
        defect = getattr(error, "error_string", str(error))
    try:
        waveform, sample_rate, damage = _decode_with_pyav(stream, name, defect)
    except AudioFileError:
        if decoded is None:
            raise
        waveform, sample_rate = decoded.waveform, decoded.sample_rate
        damage = f"{defect} Only {decoded.duration:.1f} s are read."
    else:
        if decoded and waveform.shape[1] / sample_rate < decoded.min_duration:
            return decoded.waveform, decoded.sample_rate
        if decoded and decoded.has_gaps:
            damage = f"{defect} They are read as silence."
    if damage:
        warnings.warn(
            f"{name} is damaged or truncated. {damage} Fetch or export it again.",
            stacklevel=2,
        )
    return waveform, sample_rate


def truncation(file: soundfile.SoundFile) -> str | None:
    """Describe what is missing in a WAV, RF64, W64, AIFF or AU file, None if nothing.

    libsndfile reads the rest without an error, and writes both sizes to its log.
    """
    sizes = _SIZES.search(file.extra_info)
    if sizes is None:
        return None
    announced, present = map(int, sizes.groups())
    # programs that write to a pipe announce the largest size that fits; others count
    # bytes of padding, which are less than a sample
    if announced >= 0x7FFF0000 or announced - present < MIN_TRUNCATED:
        return None
    return f"Its header announces {announced} bytes, it holds {present}."


def _decode_joined(
    stream: Stream, starts: Sequence[int], name: str
) -> tuple[Tensor, int]:
    """Decode FLAC files that follow each other."""
    waveforms, sizes = [], []
    for start, end in pairwise([*starts, stream.seek(0, io.SEEK_END)]):
        stream.seek(start)
        waveform, rate = decode(io.BytesIO(stream.read(end - start)), name)
        waveforms.append(waveform)
        sizes.append((rate, len(waveform)))
    if len(set(sizes)) > 1:
        listed = ", then ".join(f"{rate} Hz, {num} channel(s)" for rate, num in sizes)
        raise AudioFileError(
            f"{name} holds {len(sizes)} FLAC files that differ: {listed}. Split it, or "
            "convert them to one rate and number of channels."
        )
    return torch.cat(waveforms, dim=1), rate


class _Decoded(NamedTuple):
    """Output of soundfile, and what PyAV may read in addition, if anything."""

    waveform: Tensor
    sample_rate: int
    defect: str | None = None
    has_gaps: bool = False
    tolerance: float = MAX_TAG_DURATION

    @property
    def duration(self) -> float:
        return self.waveform.shape[1] / self.sample_rate

    @property
    def min_duration(self) -> float:
        """Minimum duration of an output of PyAV that holds more sound, in seconds."""
        return self.duration + self.tolerance


def _decode_with_soundfile(stream: Stream, name: str) -> _Decoded:
    size = stream.seek(0, io.SEEK_END)
    guesses = _guesses_length(stream)
    stream.seek(0)
    with _InOrder(stream) as file:
        announced, rate, is_ogg = file.frames, file.samplerate, file.format == "OGG"
        decoded = _Decoded(spool(_blocks(file), file.channels, rate), rate)
    if guesses:
        return decoded._replace(defect="Its header does not hold its length.")
    unread = size - stream.tell()
    defect = f"Its header does not describe the last {unread} bytes."
    present = decoded.waveform.shape[1]
    missing = (announced - present) / rate if announced < MAX_NUM_SAMPLES else 0.0
    if is_ogg:  # its pages count samples, and no tag follows them
        decoded = decoded._replace(tolerance=MAX_OGG_GAP)
        if missing > MAX_OGG_GAP:
            defect = f"{missing:.1f} s of its sound are missing."
            return decoded._replace(defect=defect, has_gaps=True)
        return decoded._replace(defect=defect) if unread else decoded
    if missing > LENGTH_TOLERANCE * announced / rate:
        warnings.warn(
            f"{name} is truncated. Its header announces {announced / rate:.1f} s of "
            f"sound, it holds {present / rate:.1f}.",
            stacklevel=3,
        )
    return decoded._replace(defect=defect) if unread > MAX_TAG_SIZE else decoded


def _guesses_length(stream: Stream) -> bool:
    """Whether `stream` is MP3 without the header that holds the number of its frames.

    libsndfile then guesses the length from the bit rate of the first frame, and cuts
    what it decodes to that length.
    """
    stream.seek(0)
    head = stream.read(10)
    start = 0
    if head[:3] == b"ID3":  # four bytes of seven bits, without the ten of the tag
        start = 10 + sum(byte << 7 * (3 - i) for i, byte in enumerate(head[6:10]))
    stream.seek(start)
    frame = stream.read(256)
    # 11 bits of synchronization, then the layer: 01 is layer III
    is_mp3 = len(frame) > 2 and frame[0] == 0xFF and frame[1] & 0xE6 == 0xE2
    # then flags, of which 1 stands for the number of frames, and that number
    counts = _MP3_HEADER.findall(frame)
    is_known = any(flags[3] & 1 and any(count) for flags, count in counts)
    return is_mp3 and not is_known and b"VBRI" not in frame


def _blocks(file: soundfile.SoundFile) -> Iterator[np.ndarray]:
    while len(block := file.read(BLOCK, dtype="float32", always_2d=True)):
        yield block


def _decode_with_pyav(
    stream: Stream, name: str, defect: str
) -> tuple[Tensor, int, str | None]:
    """See `decode_container`; `defect` is the error of soundfile, or its warning."""
    stream.seek(0)
    try:
        # loads the libraries of FFmpeg, which most files do not need
        from pyannote_diarizen.audio.container import decode_container

        return decode_container(stream, name)
    except AudioFileError:
        raise
    except (ImportError, ValueError) as error:
        raise AudioFileError(
            f"{name} cannot be decoded. soundfile: {defect} PyAV: {error} Is it audio, "
            "and complete? If so, record or export it again."
        ) from error
