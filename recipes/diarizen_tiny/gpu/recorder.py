# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Recordings of conversations on the GPU: rooms, noise, channels, levels."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from gpu.conversations import (
    LEAD,
    MAX_SPEAKERS,
    NUM_SAMPLES,
    SAMPLE_RATE,
    ConversationBatch,
)
from torch import Tensor
from torchaudio.functional import mu_law_decoding, mu_law_encoding

from pyannote_diarizen.simulation.acoustics import read_noises

LENGTH = 176_400
"""Of Fourier transforms: a product of small primes above chunk, lead and response."""
FADE = 160


def read_recordings(folder: Path) -> Tensor:
    """Join all recordings of a folder, each brought to unit level: (num_samples,)."""
    noises = read_noises(sorted(folder.glob("*.opus")))
    recordings = [noise.astype(np.float32) for noise in noises]
    levels = [np.sqrt(np.mean(r**2)) + 1e-3 for r in recordings]
    joined = [r / s for r, s in zip(recordings, levels, strict=True)]
    return torch.from_numpy(np.concatenate(joined)).half()


class BatchRecorder:
    """Record batches of conversations; `simulation.recording.Recorder` records one.

    Parameters
    ----------
    samples : (num_samples,) Tensor
        int16, on the GPU; pieces of conversations are parts of it.
    responses : (num_rooms, num_positions, LEAD) np.ndarray
    noise, babble : (num_samples,) Tensor
        Of unit level.
    """

    def __init__(
        self, samples: Tensor, responses: np.ndarray, noise: Tensor, babble: Tensor
    ) -> None:
        self.samples, self.device = samples, samples.device
        self.responses = torch.from_numpy(responses).to(self.device)
        self.noise, self.babble = noise.to(self.device), babble.to(self.device)

    def record(self, batch: ConversationBatch, real: Tensor) -> Tensor:
        """Record a batch.

        Parameters
        ----------
        batch : ConversationBatch
            On the device of `samples`.
        real : (num_real, NUM_SAMPLES) Tensor
            Recordings that replace the first conversations; noise is added, too.

        Returns
        -------
        waveforms : (num_chunks, 1, NUM_SAMPLES) Tensor
        """
        num_chunks = len(batch.activity)
        spectrum = self._in_rooms(self._lay_out(batch, num_chunks))
        padded = F.pad(real, (LEAD, LENGTH - LEAD - NUM_SAMPLES))
        spectrum = torch.cat([torch.fft.rfft(padded), spectrum[len(real) :]])
        spectrum = spectrum + self._noise(num_chunks)
        spectrum = spectrum * self._channel(num_chunks)
        waveforms = torch.fft.irfft(spectrum, LENGTH)[:, LEAD : LEAD + NUM_SAMPLES]
        return self._level(waveforms)[:, None]

    def _uniform(self, low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(*shape, device=self.device)

    def _chance(self, probability: float, *shape: int) -> Tensor:
        return torch.rand(*shape, device=self.device) < probability

    def _lay_out(self, batch: ConversationBatch, num_chunks: int) -> Tensor:
        """Dry speech: (num_chunks, MAX_SPEAKERS, LENGTH)."""
        pieces, gains, _ = batch
        chunk, speaker, start, length, source = pieces.unbind(1)
        piece = torch.repeat_interleave(
            torch.arange(len(pieces), device=self.device), length
        )
        begins = length.cumsum(0) - length
        offset = torch.arange(len(piece), device=self.device) - begins[piece]
        fade = torch.minimum(offset, length[piece] - 1 - offset).clamp(0, FADE) / FADE
        values = self.samples[source[piece] + offset].float() * gains[piece] * fade
        speech = torch.zeros(num_chunks * MAX_SPEAKERS * LENGTH, device=self.device)
        row = (chunk * MAX_SPEAKERS + speaker) * LENGTH + LEAD + start
        speech[row[piece] + offset] = values
        return speech.view(num_chunks, MAX_SPEAKERS, LENGTH)

    def _in_rooms(self, speech: Tensor) -> Tensor:
        """Spectra of conversations, with babble in some."""
        num_chunks = len(speech)
        babble = self._crop(self.babble, num_chunks)
        level = self._decibels(self._uniform(-35, -12, num_chunks, 1))
        babble = babble * level * self._chance(0.2, num_chunks, 1)
        voices = torch.cat(
            [speech, F.pad(babble, (0, LENGTH - babble.shape[1]))[:, None]], 1
        )
        rooms, positions = self.responses.shape[:2]
        room = torch.randint(rooms, (num_chunks, 1), device=self.device)
        place = torch.rand(num_chunks, positions, device=self.device).argsort(1)
        responses = self.responses[room, place[:, : MAX_SPEAKERS + 1]]
        # without a room: all speakers close to a microphone
        close = torch.zeros_like(responses)
        close[..., 0] = 1
        outside = self._chance(0.2, num_chunks)[:, None, None]
        responses = torch.where(outside, close, responses)
        gains = 4.0 * torch.randn(num_chunks, MAX_SPEAKERS, device=self.device)
        far = self._chance(0.15, num_chunks, MAX_SPEAKERS)
        gains = gains - far * self._uniform(3, 14, num_chunks, MAX_SPEAKERS)
        gains = F.pad(self._decibels(gains.clamp(-18, 10)), (0, 1), value=1.0)
        return sum(
            torch.fft.rfft(voices[:, i] * gains[:, i, None])
            * torch.fft.rfft(responses[:, i], LENGTH)
            for i in range(MAX_SPEAKERS + 1)
        )

    def _noise(self, num_chunks: int) -> Tensor:
        """Spectra of noise: recorded or coloured, and short sounds."""
        recorded = self._crop(self.noise, num_chunks)
        white = torch.randn(num_chunks, NUM_SAMPLES + LEAD, device=self.device)
        frequency = (
            torch.arange(LENGTH // 2 + 1, device=self.device).clamp(min=1) / 2000
        )
        slope = self._uniform(0, 2, num_chunks, 1)
        coloured = torch.fft.rfft(white, LENGTH) * frequency.clamp(min=0.02) ** (
            -slope / 2
        )
        norm = coloured.abs().square().mean(1, keepdim=True).sqrt()
        coloured = coloured / norm * LENGTH**0.5
        snr = self._uniform(0, 1, num_chunks, 1) ** 0.7 * 42 + 2
        spectrum = torch.where(
            self._chance(0.5, num_chunks, 1), torch.fft.rfft(recorded, LENGTH), coloured
        ) * self._decibels(-snr)
        return spectrum + torch.fft.rfft(self._events(num_chunks), LENGTH)

    def _events(self, num_chunks: int) -> Tensor:
        """Short sounds: (num_chunks, LEAD + NUM_SAMPLES)."""
        grid = (LEAD + NUM_SAMPLES) // 3200 + 2
        gates = self._chance(0.06, num_chunks, 1, grid).float()
        gates = gates * self._decibels(self._uniform(-30, 2, num_chunks, 1, grid))
        gates = gates * self._chance(0.6, num_chunks, 1, 1)
        gates = F.interpolate(gates, LEAD + NUM_SAMPLES, mode="linear")
        return gates[:, 0] * self._crop(self.noise, num_chunks)

    def _channel(self, num_chunks: int) -> Tensor:
        """Smooth gains by frequency; narrow bands: (num_chunks, LENGTH // 2 + 1)."""
        knots = self._uniform(0, 5, num_chunks, 1, 1) * torch.randn(
            num_chunks, 1, 10, device=self.device
        )
        hertz = torch.linspace(0, SAMPLE_RATE / 2, 1025, device=self.device)
        octave = (hertz.clamp(min=60) / 60).log2() / np.log2(SAMPLE_RATE / 120)
        grid = torch.stack([octave * 2 - 1, torch.zeros_like(octave)], -1)
        smooth = F.grid_sample(
            knots[:, :, None],
            grid.expand(num_chunks, 1, -1, -1),
            mode="bicubic",
            padding_mode="border",
            align_corners=True,
        )[:, 0, 0]
        narrow = self._chance(0.2, num_chunks, 1)
        low = torch.where(narrow, self._uniform(80, 400, num_chunks, 1), 20.0)
        high = torch.where(narrow, self._uniform(3000, 5500, num_chunks, 1), 9000.0)
        smooth = smooth - 24 * (low / hertz.clamp(min=20)).clamp(min=1).log2()
        smooth = smooth - 60 * (hertz / high).clamp(min=1).log2()
        gains = self._decibels(smooth)[:, None]
        return F.interpolate(gains, LENGTH // 2 + 1, mode="linear", align_corners=True)[
            :, 0
        ]

    def _level(self, waveforms: Tensor) -> Tensor:
        num_chunks = len(waveforms)
        waveforms = waveforms - waveforms.mean(1, keepdim=True)
        peak = waveforms.abs().amax(1, keepdim=True) + 1e-6
        waveforms = waveforms / peak
        drive = self._uniform(1, 5, num_chunks, 1)
        clipped = (drive * waveforms).tanh() / drive.tanh()
        waveforms = torch.where(self._chance(0.12, num_chunks, 1), clipped, waveforms)
        coded = mu_law_decoding(mu_law_encoding(waveforms, 256), 256)
        waveforms = torch.where(self._chance(0.05, num_chunks, 1), coded, waveforms)
        return waveforms * self._decibels(self._uniform(-30, -1, num_chunks, 1))

    def _crop(self, recordings: Tensor, num_chunks: int) -> Tensor:
        """Stretches of unit level: (num_chunks, LEAD + NUM_SAMPLES)."""
        size = LEAD + NUM_SAMPLES
        start = torch.randint(
            len(recordings) - size, (num_chunks, 1), device=self.device
        )
        crop = recordings[start + torch.arange(size, device=self.device)].float()
        return crop / (crop.square().mean(1, keepdim=True).sqrt() + 1e-3)

    @staticmethod
    def _decibels(decibels: Tensor) -> Tensor:
        return 10 ** (decibels / 20)


def resample_excerpt(recording: Tensor, start: float, speed: float) -> Tensor:
    """Interpolate an excerpt at another speed: (NUM_SAMPLES,)."""
    instants = start + speed * torch.arange(
        NUM_SAMPLES, device=recording.device, dtype=torch.float32
    )
    before = instants.floor()
    weight = instants - before
    index = before.long().clamp(max=len(recording) - 2)
    return recording[index] * (1 - weight) + recording[index + 1] * weight
