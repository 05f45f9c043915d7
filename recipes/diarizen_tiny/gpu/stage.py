# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Data, learning rate and snapshots of a training on a GPU."""

import math
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from rooms import simulate_rooms
from scripts import LEAD, Scripts, read_meetings
from studio import Studio, read_recordings
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader
from voices import VOICES, VoiceBank, read_speech

from pyannote_diarizen.atomic import replacing

LARGE = 4096
"""Elements from which on weights are saved in half precision."""


class Stage(NamedTuple):
    """Parts that make conversations."""

    bank: VoiceBank
    studio: Studio
    scripts: DataLoader


def set_up(
    speech: Path,
    middles: np.ndarray,
    device: torch.device,
    batch_size: int,
    num_workers: int,
    seed: int,
    num_rooms: int = 500,
) -> Stage:
    """Decode speech and draw rooms."""
    began = time.monotonic()
    pool = read_speech(speech, "train", max(num_workers, 1))
    log(f"speech decoded: {time.monotonic() - began:.1f} s")
    bank = VoiceBank(pool, device, VOICES)
    log(f"{bank.num_voices} voices made: {time.monotonic() - began:.1f} s")
    responses = simulate_rooms(num_rooms, 5, LEAD, seed)
    studio = Studio(
        bank.samples,
        responses,
        read_recordings(speech / "noise"),
        read_recordings(speech / "picovoice_s2i"),
    )
    meetings = read_meetings(speech / "ami_train_rttm" / "train.rttm.gz")
    scripts = Scripts(bank.script, meetings, middles, batch_size, bank.num_voices, seed)
    loader = DataLoader(
        scripts,
        batch_size=None,
        num_workers=num_workers,
        prefetch_factor=4 if num_workers else None,
    )
    log(f"ready: {time.monotonic() - began:.1f} s")
    return Stage(bank, studio, loader)


class Clock:
    """Learning rate by the time spent: warm up, then a cosine."""

    def __init__(self, minutes: float, peak: float, warm_up: float = 0.04) -> None:
        self.seconds, self.peak, self.warm_up = 60 * minutes, peak, warm_up
        self.began = time.monotonic()

    @property
    def progress(self) -> float:
        """From 0 to 1."""
        return min((time.monotonic() - self.began) / self.seconds, 1.0)

    def set_rate(self, optimizer: torch.optim.Optimizer) -> None:
        """Set the learning rate."""
        rate = 0.5 * self.peak * (1 + math.cos(math.pi * self.progress))
        rate = max(rate * min(self.progress / self.warm_up, 1.0), 0.01 * self.peak)
        for group in optimizer.param_groups:
            group["lr"] = rate * group.get("share", 1.0)


class Snapshots:
    """Moving averages of weights, written at some parts of the way."""

    def __init__(self, model: nn.Module, path: Path, parts: int, decay: float) -> None:
        self.average = AveragedModel(
            model, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True
        )
        self.path, self.parts = path, parts
        self.taken: dict[str, dict[str, torch.Tensor]] = {}

    def update(self, model: nn.Module, progress: float, step: int) -> None:
        """Average; write a snapshot if due."""
        self.average.update_parameters(model)
        due = int(progress * self.parts)
        if due > len(self.taken):
            name = f"{due / self.parts:.2f}"
            self.taken[name] = {
                key: tensor.cpu().half() if tensor.numel() >= LARGE else tensor.cpu()
                for key, tensor in self.average.module.state_dict().items()
            }
            with replacing(self.path) as temporary:
                torch.save({"steps": step, "snapshots": self.taken}, temporary)
            log(f"snapshot {name} after {step} steps")


def log(message: str) -> None:
    """Print at once."""
    print(f"{time.strftime('%H:%M:%S')} {message}", flush=True)  # noqa: T201
