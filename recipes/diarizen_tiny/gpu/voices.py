# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""More speakers out of few: other speeds of their speech, and other formants.

All speech stays on the GPU, once for each `Voice`. Conversations are drawn from a pool
without samples that has the utterances of all voices.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
from gpu.conversations import SAMPLE_RATE
from torch import Tensor
from torchaudio.functional import resample

from pyannote_diarizen.simulation.speech import SpeechPool

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


class VoiceBank:
    """Speech of all voices of all speakers.

    Attributes
    ----------
    samples : (num_samples,) Tensor
        int16; all speech by the first voice, then all by the second...
    pool : SpeechPool
        The same, without samples: speakers are numbered by voice, then by speaker.
    """

    def __init__(
        self,
        pool: SpeechPool,
        device: torch.device,
        voices: tuple[Voice, ...] = VOICES,
    ) -> None:
        base = torch.tensor(pool.samples, device=device)
        blocks = torch.nn.functional.pad(base, (0, -len(base) % BLOCK)).split(BLOCK)
        changed = [torch.cat([change(b, voice) for b in blocks]) for voice in voices]
        offsets = np.cumsum([0, *map(len, changed)])[:-1]
        self.samples = torch.cat(changed)
        self.pool = _repeat(pool, voices, offsets, len(self.samples))


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


def _repeat(
    pool: SpeechPool, voices: tuple[Voice, ...], offsets: np.ndarray, num_samples: int
) -> SpeechPool:
    """Utterances of `pool` by each voice, from its offset on."""

    def place(positions: np.ndarray) -> np.ndarray:
        return np.concatenate(
            [
                (positions / float(voice.speed)).astype(int) + offset
                for voice, offset in zip(voices, offsets, strict=True)
            ]
        )

    num_voices, num_speakers = len(voices), len(pool.speakers)
    return SpeechPool(
        np.broadcast_to(np.int16(0), num_samples),
        place(pool.bounds),
        place(pool.segments),
        np.concatenate([pool.labels + num_speakers * i for i in range(num_voices)]),
        np.tile(pool.levels, num_voices),
        [f"{s} {i}" for i in range(num_voices) for s in pool.speakers],
        pool.sources * num_voices,
        SAMPLE_RATE,
    )
