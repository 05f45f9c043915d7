# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Augmentation of training chunks that keeps their labels right.

The transforms are those of torch-audiomentations, to be combined in a `Compose`. Its
`AddBackgroundNoise` and `ApplyImpulseResponse` need `torchaudio.info`, which recent
versions lack, and read WAV only: `BackgroundNoise` and `Reverberation` replace them.
Transforms that move speech in time are refused by `check_labels_stay_true`.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchaudio
from torch import Tensor, nn
from torch_audiomentations import AddColoredNoise, Compose, Gain, PitchShift
from torch_audiomentations.core.transforms_interface import BaseWaveformTransform
from torch_audiomentations.utils.object_dict import ObjectDict

from pyannote_diarizen.audio.reader import list_audio
from pyannote_diarizen.audio.resampling import Resampling
from pyannote_diarizen.simulation.acoustics import (
    crop_noise,
    read_noises,
    read_rir,
)

MOVING = ("Shift", "SpliceOut", "RandomCrop")
"""Transforms of torch-audiomentations that move speech but not its labels."""


REPLACED = {
    "AddBackgroundNoise": "BackgroundNoise",
    "ApplyImpulseResponse": "Reverberation",
}
"""Our transform in place of each that needs `torchaudio.info`."""


def check_labels_stay_true(augmentation: nn.Module) -> None:
    """Refuse transforms that make labels wrong, or do not run.

    Parameters
    ----------
    augmentation : nn.Module
        A transform, or a `Compose` of several.

    Raises
    ------
    ValueError
        If there is such a transform.
    """
    for module in augmentation.modules():
        kind = type(module).__name__
        delayed = not getattr(module, "compensate_for_propagation_delay", True)
        if kind in MOVING or delayed:
            instead = "set `compensate_for_propagation_delay`" if delayed else "drop it"
            raise ValueError(
                f"Augmentation {kind} moves speech away from its labels: {instead}."
            )
        if kind in ("Mix", "MixSpeakerDiarization"):
            raise ValueError(
                f"Augmentation {kind} takes the first speaker of one chunk for that of "
                "the other: use the `mixing` of PowersetDiarization."
            )
        if kind in REPLACED:
            raise ValueError(
                f"Augmentation {kind} does not run with recent versions of torchaudio: "
                f"use {__name__}.{REPLACED[kind]}."
            )


def recording_conditions(
    noises: Sequence[str | Path] = (),
    rooms: Sequence[str | Path] = (),
    speeds: Sequence[float] = (0.9, 1.1),
    semitones: float = 0.0,
    gain: float = 6.0,
    p: float = 0.5,
    sample_rate: int = 16000,
    white_noise: Sequence[float] = (),
) -> Compose:
    """Change the recording conditions of chunks: speed, pitch, room, noise and level.

    Parameters
    ----------
    noises, rooms : sequence of str or Path, optional
        Audio files, or folders of them, see `BackgroundNoise` and `Reverberation`.
        Default to none.
    speeds : sequence of float, optional
        See `Speed`; empty for none. Defaults to 0.9 and 1.1.
    semitones : float, optional
        Maximum shift of the pitch, up or down, the same for all speakers of a chunk.
        Slow. Defaults to 0.
    gain : float, optional
        Maximum change of the level, up or down, in dB. Defaults to 6.
    p : float, optional
        Probability of each transform, for each chunk. Defaults to 0.5.
    sample_rate : int, optional
        Defaults to 16000.
    white_noise : sequence of float, optional
        Range of the signal-to-noise ratio of white noise, (lowest, highest) in dB;
        empty (default) for none.

    Returns
    -------
    augmentation : Compose
        Argument `augmentation` of a task.
    """
    common: dict[str, Any] = {
        "p": p,
        "sample_rate": sample_rate,
        "output_type": "dict",
    }
    transforms: list[BaseWaveformTransform] = []
    if speeds:
        transforms.append(Speed(speeds, p, sample_rate))
    if semitones:
        transforms.append(PitchShift(-semitones, semitones, **common))
    if rooms:
        transforms.append(Reverberation(rooms, p, sample_rate))
    if noises:
        transforms.append(BackgroundNoise(noises, p=p, sample_rate=sample_rate))
    if white_noise:
        low, high = white_noise
        flat = {"min_f_decay": 0.0, "max_f_decay": 0.0}
        transforms.append(AddColoredNoise(low, high, **flat, **common))
    if gain:
        transforms.append(Gain(-gain, gain, **common))
    return Compose(transforms, output_type="dict")


class _Transform(BaseWaveformTransform):
    """Transform with parameters drawn for each chunk by NumPy, seeded by torch."""

    supported_modes = frozenset({"per_example"})

    def __init__(self, p: float, sample_rate: int) -> None:
        super().__init__("per_example", p, sample_rate=sample_rate, output_type="dict")

    def randomize_parameters(self, samples: Tensor, **_: Any) -> None:
        """Draw the parameters of each chunk; `samples` is (batch, channel, sample)."""
        # each worker of a data loader has its own seed of torch
        rng = np.random.default_rng(int(torch.randint(2**62, ())))
        self.transform_parameters["drawn"] = self.draw(samples, rng)

    def draw(self, samples: Tensor, rng: np.random.Generator) -> Any:
        """Draw the parameters that `apply` takes."""
        raise NotImplementedError

    def apply_transform(
        self, samples: Tensor, sample_rate: int, targets: Tensor | None, **rest: Any
    ) -> ObjectDict:
        """Transform (batch, channel, sample) and (batch, channel, frame, class)."""
        drawn = self.transform_parameters["drawn"]
        samples, targets = self.apply(samples, targets, drawn)
        return ObjectDict(
            samples=samples, sample_rate=sample_rate, targets=targets, **rest
        )

    def apply(self, samples: Tensor, targets: Any, drawn: Any) -> tuple[Tensor, Any]:
        """Transform chunks and targets with the drawn parameters."""
        raise NotImplementedError


