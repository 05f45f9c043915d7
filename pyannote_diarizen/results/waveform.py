# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Waveform of a recording for a page: its peaks, and its sound in WebM.

The recording is read once, in blocks, so that hours need little memory. Opus is
made for speech, and all current browsers play it.
"""

import io
from dataclasses import dataclass

import av
import numpy as np

from pyannote_diarizen.audio.reader import AudioReader, to_int16
from pyannote_diarizen.audio.sources import AudioFile

SOUND_TYPE = "audio/webm"
BIT_RATE = 24_000
"""Bits per second of sound: 11 megabytes an hour."""

MAX_PEAK_RATE = 200
"""Maximum number of peaks per second: one pixel each at a high zoom."""

MAX_NUM_PEAKS = 600_000
"""Maximum number of peaks of a page: 1.6 megabytes in base64."""

_SAMPLE_RATE = 16_000
_BLOCK_DURATION = 60
"""Seconds that are read at once."""


@dataclass(frozen=True)
class Waveform:
    """Waveform of a recording.

    Parameters
    ----------
    duration : float
        Seconds.
    peak_rate : float
        Peaks per second.
    peaks : (num_peaks, 2) np.ndarray
        int8: lowest and highest sample of each stretch. The loudest sample of the
        recording is 127 or -127.
    sound : bytes, optional
        File in WebM, one channel.
    """

    duration: float
    peak_rate: float
    peaks: np.ndarray
    sound: bytes | None = None


def read_waveform(
    file: AudioFile, with_sound: bool = False, channel: int | None = None
) -> Waveform:
    """Read the peaks of a recording, and compress its sound.

    Parameters
    ----------
    file : str, Path, file object or Mapping
        See `open_audio`.
    with_sound : bool, optional
        Compress the sound, too.
    channel : int, optional
        Channel, from 0. Default: average of all channels.

    Returns
    -------
    waveform : Waveform

    Raises
    ------
    AudioFileError
        If `file` cannot be read.
    """
    reader = AudioReader(_SAMPLE_RATE, channel=channel)
    num_samples = reader.num_samples(file)
    hop = max(_SAMPLE_RATE // MAX_PEAK_RATE, -(-num_samples // MAX_NUM_PEAKS))
    block = hop * max(1, _BLOCK_DURATION * _SAMPLE_RATE // hop)
    encoder = _Encoder() if with_sound else None
    peaks = []
    for start in range(0, num_samples, block):
        stop = min(start + block, num_samples)
        samples = reader.read(file, start, stop)[0].numpy()
        peaks.append(find_peaks(samples, hop))
        if encoder is not None:
            encoder.add(samples)
    return Waveform(
        duration=num_samples / _SAMPLE_RATE,
        peak_rate=_SAMPLE_RATE / hop,
        peaks=_to_int8(np.concatenate(peaks)),
        sound=None if encoder is None else encoder.finish(),
    )


def find_peaks(samples: np.ndarray, hop: int) -> np.ndarray:
    """Find the lowest and the highest sample of each stretch.

    Parameters
    ----------
    samples : (num_samples,) np.ndarray
    hop : int
        Samples of each stretch; the last one may be shorter.

    Returns
    -------
    peaks : (num_peaks, 2) np.ndarray

    Examples
    --------
    >>> find_peaks(np.array([0, 3, -1, 2, 5]), hop=2).tolist()
    [[0, 3], [-1, 2], [5, 5]]
    """
    starts = np.arange(0, len(samples), hop)
    lowest = np.minimum.reduceat(samples, starts)
    return np.stack([lowest, np.maximum.reduceat(samples, starts)], axis=1)


def _to_int8(peaks: np.ndarray) -> np.ndarray:
    """Scale so that the loudest sample is 127 or -127; silence stays 0."""
    loudest = np.abs(peaks).max()
    return np.rint(peaks * (127 / loudest if loudest > 0 else 0)).astype(np.int8)


class _Encoder:
    """Opus in WebM, in memory."""

    def __init__(self) -> None:
        self._file = io.BytesIO()
        self._container = av.open(self._file, "w", format="webm")
        self._stream = self._container.add_stream("libopus", rate=_SAMPLE_RATE)
        self._stream.layout = "mono"
        self._stream.bit_rate = BIT_RATE
        self._num_samples = 0

    def add(self, samples: np.ndarray) -> None:
        """Encode (num_samples,) floats."""
        frame = av.AudioFrame.from_ndarray(to_int16(samples)[None], "s16", "mono")
        frame.sample_rate = _SAMPLE_RATE
        frame.pts = self._num_samples
        self._num_samples += len(samples)
        self._container.mux(self._stream.encode(frame))

    def finish(self) -> bytes:
        """Return the file."""
        self._container.mux(self._stream.encode(None))
        self._container.close()
        return self._file.getvalue()
