# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Count the clips that `enrol` refuses, and the pairs of clips that it doubts.

    python benchmarks/enrolment.py

Clips of 8 and 20 s are made of utterances of the development speakers, whom no model
was trained on. The second speaker of a clip has 30 % or 50 % of it. The utterances are
in the folder PYANNOTE_DIARIZEN_SHARED, by default `../shared`.
"""

import os
from collections import Counter
from contextlib import suppress
from typing import Any

os.environ.setdefault("PYANNOTE_METRICS_ENABLED", "0")

import numpy as np
import torch
from pyannote.audio import Pipeline
from reports import SHARED, table
from scipy.special import logit

from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE
from pyannote_diarizen.hub.loading import load_pipeline
from pyannote_diarizen.pipelines.enrolment import CERTAIN, check_clip
from pyannote_diarizen.pipelines.recognition import SpeakerRecognition
from pyannote_diarizen.simulation.speech import SpeechPool

SAMPLE_RATE = 16000
DURATIONS = (8, 20)
SHARES = (0.3, 0.5)
LEVEL = 0.05
"""Root mean square of a clip; full scale is 1."""

SINGLE_WORDS = {"arabic_speech_commands"}
"""Sources without sentences."""

LEAST_SPEECH = 10
"""Least speech of a speaker in all utterances, in seconds."""


def clip(
    pool: SpeechPool, speaker: int, seconds: float, rng: np.random.Generator
) -> np.ndarray:
    """Utterances of a speaker in random order, with pauses of 0.1 to 0.6 s."""
    num_samples = round(seconds * SAMPLE_RATE)
    parts: list[np.ndarray] = []
    for index in rng.permutation(pool.utterances_of[speaker]):
        pause = np.zeros(round(rng.uniform(0.1, 0.6) * SAMPLE_RATE), np.float32)
        parts += [pool.utterance(index), pause]
        if sum(map(len, parts)) >= num_samples:
            break
    waveform = np.concatenate(parts)[:num_samples]
    return waveform * (LEVEL / np.sqrt(np.mean(waveform**2)))


def as_file(waveform: np.ndarray) -> dict[str, Any]:
    """File for a pipeline."""
    tensor = torch.from_numpy(waveform)[None]
    return {"uri": "clip", "waveform": tensor, "sample_rate": SAMPLE_RATE}


def refusals(pool: SpeechPool, speakers: list[int], pipeline: Pipeline) -> str:
    """Table of refused clips, by number of speakers and duration."""
    rng = np.random.default_rng(0)
    refused: Counter[tuple[int, int]] = Counter()

    def try_clip(waveform: np.ndarray, row: tuple[int, int]) -> None:
        try:
            check_clip("clip", pipeline(as_file(waveform)))
        except ValueError:
            refused[row] += 1

    for first in speakers:
        for seconds in DURATIONS:
            try_clip(clip(pool, first, seconds, rng), (1, seconds))
            second = rng.choice([other for other in speakers if other != first])
            share = rng.choice(SHARES)
            parts = [
                clip(pool, first, seconds * (1 - share), rng),
                clip(pool, second, seconds * share, rng),
            ]
            try_clip(np.concatenate(parts), (2, seconds))
    rows = [
        [str(number), str(seconds), str(len(speakers)), str(refused[number, seconds])]
        for number in (1, 2)
        for seconds in DURATIONS
    ]
    return table(["speakers", "seconds", "clips", "refused"], rows)


def doubts(pool: SpeechPool, speakers: list[int], pipeline: Pipeline) -> str:
    """Table of pairs of clips about which `find_doubts` is wrong."""
    rng = np.random.default_rng(1)
    recognition = SpeakerRecognition(pipeline)
    limit = logit(CERTAIN)
    rows = []
    for seconds in (3, *DURATIONS):
        embeddings, labels = [], []
        for speaker in [*speakers, *speakers]:
            file = as_file(clip(pool, speaker, seconds, rng))
            with suppress(ValueError):  # a second speaker is found
                embeddings.append(recognition.enrol("a", file).embeddings[0])
                labels.append(speaker)
        ratio = recognition.plda.log_likelihood_ratio(
            np.array(embeddings), np.array(embeddings)
        )
        first, second = np.triu_indices(len(labels), k=1)
        ratio, same = (
            ratio[first, second],
            np.equal.outer(labels, labels)[first, second],
        )
        wrong = ratio[same] < -limit, ratio[~same] > limit
        rows.append(
            [str(seconds), *(f"{pairs.sum()} of {len(pairs)}" for pairs in wrong)]
        )
    return table(["seconds", "one speaker doubted", "two taken for one"], rows)


def main() -> None:
    """Print the tables."""
    pool = SpeechPool.from_folder(SHARED / "speech", split="dev")
    speakers = [
        index
        for index, seconds in enumerate(pool.durations)
        if seconds >= LEAST_SPEECH and pool.sources[index] not in SINGLE_WORDS
    ]
    pipeline = load_pipeline(DEFAULT_PIPELINE, "cpu")
    print(refusals(pool, speakers, pipeline))
    print(doubts(pool, speakers, pipeline))


if __name__ == "__main__":
    main()