class BackgroundNoise(_Transform):
    """Add recorded noise, the same to all channels.

    Parameters
    ----------
    paths : sequence of str or Path
        Audio files, or folders of them, kept in memory.
    min_snr, max_snr : float, optional
        Range of the signal-to-noise ratio, in dB. Default to 3 and 30.
    p : float, optional
        Probability for each chunk. Defaults to 0.5.
    sample_rate : int, optional
        Defaults to 16000.

    Raises
    ------
    AudioFileError
        If there is no audio.
    ValueError
        If `min_snr` exceeds `max_snr`.
    """

    def __init__(
        self,
        paths: Sequence[str | Path],
        min_snr: float = 3.0,
        max_snr: float = 30.0,
        p: float = 0.5,
        sample_rate: int = 16000,
    ) -> None:
        super().__init__(p, sample_rate)
        if min_snr > max_snr:
            raise ValueError(f"`min_snr` ({min_snr}) exceeds `max_snr` ({max_snr}).")
        self.min_snr, self.max_snr = min_snr, max_snr
        self.noises = read_noises(_several(paths), sample_rate)

    def draw(self, samples: Tensor, rng: np.random.Generator) -> Tensor:
        """Draw noise for each chunk, scaled for a chunk with root mean square 1."""
        noises = [
            crop_noise(self.noises, samples.shape[-1], rng)
            * 10 ** (-rng.uniform(self.min_snr, self.max_snr) / 20)
            for _ in samples
        ]
        return torch.from_numpy(np.stack(noises)).unsqueeze(1).to(samples)

    def apply(self, samples: Tensor, targets: Any, drawn: Tensor) -> tuple[Tensor, Any]:
        """Add noise."""
        return samples + drawn * _level(samples), targets


class Reverberation(_Transform):
    """Convolve chunks with RIRs, aligned with the direct path.

    Parameters
    ----------
    paths : sequence of str or Path
        Audio files of RIRs, or folders of them.
    p : float, optional
        Probability for each chunk. Defaults to 0.5.
    sample_rate : int, optional
        Defaults to 16000.

    Raises
    ------
    AudioFileError
        If there is no audio.
    """

    def __init__(
        self, paths: Sequence[str | Path], p: float = 0.5, sample_rate: int = 16000
    ) -> None:
        super().__init__(p, sample_rate)
        rirs = [
            read_rir(path, sample_rate=sample_rate)
            for path in list_audio(_several(paths))
        ]
        self.rirs = torch.from_numpy(np.stack(rirs))

    def draw(self, samples: Tensor, rng: np.random.Generator) -> Tensor:
        """Draw an RIR for each chunk."""
        drawn = rng.integers(len(self.rirs), size=len(samples))
        return self.rirs[torch.from_numpy(drawn)].unsqueeze(1).to(samples)

    def apply(self, samples: Tensor, targets: Any, drawn: Tensor) -> tuple[Tensor, Any]:
        """Convolve and keep the level."""
        drawn = drawn.expand(-1, samples.shape[1], -1)
        wet = torchaudio.functional.fftconvolve(samples, drawn)[
            ..., : samples.shape[-1]
        ]
        return wet * _level(samples) / _level(wet).clamp(min=1e-8), targets


class Speed(_Transform):
    """Change the speed of chunks, with their pitch and their labels.

    The missing end of a faster chunk is silence, in its labels too.

    Parameters
    ----------
    speeds : sequence of float, optional
        Speeds to draw from, with at most two decimals. Default to 0.9 and 1.1.
    p : float, optional
        Probability for each chunk. Defaults to 0.5.
    sample_rate : int, optional
        Defaults to 16000.

    Raises
    ------
    ValueError
        If a speed is not between 0.5 and 2.
    """

    def __init__(
        self,
        speeds: Sequence[float] = (0.9, 1.1),
        p: float = 0.5,
        sample_rate: int = 16000,
    ) -> None:
        super().__init__(p, sample_rate)
        if not speeds or not all(0.5 <= speed <= 2 for speed in speeds):
            raise ValueError(f"`speeds` should be between 0.5 and 2, got {speeds}.")
        self.speeds = list(speeds)

    def draw(self, samples: Tensor, rng: np.random.Generator) -> list[float]:
        """Draw a speed for each chunk."""
        return rng.choice(self.speeds, size=len(samples)).tolist()

    def apply(
        self, samples: Tensor, targets: Any, drawn: list[float]
    ) -> tuple[Tensor, Any]:
        """Resample chunks, and take the label at the centre of each frame."""
        played = torch.zeros_like(samples)
        for chunk, faster, speed in zip(samples, played, drawn, strict=True):
            resampled = Resampling(round(100 * speed), 100)(chunk)[
                ..., : chunk.shape[-1]
            ]
            faster[..., : resampled.shape[-1]] = resampled
        if targets is None:
            return played, None
        labels = torch.zeros_like(targets)
        # centre i + 0.5 of a faster frame is at (i + 0.5) * speed before
        frames = torch.arange(targets.shape[2]) + 0.5
        for chunk, faster, speed in zip(targets, labels, drawn, strict=True):
            source = (frames * speed).floor().long()
            inside = source < len(frames)
            faster[:, inside] = chunk[:, source[inside]]
        return played, labels


def _several(paths: str | Path | Iterable[str | Path]) -> list[str | Path]:
    return [paths] if isinstance(paths, (str, Path)) else list(paths)


def _level(samples: Tensor) -> Tensor:
    return samples.square().mean(dim=-1, keepdim=True).sqrt()
