# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Calibrate the confidence of turns, and measure it on other recordings.

    python benchmarks/confidence.py --write

It is fitted on the AMI development excerpts and on simulated conversations, and
measured on conversations of other speakers and on the sample of pyannote.audio. The
AMI excerpts are measured with a calibration that was fitted without them. The
recordings are in the folder PYANNOTE_DIARIZEN_SHARED, by default `../shared`.
"""

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from pyannote.database import FileFinder, registry

from pyannote_diarizen._host import import_pyannote

os.environ.setdefault("PYANNOTE_METRICS_ENABLED", "0")
import_pyannote()

import numpy as np
from pyannote.metrics.diarization import DiarizationErrorRate
from reports import ROOT, SHARED, table, write_results
from scipy.optimize import minimize

from pyannote_diarizen.audio.sample import sample_file
from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE
from pyannote_diarizen.hub.loading import load_pipeline
from pyannote_diarizen.pipelines.diarizen import DiariZen
from pyannote_diarizen.pipelines.files import without_reference
from pyannote_diarizen.pipelines.turn_confidence import (
    ConfidenceCalibration,
    turn_evidence,
    turns_in,
)
from pyannote_diarizen.pipelines.turn_finding import frame_centres, turn_frames

sys.path.append(str(ROOT / "recipes" / "diarizen_tiny"))
from scenarios import ANY, Simulation  # type: ignore[import-not-found]

NAME = "benchmarks/confidence.py"
CONVERSATIONS = 16, 60.0
"""Number of simulated conversations in each half, and their duration in seconds."""
NUM_BINS = 10
PENALTY = 1e-3
"""Penalty on the squared weights of standardized evidence."""


class Turns(NamedTuple):
    """Turns of several recordings.

    evidence : (num_turns, 2); right : (num_turns,) share of frames with the right
    speaker; seconds : (num_turns,) duration.
    """

    evidence: np.ndarray
    right: np.ndarray
    seconds: np.ndarray


def evaluate(pipeline: DiariZen, files: Iterable[Mapping[str, Any]]) -> Turns:
    """Diarize files, and compare each turn with the reference."""
    rows: list[tuple[np.ndarray, float, float]] = []
    for file in files:
        output = pipeline(without_reference(file))
        diarization, reference = output.speaker_diarization, file["annotation"]
        if not diarization:
            continue
        plda = pipeline.turn_confidence.plda
        evidence = turn_evidence(output.features, diarization, plda)
        names = DiarizationErrorRate().optimal_mapping(
            reference.crop(file["annotated"]), diarization.crop(file["annotated"])
        )
        frames = output.features.frames
        num_frames = int(output.features.file["duration"] / frames.step) + 1
        centres = frame_centres(frames, num_frames)
        labels = [name for name in names.values() if name is not None]
        truth = turn_frames(reference, labels, frames, num_frames)
        for (segment, label), row in zip(turns_in(diarization), evidence, strict=True):
            first, after = np.searchsorted(centres, [segment.start, segment.end])
            inside = slice(first, max(after, first + 1))
            share = 0.0
            if label in names:
                share = float(truth[inside, labels.index(names[label])].mean())
            rows.append((row, share, segment.duration))
    evidence, right, seconds = map(np.array, zip(*rows, strict=True))
    return Turns(evidence, right, seconds)


def fit(turns: Turns) -> ConfidenceCalibration:
    """Logistic regression of the share of right frames, weighted by duration."""
    mean, deviation = turns.evidence.mean(axis=0), turns.evidence.std(axis=0)
    standard = (turns.evidence - mean) / deviation
    weights = turns.seconds / turns.seconds.sum()

    def cost(parameters: np.ndarray) -> float:
        logit = standard @ parameters[:2] + parameters[2]
        # cross-entropy of a share: log(1 + exp(logit)) - share * logit
        entropy = np.logaddexp(0, logit) - turns.right * logit
        return float(weights @ entropy + PENALTY * np.sum(parameters[:2] ** 2))

    found = minimize(cost, np.zeros(3)).x
    slopes = found[:2] / deviation
    values = (*slopes, found[2] - slopes @ mean)
    return ConfidenceCalibration(*(float(f"{value:.3g}") for value in values))


def bins(confidence: np.ndarray, turns: Turns) -> list[tuple[float, float, float]]:
    """Mean confidence, share of right frames and share of the time, per bin."""
    index = np.minimum((confidence * NUM_BINS).astype(int), NUM_BINS - 1)
    rows = []
    for number in range(NUM_BINS):
        inside = index == number
        if (seconds := turns.seconds[inside]).any():
            means = [
                np.average(values[inside], weights=seconds)
                for values in (confidence, turns.right)
            ]
            rows.append((*means, seconds.sum() / turns.seconds.sum()))
    return rows


def calibration_error(confidence: np.ndarray, turns: Turns) -> float:
    """Compute the expected calibration error, weighted by time."""
    return sum(
        share * abs(mean - right) for mean, right, share in bins(confidence, turns)
    )


def found_errors(confidence: np.ndarray, turns: Turns, share: float = 0.1) -> float:
    """Share of the wrong time in the turns of lowest confidence."""
    order = np.argsort(confidence)
    inside = np.cumsum(turns.seconds[order]) <= share * turns.seconds.sum()
    wrong = turns.seconds * (1 - turns.right)
    return float(wrong[order][inside].sum() / wrong.sum())


def row(name: str, turns: Turns, calibration: ConfidenceCalibration) -> list[str]:
    """Row of the table of errors."""
    confidence = calibration(turns.evidence)
    constant = np.full(len(turns.right), np.average(turns.right, weights=turns.seconds))
    entropy = [
        -np.average(
            turns.right * np.log(p) + (1 - turns.right) * np.log(1 - p),
            weights=turns.seconds,
        )
        for p in (confidence, constant)
    ]
    return [
        name,
        str(len(turns.right)),
        f"{constant[0]:.1%}",
        f"{calibration_error(confidence, turns):.1%}",
        f"{calibration_error(turns.evidence[:, 0], turns):.1%}",
        f"{entropy[0]:.3f} ({entropy[1]:.3f})",
        f"{found_errors(confidence, turns):.0%}",
    ]


def draw(confidence: np.ndarray, turns: Turns, path: Path) -> None:
    """Reliability diagram: confidence against the share of right frames."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.5, 4.5), layout="constrained")
    axes = figure.subplots()
    mean, right, share = np.array(bins(confidence, turns)).T
    axes.plot([0, 1], [0, 1], "--", color="grey", label="perfect")
    axes.scatter(mean, right, s=600 * share, label="bins, area by time")
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="mean confidence")
    axes.set_ylabel("share of frames with the right speaker")
    axes.legend()
    figure.savefig(path, dpi=80)


