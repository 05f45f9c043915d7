# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Tune the presets of the bundled pipeline: meeting, conversation, podcast.

    python presets.py --speech SPEECH --trials 200

Each is tuned on conversations of its kind, simulated from half of the development
speakers, and scored on conversations of the other half. A preset that makes more
errors there than the parameters of the pipeline is not written. Nothing real was heard:
tune on your own recordings, with `pyannote-diarizen tune`, if you have any.
"""

import argparse
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import yaml
from pyannote.core import Segment, Timeline

from pyannote_diarizen.atomic import replacing
from pyannote_diarizen.data.acoustics import Rooms, read_noises
from pyannote_diarizen.data.simulation import (
    ConversationSimulator,
    Mixing,
    TurnTaking,
)
from pyannote_diarizen.data.speech import SpeechPool
from pyannote_diarizen.evaluation.measure import without_reference
from pyannote_diarizen.evaluation.score import DiarizationScore, score_diarization
from pyannote_diarizen.evaluation.speaker_count import SpeakerCountError
from pyannote_diarizen.evaluation.study import choose_trial, open_study
from pyannote_diarizen.evaluation.tuning import Tuning
from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE, bundled_folder
from pyannote_diarizen.hub.loading import load_pipeline
from pyannote_diarizen.pipelines.presets import FOLDER


class Scenario(NamedTuple):
    """A kind of conversations."""

    meaning: str
    num_speakers: tuple[int, int]
    turn_taking: TurnTaking
    mixing: Mixing


SCENARIOS = {
    "meeting": Scenario(
        "Three to six people around one microphone in a room: short turns, a third of "
        "which begin before the last one has ended; reverberation and noise.",
        (3, 6),
        TurnTaking(turn_duration=2.5, overlap_probability=0.33, silence=0.0),
        Mixing(room=1.0, telephone=0.0),
    ),
    "conversation": Scenario(
        "Two people on the telephone, in one channel: short turns, many interjections; "
        "a narrow band.",
        (2, 2),
        TurnTaking(backchannel_rate=0.2, silence=0.0),
        Mixing(room=0.0, telephone=1.0, babble=0.0, events=0.05),
    ),
    "podcast": Scenario(
        "Two to four people, each close to a microphone: long turns, one in ten of "
        "which begins before the last one has ended; hardly any noise.",
        (2, 4),
        TurnTaking(
            turn_duration=8.0,
            overlap_probability=0.1,
            backchannel_rate=0.04,
            silence=0.0,
        ),
        Mixing(
            room=0.0, telephone=0.0, noise=0.0, babble=0.0, events=0.0, snr=(25, 45)
        ),
    ),
}


def half_of(pool: SpeechPool, half: int) -> SpeechPool:
    """Every other speaker."""
    utterances = [
        (
            pool.sources[speaker],
            pool.speakers[speaker],
            pool.samples[slice(*pool.bounds[index])],
        )
        for speaker in range(half, len(pool.speakers), 2)
        for index in pool.utterances_of[speaker]
    ]
    return SpeechPool.from_utterances(utterances)


def simulate(
    scenario: Scenario,
    pool: SpeechPool,
    noises: Sequence[np.ndarray],
    num_conversations: int,
    duration: float,
) -> list[dict[str, Any]]:
    """Conversations as files of a protocol."""
    simulator = ConversationSimulator(
        pool,
        rooms=Rooms.simulate(num_rooms=32, num_positions=8),
        noises=noises,
        num_speakers=scenario.num_speakers,
        turn_taking=scenario.turn_taking,
        mixing=scenario.mixing,
        same_source=1.0,
    )
    rng = np.random.default_rng(1)
    files = []
    for index in range(num_conversations):
        conversation = simulator.simulate(duration, rng)
        uri = f"simulated{index}"
        files.append(
            {
                "uri": uri,
                "waveform": torch.from_numpy(conversation.waveform)[None],
                "sample_rate": conversation.sample_rate,
                "annotation": conversation.annotation(uri),
                "annotated": Timeline([Segment(0, conversation.duration)]),
            }
        )
    return files


def tune(pipeline: str, files: list[dict[str, Any]], num_trials: int) -> dict[str, Any]:
    """Hyper-parameters with few errors, and the right number of speakers."""
    tuning = Tuning(load_pipeline(pipeline, "cpu"), files, count_speakers=True)
    list(tuning.run_networks())
    study = open_study(None, "preset", tuning.objectives, tuning.conditions, seed=1)
    list(tuning.run_trials(study, num_trials))
    return tuning.hyper_parameters(choose_trial(study))


def score(
    pipeline: str, preset: dict[str, Any], files: list[dict[str, Any]]
) -> list[tuple[float, float]]:
    """Diarization error rate and speaker count error, without the preset and with."""
    loaded = load_pipeline(pipeline, "cpu")
    outputs = [loaded(without_reference(file)) for file in files]
    scores = []
    for params in (loaded.parameters(instantiated=True), preset):
        loaded.instantiate(params)
        errors, counts = DiarizationScore(), SpeakerCountError()
        for file, output in zip(files, outputs, strict=True):
            reference, annotated = file["annotation"], file["annotated"]
            diarization = loaded.recluster(output).speaker_diarization
            errors += score_diarization(reference, diarization, annotated)
            counts(reference, diarization, uem=annotated)
        scores.append((errors.error_rate, abs(counts)))
    return scores


def rounded(params: dict[str, Any]) -> dict[str, Any]:
    """Hyper-parameters with three digits: more would promise what nobody measured."""
    return {
        name: rounded(value)
        if isinstance(value, dict)
        else float(f"{value:.3g}")
        if isinstance(value, float)
        else value
        for name, value in params.items()
    }


def write(path: Path, scenario: Scenario, scores: str, params: dict[str, Any]) -> None:
    """Write a preset, with what it is for and how good it is."""
    command = "Command: recipes/diarizen_tiny/presets.py"
    lines = [*textwrap.wrap(scenario.meaning, 86), "", command]
    lines += textwrap.wrap(f"Score: {scores}", 86, subsequent_indent="       ")
    header = "".join(f"# {line}".rstrip() + "\n" for line in lines)
    with replacing(path) as temporary:
        text = header + yaml.safe_dump({"params": params}, sort_keys=False)
        temporary.write_text(text, encoding="utf-8")


def main() -> None:
    """Parse arguments, tune and write presets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pipeline", default=DEFAULT_PIPELINE)
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--conversations", type=int, default=12)
    parser.add_argument("--duration", type=float, default=120.0)
    parser.add_argument("--into", type=Path, default=bundled_folder() / FOLDER)
    options = parser.parse_args()
    pool = SpeechPool.from_folder(options.speech, "dev")
    noises = read_noises(sorted((options.speech / "noise").glob("*.opus")))
    size = (options.conversations, options.duration)
    for name, scenario in SCENARIOS.items():
        tuned_on, held_out = (
            simulate(scenario, half_of(pool, half), noises, *size) for half in (0, 1)
        )
        params = rounded(tune(options.pipeline, tuned_on, options.trials))
        before, after = score(options.pipeline, params, held_out)
        scores = (
            f"diarization error rate {after[0]:.1%}, number of speakers off by "
            f"{after[1]:.2f}, on {options.conversations} simulated conversations of "
            f"other speakers; {before[0]:.1%} and {before[1]:.2f} without the preset."
        )
        print(f"{name}: {scores}", flush=True)  # noqa: T201
        if after[0] < before[0]:
            write(options.into / f"{name}.yaml", scenario, scores, params)


if __name__ == "__main__":
    main()
