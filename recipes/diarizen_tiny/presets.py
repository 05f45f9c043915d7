# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Tune the presets of the bundled pipeline: meeting, conversation, podcast.

    python presets.py --speech SPEECH

Each is tuned on conversations of its kind, simulated from half of the development
speakers, and scored on conversations of the other half. A preset that makes more
errors there than the hyper-parameters of the pipeline gets those instead. Nothing real
was heard: tune on your own recordings, with `pyannote-diarizen tune`, if you have any.
"""

import argparse
import textwrap
from pathlib import Path
from typing import Any

import yaml
from scenarios import PRESETS, Scenario, Simulation, tuned

from pyannote_diarizen.atomic import replacing
from pyannote_diarizen.evaluation.measure import without_reference
from pyannote_diarizen.evaluation.metrics import (
    DiarizationScore,
    SpeakerCountError,
    score_diarization,
)
from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE, bundled_folder
from pyannote_diarizen.hub.loading import load_pipeline
from pyannote_diarizen.pipelines import DiariZen
from pyannote_diarizen.pipelines.published import PRESET_FOLDER


def score(
    pipeline: DiariZen, outputs: list[Any], files: list[dict[str, Any]]
) -> tuple[float, float]:
    """Diarization error rate and speaker count error."""
    errors, counts = DiarizationScore(), SpeakerCountError()
    for file, output in zip(files, outputs, strict=True):
        reference, annotated = file["annotation"], file["annotated"]
        diarization = pipeline.recluster(output).speaker_diarization
        errors += score_diarization(reference, diarization, annotated)
        counts(reference, diarization, uem=annotated)
    return errors.error_rate, abs(counts)


def write(path: Path, scenario: Scenario, scores: str, params: dict[str, Any]) -> None:
    """Write a preset, with what it is for and how good it is."""
    command = "Command: recipes/diarizen_tiny/presets.py"
    lines = [*textwrap.wrap(scenario.meaning, 86), "", command]
    lines += textwrap.wrap(f"Score: {scores}", 86, subsequent_indent="       ")
    header = "".join(f"# {line}".rstrip() + "\n" for line in lines)
    with replacing(path) as temporary:
        text = header + yaml.safe_dump({"params": params}, sort_keys=False)
        temporary.write_text(text, encoding="utf-8")


def make(
    pipeline: str,
    tuned_on: list[dict[str, Any]],
    held_out: list[dict[str, Any]],
    num_trials: int,
) -> tuple[dict[str, Any], str]:
    """Hyper-parameters of a preset, and how good they are."""
    loaded = load_pipeline(pipeline, "cpu")
    outputs = [loaded(without_reference(file)) for file in held_out]
    own = loaded.parameters(instantiated=True)
    before = score(loaded, outputs, held_out)
    params = tuned(pipeline, tuned_on, num_trials)
    after = score(loaded.instantiate(params), outputs, held_out)
    told = (
        "diarization error rate {:.1%}, number of speakers off by {:.2f}, on "
        f"{len(held_out)} simulated conversations of other speakers"
    )
    if after >= before:
        return own, f"{told.format(*before)}: as without preset, tuned ones are worse."
    without = "; {:.1%} and {:.2f} without preset.".format(*before)
    return params, told.format(*after) + without


def main() -> None:
    """Parse arguments, tune and write presets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pipeline", default=DEFAULT_PIPELINE)
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--conversations", type=int, default=8)
    parser.add_argument("--duration", type=float, default=50.0)
    parser.add_argument("--into", type=Path, default=bundled_folder() / PRESET_FOLDER)
    options = parser.parse_args()
    simulation = Simulation(options.speech)
    for name, scenario in PRESETS.items():
        tuned_on, held_out = (
            simulation.files(scenario, options.conversations, options.duration, half)
            for half in (0, 1)
        )
        params, scores = make(options.pipeline, tuned_on, held_out, options.trials)
        print(f"{name}: {scores}", flush=True)  # noqa: T201
        write(options.into / f"{name}.yaml", scenario, scores, params)


if __name__ == "__main__":
    main()