def main(
    pipeline: Annotated[str, typer.Option(help="Pipeline.")] = DEFAULT_PIPELINE,
    write: Annotated[
        bool, typer.Option("--write", help="Write docs/confidence.md and its figure.")
    ] = False,
) -> None:
    """Fit, measure and print."""
    registry.load_database(SHARED / "audio" / "ami" / "database.yml")
    ami = registry.get_protocol(
        "AMIExcerpts.SpeakerDiarization.Excerpts", {"audio": FileFinder()}
    )
    loaded = load_pipeline(pipeline)
    simulation = Simulation(SHARED / "speech")

    def simulated(half: int) -> list[dict[str, Any]]:
        return simulation.files(ANY, *CONVERSATIONS, half)

    meetings, first = (
        evaluate(loaded, ami.development()),
        evaluate(loaded, simulated(0)),
    )
    fitted = Turns(*map(np.concatenate, zip(meetings, first, strict=True)))
    calibration = fit(fitted)
    other = evaluate(loaded, simulated(1))
    sets = {
        "fitted on": (fitted, calibration),
        "other simulated conversations": (other, calibration),
        "sample of pyannote.audio": (evaluate(loaded, [sample_file()]), calibration),
        "AMI, fitted without it": (meetings, fit(first)),
    }
    header = ["data", "turns", "right", "ECE", "ECE of agreement", "cross-entropy"]
    header.append("errors in 10 % of the time")
    text = table(header, [row(name, *some) for name, some in sets.items()])
    typer.echo(f"{text}\n{vars(calibration)}")
    if write:
        draw(calibration(other.evidence), other, ROOT / "docs" / "confidence.png")
        write_results(ROOT / "docs" / "confidence.md", NAME, text)


if __name__ == "__main__":
    typer.run(main)
