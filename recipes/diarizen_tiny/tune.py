# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Tune the hyper-parameters of the bundled pipeline on development recordings.

    python tune.py --ami AMI --speech SPEECH --trials 300

A few excerpts of meetings tell little of other recordings: conversations simulated from
development speakers count as much. Prints the best parameters, to be copied into
`hparams/pipeline/diarizen-tiny.yaml`.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
import yaml
from optuna.samplers import TPESampler
from pyannote.core import Segment, Timeline
from pyannote.database import FileFinder, registry
from pyannote.pipeline import Optimizer

from pyannote_diarizen.data.acoustics import Rooms, read_noises
from pyannote_diarizen.data.simulation import (
    ConversationSimulator,
    Mixing,
    TurnTaking,
)
from pyannote_diarizen.data.speech import SpeechPool
from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE
from pyannote_diarizen.hub.loading import load_pipeline

PROTOCOL = "AMIExcerpts.SpeakerDiarization.Excerpts"
DURATION = 40.0
"""Of simulated conversations, in seconds."""


def simulate(speech: Path, num_conversations: int, seed: int = 1) -> list[dict]:
    """Conversations of development speakers, as files of a protocol."""
    simulator = ConversationSimulator(
        SpeechPool.from_folder(speech, "dev"),
        rooms=Rooms.simulate(num_rooms=32, num_positions=4),
        noises=read_noises(sorted((speech / "noise").glob("*.opus"))),
        num_speakers=(2, 4),
        turn_taking=TurnTaking(silence=0.0),
        mixing=Mixing(telephone=0.5),
        same_source=1.0,
    )
    rng = np.random.default_rng(seed)
    files = []
    for index in range(num_conversations):
        conversation = simulator.simulate(DURATION, rng)
        files.append(
            {
                "uri": f"simulated{index}",
                "waveform": torch.from_numpy(conversation.waveform)[None],
                "sample_rate": conversation.sample_rate,
                "annotation": conversation.annotation(),
                "annotated": Timeline([Segment(0, conversation.duration)]),
            }
        )
    return files


def tune(pipeline_name: str, ami: Path, speech: Path, trials: int) -> dict:
    """Return parameters of the lowest average diarization error rate."""
    registry.load_database(ami / "database.yml")
    protocol = registry.get_protocol(PROTOCOL, {"audio": FileFinder()})
    # tuning keeps what networks give on these very objects
    files = list(protocol.development())
    files += simulate(speech, len(files))
    optimizer = Optimizer(
        load_pipeline(pipeline_name),
        sampler=TPESampler(seed=1),
        average_case=True,
    )
    optimizer.tune(files, n_iterations=trials, show_progress=True)
    print(f"diarization error rate: {optimizer.best_loss:.3f}")  # noqa: T201
    return optimizer.best_params


def main() -> None:
    """Parse arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pipeline", default=DEFAULT_PIPELINE)
    parser.add_argument("--ami", type=Path, required=True)
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--trials", type=int, default=300)
    options = parser.parse_args()
    best = tune(options.pipeline, options.ami, options.speech, options.trials)
    print(yaml.safe_dump({"params": best}))  # noqa: T201


if __name__ == "__main__":
    main()
