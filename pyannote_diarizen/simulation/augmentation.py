# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Augmentation of training chunks that keeps their labels true.

Transforms of torch-audiomentations, to be mixed with its own in a `Compose`. Its
`AddBackgroundNoise` and `ApplyImpulseResponse` need `torchaudio.info`, which is no
more, and read WAV only: those here read what we read. `Gain`, `AddColoredNoise`,
`PitchShift`, `PolarityInversion` and the filters are taken from it as they are; what
moves speech away from its labels is refused by `check_labels_stay_true`.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchaudio
from torch import Tensor, nn
from torch_audiomentations import Compose, Gain, PitchShift
from torch_audiomentations.core.transforms_interface import BaseWaveformTransform
from torch_audiomentations.utils.object_dict import ObjectDict

from pyannote_diarizen.audio.reader import list_audio
from pyannote_diarizen.audio.resampling import Resampling
from pyannote_diarizen.simulation.acoustics import (
    crop_noise,
    read_noises,
    read_response,
)

MOVING = ("Shift", "SpliceOut", "RandomCrop")
"""Transforms of torch-audiomentations that move speech, but not its labels."""


def check_labels_stay_true(augmentation: nn.Module) -> None:
    """Refuse transforms after which labels are wrong.

    Parameters
    ----------
    augmentation : nn.Module
        A transform, or several in a `Compose`.

    Raises
    ------
    ValueError
        If there is one.
    """
    for module in augmentation.modules():
        kind = type(module).__name__
        delayed = not getattr(module, "compensate_for_propagation_delay", True)
        if kind in MOVING or delayed:
            instead = "set `compensate_for_propagation_delay`" if delayed else "drop it"
            raise ValueError(
                f"Augmentation {kind} moves speech away from its labels: {instead}."
            )
        if kind == "MixSpeakerDiarization":
            raise ValueError(
                "Augmentation MixSpeakerDiarization takes the first speaker of one "
                "chunk for that of the other: use the `mixing` of PowersetDiarization."
            )


def recording_conditions(
    noises: Sequence[str | Path] = (),
    rooms: Sequence[str | Path] = (),
    speeds: Sequence[float] = (0.9, 1.1),
    semitones: float = 0.0,
    gain: float = 6.0,
    p: float = 0.5,
    sample_rate: int = 16000,
) -> Compose:
    """Record chunks elsewhere: what `hparams/augmentation/recording.yaml` stands for.

    Parameters
    ----------
    noises, rooms : sequence of str or Path, optional
        See `BackgroundNoise` and `Reverberation`. Default to none.
    speeds : sequence of float, optional
        See `Speed`. Defaults to none.
    semitones : float, optional
        Shift the pitch of a chunk, all speakers alike, by up to that, up or down. Slow.
        Defaults to 0, not at all.
    gain : float, optional
        Change the level by up to that, in dB, up or down. Defaults to 6.
    p : float, optional
        Share of chunks that each of these is applied to. Defaults to 0.5.
    sample_rate : int, optional
        Defaults to 16000.

    Returns
    -------
    augmentation : Compose
        What the `augmentation` of a task takes.
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
    transforms.append(Gain(-gain, gain, **common))
    return Compose(transforms, output_type="dict")


class _Transform(BaseWaveformTransform):
    """Transform that draws for each chunk, from a generator seeded by torch."""

    supported_modes = frozenset({"per_example"})

    def __init__(self, p: float, sample_rate: int) -> None:
        super().__init__("per_example", p, sample_rate=sample_rate, output_type="dict")

    def randomize_parameters(self, samples: Tensor, **_: Any) -> None:
        """Draw the parameters of each of (batch, channel, sample) chunks."""
        # workers of a data loader have different seeds of torch
        rng = np.random.default_rng(int(torch.randint(2**62, ())))
        self.transform_parameters["drawn"] = self.draw(samples, rng)

    def draw(self, samples: Tensor, rng: np.random.Generator) -> Any:
        """Return what `apply` needs."""
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
        """Transform chunks and targets as was drawn."""
        raise NotImplementedError


class BackgroundNoise(_Transform):
    """Add noise that was recorded; all channels get the same.

    Parameters
    ----------
    paths : sequence of str or Path
        Recordings, or folders of them, kept in memory.
    min_snr, max_snr : float, optional
        Level of a chunk over that of the noise, in dB. Default to 3 and 30.
    p : float, optional
        Share of chunks. Defaults to 0.5.
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
        """Draw noise of the level that it has below a chunk of unit level."""
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
    """Move all speakers of a chunk into a room, aligned with the direct path.

    Parameters
    ----------
    paths : sequence of str or Path
        Room responses, or folders of them.
    p : float, optional
        Share of chunks. Defaults to 0.5.
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
        responses = [
            read_response(path, sample_rate=sample_rate)
            for path in list_audio(_several(paths))
        ]
        self.responses = torch.from_numpy(np.stack(responses))

    def draw(self, samples: Tensor, rng: np.random.Generator) -> Tensor:
        """Draw a response for each chunk."""
        drawn = rng.integers(len(self.responses), size=len(samples))
        return self.responses[torch.from_numpy(drawn)].unsqueeze(1).to(samples)

    def apply(self, samples: Tensor, targets: Any, drawn: Tensor) -> tuple[Tensor, Any]:
        """Convolve, and keep the level."""
        drawn = drawn.expand(-1, samples.shape[1], -1)
        wet = torchaudio.functional.fftconvolve(samples, drawn)[
            ..., : samples.shape[-1]
        ]
        return wet * _level(samples) / _level(wet).clamp(min=1e-8), targets


class Speed(_Transform):
    """Play chunks faster or slower, pitch included, and their labels with them.

    What a faster chunk lacks at its end is silence, for labels as well.

    Parameters
    ----------
    speeds : sequence of float, optional
        One is drawn for each chunk; with two decimals. Default to 0.9 and 1.1.
    p : float, optional
        Share of chunks. Defaults to 0.5.
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
        """Resample chunks, and labels to the nearest frame."""
        played = torch.zeros_like(samples)
        for chunk, faster, speed in zip(samples, played, drawn, strict=True):
            resampled = Resampling(round(100 * speed), 100)(chunk)[
                ..., : chunk.shape[-1]
            ]
            faster[..., : resampled.shape[-1]] = resampled
        if targets is None:
            return played, None
        labels = torch.zeros_like(targets)
        frames = torch.arange(targets.shape[2]) + 0.5
        for chunk, faster, speed in zip(targets, labels, drawn, strict=True):
            source = (frames * speed).floor().long()
            heard = source < len(frames)
            faster[:, heard] = chunk[:, source[heard]]
        return played, labels


def _several(paths: str | Path | Iterable[str | Path]) -> list[str | Path]:
    return [paths] if isinstance(paths, (str, Path)) else list(paths)


def _level(samples: Tensor) -> Tensor:
    return samples.square().mean(dim=-1, keepdim=True).sqrt()
