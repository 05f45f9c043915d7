# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""More speakers out of few: other speeds of their speech, and other formants.

All speech stays on the GPU, once for each `Voice`. Conversations are written from a
pool without samples that has the utterances of all voices.
"""

from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torchaudio.functional import resample

from pyannote_diarizen.simulation.speech import Row, SpeechPool, decode, read_rows

SAMPLE_RATE = 16000
BLOCK = 1_008_000
"""Samples that are changed together; a multiple of the denominators of all speeds."""
WINDOW = 512
"""Of the Fourier transform by which formants are moved."""
LIFTER = 28
"""Cepstral coefficients that make the envelope: below the pitch of high voices."""


@dataclass(frozen=True)
class Voice:
    """Factors of speed (and pitch), and of formants."""

    speed: Fraction
    formants: float = 1.0


VOICES = tuple(
    Voice(Fraction(speed).limit_denominator(100), formants)
    for speed, formants in (
        ("1", 1.0),
        ("0.84", 1.0),
        ("0.92", 1.0),
        ("1.08", 1.0),
        ("1.2", 1.0),
        ("1", 0.88),
        ("1", 1.13),
        ("0.84", 1.12),
        ("1.2", 0.89),
        ("0.92", 0.9),
        ("1.08", 1.12),
    )
)


def read_speech(folder: Path, split: str, num_processes: int) -> SpeechPool:
    """Decode the utterances of a split in several processes."""
    rows = read_rows(folder / "utterances.tsv", split)
    files = sorted({row.file for row in rows})
    parts = [set(files[first::num_processes]) for first in range(num_processes)]
    shares = [[row for row in rows if row.file in part] for part in parts]
    shares = [share for share in shares if share]
    with ProcessPoolExecutor(num_processes) as executor:
        return join(executor.map(_read_rows, [folder] * len(shares), shares))


def _read_rows(folder: Path, rows: list[Row]) -> SpeechPool:
    return SpeechPool.from_utterances(decode(folder, rows, SAMPLE_RATE), SAMPLE_RATE)


def join(pools: Iterable[SpeechPool]) -> SpeechPool:
    """Join pools; speakers of the same name are one."""
    pools = list(pools)
    speakers: dict[str, str] = {}
    for pool in pools:
        speakers.update(zip(pool.speakers, pool.sources, strict=True))
    index = {speaker: number for number, speaker in enumerate(speakers)}
    starts = np.cumsum([0, *(len(pool.samples) for pool in pools)])[:-1]
    both = list(zip(pools, starts, strict=True))
    return SpeechPool(
        np.concatenate([pool.samples for pool in pools]),
        np.concatenate([pool.bounds + start for pool, start in both]),
        np.concatenate([pool.segments + start for pool, start in both]),
        np.concatenate(
            [np.array([index[s] for s in pool.speakers])[pool.labels] for pool in pools]
        ),
        np.concatenate([pool.levels for pool in pools]),
        list(speakers),
        list(speakers.values()),
        SAMPLE_RATE,
    )


class VoiceBank:
    """Speech of all voices of all speakers.

    Attributes
    ----------
    samples : (num_samples,) Tensor
        int16; all speech by the first voice, then all by the second...
    script : SpeechPool
        The same, without samples: speakers are numbered by voice, then by speaker.
    """

    def __init__(
        self,
        pool: SpeechPool,
        device: torch.device,
        voices: tuple[Voice, ...] = VOICES,
    ) -> None:
        self.num_speakers, self.num_voices = len(pool.speakers), len(voices)
        base = torch.from_numpy(pool.samples)
        base = torch.nn.functional.pad(base, (0, -len(base) % BLOCK)).to(device)
        made, scripts, offset = [], [], 0
        for voice in voices:
            samples = torch.cat([change(b, voice) for b in base.split(BLOCK)])
            made.append(samples)
            scripts.append((float(voice.speed), offset))
            offset += len(samples)
        self.samples = torch.cat(made)
        self.script = _scripts(pool, scripts, len(self.samples))


def change(samples: Tensor, voice: Voice) -> Tensor:
    """Change int16 samples to another voice."""
    speed, formants = voice.speed, voice.formants
    if speed == 1 and formants == 1:
        return samples
    waveform = samples.float()
    if speed != 1:
        waveform = resample(waveform, speed.numerator, speed.denominator)
    if formants != 1:
        waveform = move_formants(waveform, formants)
    return waveform.round().clamp(-(2**15), 2**15 - 1).short()


def move_formants(waveform: Tensor, factor: float) -> Tensor:
    """Stretch the spectral envelope by `factor`; the pitch stays."""
    window = torch.hann_window(WINDOW, device=waveform.device)
    spectrum = torch.stft(
        waveform, WINDOW, WINDOW // 4, window=window, return_complex=True
    )
    logarithm = (spectrum.abs() + 1.0).log()
    cepstrum = torch.fft.irfft(logarithm, dim=0)
    cepstrum[LIFTER : WINDOW - LIFTER + 1] = 0
    envelope = torch.fft.rfft(cepstrum, dim=0).real
    place = torch.arange(len(envelope), device=waveform.device) / factor
    place = place.clamp(max=len(envelope) - 1)
    low = place.floor().long().clamp(max=len(envelope) - 2)
    weight = (place - low)[:, None]
    moved = envelope[low] * (1 - weight) + envelope[low + 1] * weight
    gain = (moved - envelope).clamp(-4.6, 4.6).exp()
    return torch.istft(
        spectrum * gain, WINDOW, WINDOW // 4, window=window, length=len(waveform)
    )


def _scripts(
    pool: SpeechPool, scripts: list[tuple[float, int]], num_samples: int
) -> SpeechPool:
    """Utterances of `pool` at several speeds and places."""

    def place(positions: np.ndarray) -> np.ndarray:
        return np.concatenate([(positions / s).astype(int) + o for s, o in scripts])

    count = len(pool.speakers)
    return SpeechPool(
        np.broadcast_to(np.int16(0), num_samples),
        place(pool.bounds),
        place(pool.segments),
        np.concatenate([pool.labels + count * i for i in range(len(scripts))]),
        np.tile(pool.levels, len(scripts)),
        [f"{s} {i}" for i in range(len(scripts)) for s in pool.speakers],
        pool.sources * len(scripts),
        SAMPLE_RATE,
    )
