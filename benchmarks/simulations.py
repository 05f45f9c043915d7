# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Simulated conversations of 30 s to 10 min, of 1 to 8 speakers, to measure pipelines.

Development speakers are in no training data. Every other conversation has the turn
taking of AMI meetings, estimated without the meetings of the excerpts. All speakers of
a conversation are from one source where it has enough of them: recording conditions do
not distinguish them.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from pyannote.core import Segment, Timeline

from pyannote_diarizen.simulation.acoustics import Rooms, read_noises
from pyannote_diarizen.simulation.simulator import ConversationSimulator, TurnTaking
from pyannote_diarizen.simulation.speech import SpeechPool

DURATION = 30.0, 600.0
"""Range of the duration, log-uniform, in seconds."""
MOST_SPEAKERS = 8
PER_SPEAKER = 12.0
"""Minimum duration of a conversation per speaker, in seconds."""
MIN_PAUSE = 0.8
"""Annotators of meetings join turns over pauses shorter than this, in seconds."""
TRAINING_SEED = 1
"""Seed of the conversations of training speakers that benchmarks fit on."""
EXCERPTS = ["ES2003*", *(f"EN200{number}*" for number in (1, 2, 3, 4, 5, 6, 9))]
"""Meetings whose excerpts are real recordings of the same table."""


@dataclass(frozen=True, eq=False)
class Simulations:
    """Conversations of the speakers of one pool.

    Parameters
    ----------
    pool : SpeechPool
        Utterances of at least `MOST_SPEAKERS` speakers.
    meetings : TurnTaking
        Turn taking of every other conversation.
    rooms, noises, babble : optional
        See `ConversationSimulator`.
    seed : int, optional
        Another seed gives other conversations. Defaults to 0.
    name : str, optional
        Beginning of the names of files. Defaults to "dev".
    """

    pool: SpeechPool
    meetings: TurnTaking
    rooms: Rooms | None = None
    noises: Sequence[np.ndarray] = ()
    babble: Sequence[np.ndarray] = ()
    seed: int = 0
    name: str = "dev"

    @classmethod
    def from_folder(
        cls, speech: Path, split: Literal["dev", "train"] = "dev", seed: int = 0
    ) -> "Simulations":
        """Read a split of `utterances.tsv`, and noises and turns of the same folder."""
        meetings = speech / "ami_train_rttm" / "train.rttm.gz"
        return cls(
            SpeechPool.from_folder(speech, split),
            TurnTaking.from_rttm(meetings, exclude=EXCERPTS, silence=0.0),
            Rooms.simulate(num_rooms=64, num_positions=MOST_SPEAKERS, seed=seed),
            read_noises(sorted((speech / "noise").glob("*.opus"))),
            read_noises(sorted((speech / "picovoice_s2i").glob("*.opus"))),
            seed,
            split,
        )

    def files(self, num_conversations: int) -> Iterator[dict[str, Any]]:
        """Yield annotated files, the same first ones for any number."""
        for index in range(num_conversations):
            yield self.file(index)

    def file(self, index: int) -> dict[str, Any]:
        """Simulate one conversation, as a file of a protocol."""
        rng = np.random.default_rng([self.seed, index])
        shortest, longest = map(math.log, DURATION)
        duration = math.exp(rng.uniform(shortest, longest))
        most = min(MOST_SPEAKERS, int(duration / PER_SPEAKER))
        num_speakers = int(rng.integers(1, most, endpoint=True))
        simulator = ConversationSimulator(
            self.pool,
            rooms=self.rooms,
            noises=self.noises,
            babble=self.babble,
            num_speakers=(num_speakers, num_speakers),
            turn_taking=self.meetings if index % 2 else TurnTaking(silence=0.0),
            same_source=1.0,
            min_pause=MIN_PAUSE,
        )
        conversation = simulator.simulate(duration, rng)
        uri = f"{self.name}{self.seed}-{index:03d}"
        return {
            "uri": uri,
            "waveform": torch.from_numpy(conversation.waveform)[None],
            "sample_rate": conversation.sample_rate,
            "annotation": conversation.annotation(uri),
            "annotated": Timeline([Segment(0, conversation.duration)], uri=uri),
        }
