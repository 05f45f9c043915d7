# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Conversations, simulated from development speakers, to tune on."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from pyannote.core import Segment, Timeline

from pyannote_diarizen.evaluation.study import choose_trial, open_study
from pyannote_diarizen.evaluation.tuning import Tuning
from pyannote_diarizen.hub.loading import load_pipeline
from pyannote_diarizen.simulation.acoustics import Rooms, read_noises
from pyannote_diarizen.simulation.simulator import (
    ConversationSimulator,
    Mixing,
    TurnTaking,
)
from pyannote_diarizen.simulation.speech import SpeechPool


class Scenario(NamedTuple):
    """A kind of conversations."""

    num_speakers: tuple[int, int]
    turn_taking: TurnTaking
    mixing: Mixing


ANY = Scenario((2, 4), TurnTaking(silence=0.0), Mixing(telephone=0.5))
"""Two to four people, on the telephone or in a room, noisy or not."""


class Simulation:
    """Development speakers, noises and rooms.

    Parameters
    ----------
    speech : Path
        Folder of `utterances.tsv` and what it names.
    """

    def __init__(self, speech: Path) -> None:
        self.pool = SpeechPool.from_folder(speech, "dev")
        self.noises = read_noises(sorted((speech / "noise").glob("*.opus")))
        self.rooms = Rooms.simulate(num_rooms=32, num_positions=8)

    def files(
        self,
        scenario: Scenario,
        num_conversations: int,
        duration: float,
        half: int | None = None,
    ) -> list[dict[str, Any]]:
        """Conversations as files of a protocol, of all speakers or of one half."""
        simulator = ConversationSimulator(
            self.pool if half is None else half_of(self.pool, half),
            rooms=self.rooms,
            noises=self.noises,
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


def tuned(pipeline: str, files: list[dict[str, Any]], num_trials: int) -> dict:
    """Hyper-parameters with few errors, and the right number of speakers."""
    tuning = Tuning(load_pipeline(pipeline, "cpu"), files, count_speakers=True)
    list(tuning.run_networks())
    study = open_study(None, "recipe", tuning.objectives, tuning.conditions, seed=1)
    list(tuning.run_trials(study, num_trials))
    return rounded(tuning.hyper_parameters(choose_trial(study)))


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
