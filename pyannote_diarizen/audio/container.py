# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Decoding by PyAV: M4A, AAC, WebM, WMA, AMR, and the sound of videos.

The wheel of PyAV carries the libraries of FFmpeg, so that nothing else has to be
installed. They remove the samples that an encoder added, if the file has their number,
as MP4, WebM and WMA have. Raw AAC does not: its sound is 1024 samples late.

Time 0 is the start of the container, hence of the first of its streams. Timestamps of
MP4, WebM, ASF and others give the start of the sound, and gaps: after a pause, a lost
packet, or packets that were not sent during silence. Zeros fill these gaps, so that
times are those of a player. No sample is dropped.
"""

import warnings
from collections.abc import Iterator
from itertools import chain
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from packaging.version import Version
from torch import Tensor

from pyannote_diarizen.audio.spooling import spool
from pyannote_diarizen.errors import AudioFileError

# Seconds by which timestamps may be ahead of the samples without a gap: they are
# rounded (to milliseconds in WebM) and may come from another clock than the samples.
MIN_GAP = 0.1

# Maximum gap in seconds: longer jumps come from damage, or from a clock that was set.
MAX_GAP = 3600.0

# Seconds by which timestamps may lag behind the samples. If they lag more, they started
# again, as in files that were concatenated.
MAX_LAG = 10.0

# Share of the duration that may be missing at the end, because headers round.
DURATION_TOLERANCE = 0.02

# Formats without an index, such as raw AAC and AMR: their duration is an estimate.
WITHOUT_INDEX: Any = av.format.Flags.generic_index.value

# Playlists name other files and addresses: none of them is opened.
NO_OTHER_FILE = {"protocol_whitelist": "none"}

# PyAV decodes tags, which may be in any encoding; version 19 has no such option.
METADATA: Any = {}
if Version(av.__version__) < Version("19"):
    METADATA = {"metadata_errors": "ignore"}


class _Unnamed:
    """File object without its name, because libavformat would rely on the suffix."""

    def __init__(self, stream: Any) -> None:
        self.read, self.seek, self.tell = stream.read, stream.seek, stream.tell


def decode_container(stream: Any, name: str) -> tuple[Tensor, int, str | None]:
    """Decode the first audio stream.

    Parameters
    ----------
    stream : binary file object
        Seekable, at its beginning.
    name : str
        Name of the file in messages.

    Returns
    -------
    waveform : (num_channels, num_samples) Tensor
        float32, at the rate of the file.
    sample_rate : int
        In hertz.
    defect : str or None
        Damaged or missing parts, in a sentence.

    Raises
    ------
    AudioFileError
        If there is no audio stream, or its rate or channels change.
    ValueError
        If nothing can be decoded; the message is the reason.
    """
    try:
        with av.open(
            _Unnamed(stream), "r", options=NO_OTHER_FILE, **METADATA
        ) as container:
            _check_streams(container, name)
            packets = _Packets(container)
            return *_decode(packets, name), packets.defect()
    except av.FFmpegError as error:
        raise ValueError(f"{error.strerror}.") from error


def _check_streams(container: InputContainer, name: str) -> None:
    num_streams = len(container.streams.audio)
    if num_streams == 0:
        others = sorted({stream.type for stream in container.streams})
        raise AudioFileError(
            f"{name} has no sound: it holds {' and '.join(others) or 'nothing'}, but "
            "no audio stream. Give the file that the sound is in."
        )
    if num_streams > 1:
        warnings.warn(
            f"{name} has {num_streams} audio streams, of which the first one is read. "
            "To get the second one: `ffmpeg -i INPUT -map 0:a:1 OUTPUT.wav`.",
            stacklevel=3,
        )
    if container.streams.audio[0].codec_context is None:
        raise ValueError("There is no decoder for its audio stream.")


class _Packets:
    """Frames of the first audio stream, and defects that were found in it."""

    def __init__(self, container: InputContainer) -> None:
        self._container = container
        self._audio = container.streams.audio[0]
        self._start = (container.start_time or 0) / av.time_base
        # end of the last packet of any stream, in seconds
        self._end = self._start
        self._num_packets = self._num_damaged = 0

    @property
    def lead(self) -> float:
        """Seconds by which the audio stream starts after the container."""
        start, unit = self._audio.start_time, self._audio.time_base
        if start is None or unit is None:
            return 0.0
        return float(start * unit) - self._start

    def __iter__(self) -> Iterator[av.AudioFrame]:
        """Decode all packets that can be decoded."""
        try:
            for packet in self._container.demux():
                start = packet.dts if packet.pts is None else packet.pts
                if start is not None and packet.time_base:
                    end = (start + (packet.duration or 0)) * packet.time_base
                    self._end = max(self._end, float(end))
                if packet.stream.index == self._audio.index:
                    yield from self._frames(packet)
        except av.FFmpegError:
            self._num_damaged += 1
            yield from self._frames(None)

    def _frames(self, packet: av.Packet | None) -> Iterator[av.AudioFrame]:
        self._num_packets += 1
        try:
            yield from self._audio.decode(packet)
        except av.FFmpegError:
            self._num_damaged += 1

    def defect(self) -> str | None:
        """Describe missing parts, after all packets are decoded."""
        announced = (self._container.duration or 0) / av.time_base
        present = self._end - self._start
        guessed = self._container.format.flags & WITHOUT_INDEX
        if not guessed and present < (1 - DURATION_TOLERANCE) * announced:
            return f"Its header announces {announced:.1f} s, it holds {present:.1f}."
        if self._num_damaged:
            return (
                f"{self._num_damaged} of its {self._num_packets} packets cannot be "
                "decoded."
            )
        return None


def _decode(packets: _Packets, name: str) -> tuple[Tensor, int]:
    frames = iter(packets)
    first = next(frames, None)
    if first is None:
        raise ValueError("Its audio stream is empty, damaged, or copy-protected.")
    rate, num_channels = first.sample_rate, first.layout.nb_channels
    timeline = _Timeline(rate, packets.lead, name)

    def blocks() -> Iterator[np.ndarray]:
        for frame in chain([first], frames):
            found = frame.sample_rate, frame.layout.nb_channels
            if found != (rate, num_channels):
                raise AudioFileError(
                    f"{name} should keep its {rate} Hz and {num_channels} channel(s), "
                    f"got {found[0]} Hz and {found[1]} channel(s) from "
                    f"{timeline.num_samples / rate:.1f} s on. Convert it: "
                    "`ffmpeg -i INPUT OUTPUT.wav`."
                )
            gap = timeline.gap(frame)
            for start in range(0, gap, rate):
                yield np.zeros((min(rate, gap - start), num_channels), np.float32)
            yield _samples(frame)

    return spool(blocks(), num_channels, rate), rate


class _Timeline:
    """Number of decoded samples, compared with the timestamps of frames."""

    def __init__(self, rate: int, lead: float, name: str) -> None:
        self.num_samples = 0
        self._rate = rate
        self._lead = lead
        self._name = name
        # timestamp of sample 0, in seconds
        self._origin: float | None = None

    def gap(self, frame: av.AudioFrame) -> int:
        """Add the samples of `frame`, and return the number of zeros before it."""
        num_zeros = round(self._silence(frame) * self._rate)
        self.num_samples += num_zeros + frame.samples
        return num_zeros

    def _silence(self, frame: av.AudioFrame) -> float:
        if frame.pts is None or frame.time_base is None:
            return 0.0
        instant = float(frame.pts * frame.time_base)
        if self._origin is None:
            # samples that the decoder removed at the beginning are no gap
            self._origin = instant - self._lead
        silence = instant - self._origin - self.num_samples / self._rate
        if -MAX_LAG <= silence <= MAX_GAP:
            return silence if silence > (MIN_GAP if self.num_samples else 0.0) else 0.0
        if silence > MAX_GAP:
            warnings.warn(
                f"{self._name} has timestamps that jump by {silence / 3600:.1f} h at "
                f"{self.num_samples / self._rate:.1f} s. No silence is inserted "
                "there.",
                stacklevel=2,
            )
        self._origin += silence
        return 0.0


def _samples(frame: av.AudioFrame) -> np.ndarray:
    """Return (num_samples, num_channels) float32 between -1 and 1."""
    array = frame.to_ndarray()
    samples = array.T if frame.format.is_planar else array
    samples = samples.reshape(-1, frame.layout.nb_channels)
    floats = samples.astype(np.float32)
    if samples.dtype.kind == "f":
        return floats
    floats /= 1 << (8 * samples.itemsize - 1)
    return floats - 1 if samples.dtype.kind == "u" else floats
