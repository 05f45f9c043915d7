# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Comparison of an exported network with its model of torch, on the same audio."""

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from pyannote.audio.core.model import Model
from pyannote.audio.torchmetrics.functional.audio.diarization_error_rate import (
    diarization_error_rate,
)
from pyannote.audio.utils.permutation import permutate
from pyannote.audio.utils.powerset import Powerset
from torch import Tensor

from pyannote_diarizen.export.graphs import role_of

REPORT = "report.json"
PAGE = "report.md"

MAX_ERROR_RATE = 0.01
"""Error rate of segmentations from which a network is no replacement."""

MIN_SIMILARITY = 0.99
"""Cosine similarity of embeddings below which a network is no replacement."""

NUM_PASSES = 3


@dataclass(frozen=True)
class Comparison:
    """Differences between two networks with the same input.

    Parameters
    ----------
    num_chunks : int
        Number of compared chunks.
    largest_difference : float
        Largest absolute difference of outputs: log-probabilities, or embeddings.
    changed_frames : float or None
        Share of frames whose most likely class changes, beyond the order of speakers
        in each chunk. None for embeddings.
    error_rate : float or None
        Diarization error rate of the exported network, with speakers of the model of
        torch as the reference, in each chunk. None for embeddings.
    min_similarity : float or None
        Smallest cosine similarity of embeddings. None for segmentations.
    speed_ratio : float
        Processing time of torch divided by that of the exported network.
    """

    num_chunks: int
    largest_difference: float
    changed_frames: float | None
    error_rate: float | None
    min_similarity: float | None
    speed_ratio: float

    @property
    def warning(self) -> str | None:
        """Description of a large difference, None if there is none."""
        if not math.isfinite(self.largest_difference):
            return "some outputs are not finite"
        if self.error_rate is not None and self.error_rate > MAX_ERROR_RATE:
            return (
                f"speakers differ from those of torch: error rate {self.error_rate:.1%}"
                f", {self.changed_frames:.1%} of the frames change their class"
            )
        if self.min_similarity is not None and self.min_similarity < MIN_SIMILARITY:
            return (
                "embeddings differ from those of torch: cosine similarity down to "
                f"{self.min_similarity:.3f}"
            )
        return None


def compare(model: Model, exported: Model, waveforms: Tensor) -> Comparison:
    """Compare an exported network with its model.

    Parameters
    ----------
    model, exported : Model
        Model of torch, and the network that was made from it.
    waveforms : (num_chunks, 1, num_samples) Tensor
        Audio with speech.

    Returns
    -------
    comparison : Comparison
    """
    inputs: tuple[Tensor, ...] = (waveforms,)
    if role_of(model) == "embedding":
        inputs += (_masks(len(waveforms)),)
    # best of several passes in turn: other work on the machine slows both down
    passes = [(_run(model, inputs), _run(exported, inputs)) for _ in range(NUM_PASSES)]
    ((expected, _), (computed, _)), *_ = passes
    reference_time, processing_time = (
        min(each[index][1] for each in passes) for index in (0, 1)
    )
    difference = (expected - computed).abs().amax().item()
    changed = error_rate = similarity = None
    if role_of(model) == "embedding":
        similarity = torch.cosine_similarity(expected, computed, dim=-1).min().item()
    else:
        reference, hypothesis = (
            _speakers(model, scores) for scores in (expected, computed)
        )
        # the order of the speakers of a chunk is arbitrary
        hypothesis, _ = permutate(reference, hypothesis)
        changed = (reference != hypothesis).any(-1).float().mean().item()
        rate = diarization_error_rate(
            hypothesis.transpose(1, 2), reference.transpose(1, 2)
        ).item()
        # without speech, any error is a rate of 1
        error_rate = rate if reference.any() else float(rate > 0)
    return Comparison(
        len(waveforms),
        difference,
        changed,
        error_rate,
        similarity,
        reference_time / processing_time,
    )


def write_report(
    comparison: Comparison, description: Mapping[str, Any], folder: Path
) -> None:
    """Write `report.json` and `report.md` beside a network.

    Parameters
    ----------
    comparison : Comparison
    description : Mapping
        Keys "file", "precision" and "num_bytes" of the network, and "reference_bytes"
        of the weights in float32.
    folder : Path
        Folder of the network.
    """
    report = {**description, **asdict(comparison), "warning": comparison.warning}
    text = json.dumps(report, indent=2)
    (folder / REPORT).write_text(text + "\n", encoding="utf-8")
    lines = [f"# {report['file']}, {report['precision']}, against torch", ""]
    lines += ["| measure | value |", "|---|---:|"]
    lines += [f"| {name} | {value} |" for name, value in rows(report)]
    if comparison.warning:
        lines += ["", f"Warning: {comparison.warning}."]
    (folder / PAGE).write_text("\n".join(lines) + "\n", encoding="utf-8")


def rows(report: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """Format a report as names and values."""
    formats = {
        "largest_difference": ("largest difference", "{:.1e}"),
        "changed_frames": ("frames whose class changes", "{:.2%}"),
        "error_rate": ("error rate against torch", "{:.2%}"),
        "min_similarity": ("smallest cosine similarity", "{:.6f}"),
        "speed_ratio": ("speed, relative to torch", "{:.2f}"),
        "num_bytes": ("size, bytes", "{:,}"),
        "reference_bytes": ("weights in float32, bytes", "{:,}"),
        "num_chunks": ("chunks", "{}"),
    }
    return [
        (name, form.format(report[key]))
        for key, (name, form) in formats.items()
        if report.get(key) is not None
    ]


@torch.inference_mode()
def _run(model: Model, inputs: tuple[Tensor, ...]) -> tuple[Tensor, float]:
    """Return the output of all chunks, and the processing time."""
    started = time.perf_counter()
    output = model(*inputs)
    return output.float(), time.perf_counter() - started


def _masks(num_chunks: int, num_frames: int = 200) -> Tensor:
    """Masks (num_chunks, 2, num_frames) of the whole chunk and of its second half."""
    masks = torch.ones(num_chunks, 2, num_frames)
    masks[:, 1, : num_frames // 2] = 0
    return masks


def _speakers(model: Model, scores: Tensor) -> Tensor:
    """Map scores to (num_chunks, num_frames, num_speakers) activities."""
    specifications = model.specifications
    if specifications.powerset:
        powerset = Powerset(
            len(specifications.classes), specifications.powerset_max_classes
        )
        return powerset.to_multilabel(scores)
    return (scores > 0.5).float()
