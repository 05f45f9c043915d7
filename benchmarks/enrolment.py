# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Errors of speaker recognition: clips, or the same voices in other recordings.

    python benchmarks/enrolment.py                              # clips
    python benchmarks/enrolment.py --simulated 40 --write       # other recordings
    python benchmarks/enrolment.py --simulated 40 --calibrate 40 --into PLDA

Clips of 8 and 20 s are made of utterances of the development speakers, whom no model
was trained on. The second speaker of a clip has 30 % or 50 % of it. The table counts
the clips that `enrol` refuses, and the pairs of clips that it doubts.

Other recordings are the AMI excerpts and simulated conversations of the same speakers,
each in another room. Each pair of recordings with a common speaker is a trial of
`identify`: the speakers of one are enrolled. `--calibrate` first calibrates the PLDA on
simulated conversations of training speakers. The AMI excerpts and the utterances are in
the folder PYANNOTE_DIARIZEN_SHARED, by default `../shared`.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import chain, permutations
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

os.environ.setdefault("PYANNOTE_METRICS_ENABLED", "0")

import numpy as np
import torch
from bundled import PERFECT, Files, Variants, ami_excerpts
from pyannote.audio import Pipeline
from pyannote.audio.pipelines.speaker_diarization import DiarizeOutput
from pyannote.metrics.diarization import DiarizationErrorRate
from reports import ROOT, SHARED, table, write_results
from scipy.spatial.distance import cdist
from scipy.special import logit
from simulations import TRAINING_SEED, Simulations

from pyannote_diarizen.clustering.plda import PLDA
from pyannote_diarizen.clustering.voiceprints import UNKNOWN_PREFIX
from pyannote_diarizen.functional.detection import (
    equal_error_rate,
    log_likelihood_ratio_cost,
)
from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE
from pyannote_diarizen.hub.loading import load_pipeline
from pyannote_diarizen.pipelines.enrolment import CERTAIN, check_clip
from pyannote_diarizen.pipelines.recognition import (
    SpeakerRecognition,
    usable_embeddings,
)
from pyannote_diarizen.pipelines.reconstruction import rename_speakers
from pyannote_diarizen.simulation.speech import SpeechPool

NAME = "benchmarks/enrolment.py"
"""Name in the marks around the table of recordings."""
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


class Recording(NamedTuple):
    """Output for a recording, and the names of its speakers in the reference.

    Found speakers have these names, too; those that match none are unknown.
    """

    output: DiarizeOutput
    speakers: set[str]


def named(output: DiarizeOutput, file: Mapping[str, Any]) -> Recording:
    """Give the speakers of an output the names of the reference."""
    reference = file["annotation"]
    mapping = DiarizationErrorRate().optimal_mapping(
        reference, output.speaker_diarization, uem=file["annotated"]
    )
    names = {
        label: mapping.get(label) or f"{UNKNOWN_PREFIX}_{label}"
        for label in output.speaker_diarization.labels()
    }
    return Recording(rename_speakers(output, names), set(reference.labels()))


def process(variants: Variants, files: Files) -> dict[str, list[Recording]]:
    """Diarize files by a pipeline, and with perfect clustering."""
    recordings: dict[str, list[Recording]] = {"pipeline": [], PERFECT: []}
    for file in files:
        results = variants(file)
        recordings["pipeline"].append(named(results[""].output, file))
        recordings[PERFECT].append(named(results[PERFECT].output, file))
    return recordings


def trials(recordings: Iterable[Recording]) -> Iterator[tuple[np.ndarray, list[str]]]:
    """Yield the embeddings of each recording, and their speakers."""
    for recording in recordings:
        voices = usable_embeddings(recording.output)
        known = [name for name in voices if name in recording.speakers]
        if known:
            yield np.stack([voices[name] for name in known]), known


def verification(recordings: list[Recording], plda: PLDA) -> list[str]:
    """Errors of all pairs of speakers of two recordings."""
    embeddings, labels = zip(*trials(recordings), strict=True)
    # index of the recording of each embedding
    index = np.repeat(np.arange(len(labels)), list(map(len, labels)))
    voices, speakers = np.concatenate(embeddings), np.concatenate(labels)
    first, second = np.triu_indices(len(speakers), k=1)
    across = index[first] != index[second]
    first, second = first[across], second[across]
    same = speakers[first] == speakers[second]
    ratio = plda.log_likelihood_ratio(voices, voices)[first, second]
    cosine = 1 - cdist(voices, voices, "cosine")[first, second]
    return [
        f"{same.sum()}, {(~same).sum()}",
        *(f"{equal_error_rate(same, scores):.1%}" for scores in (cosine, ratio)),
        f"{log_likelihood_ratio_cost(ratio, same):.2f}",
    ]


def identification(
    recordings: list[Recording], recognition: SpeakerRecognition
) -> list[str]:
    """Errors of `identify`, with the speakers of one recording enrolled."""
    counts: Counter[str] = Counter()
    for enrolled, recording in permutations(recordings, 2):
        voiceprints = recognition.voiceprints([enrolled.output])
        known = set(voiceprints.speakers)
        if not known & recording.speakers:
            continue
        found = recognition.identify(recording.output, voiceprints).matches or {}
        for name, match in found.items():
            if name in known:
                counts["enrolled"] += 1
                counts["unknown"] += match.name is None
                counts["surely"] += match.name is None and match.probability >= CERTAIN
                counts["wrong"] += match.name not in (None, name)
            elif name in recording.speakers:
                counts["others"] += 1
                counts["named"] += match.name is not None
    shares = [
        f"{counts[kind] / max(counts[of], 1):.1%}"
        for kind, of in (
            ("unknown", "enrolled"),
            ("surely", "enrolled"),
            ("wrong", "enrolled"),
            ("named", "others"),
        )
    ]
    return [f"{counts['enrolled']}, {counts['others']}", *shares]


def across_recordings(
    variants: Variants, recognition: SpeakerRecognition, num_simulated: int
) -> str:
    """Table of errors for speakers of other recordings."""
    simulations = Simulations.from_folder(SHARED / "speech")
    excerpts = chain(ami_excerpts().development(), ami_excerpts().train())
    collections: dict[str, Files] = {
        "AMI excerpts, all": excerpts,
        f"{num_simulated} simulations": simulations.files(num_simulated),
    }
    rows = []
    for data, files in collections.items():
        for clustering, recordings in process(variants, files).items():
            errors = verification(recordings, recognition.plda)
            errors += identification(recordings, recognition)
            rows.append([f"{data}, {clustering}", *errors])
    header = ["data", "pairs of one voice, of two", "EER, cosine", "EER, PLDA", "Cllr"]
    header += ["enrolled, not enrolled", "unknown", f"unknown at {CERTAIN:.0%}"]
    header += ["wrong name", "named, not enrolled"]
    return table(header, rows)


def calibrate(variants: Variants, plda: PLDA, num_simulated: int) -> PLDA:
    """Calibrate on speakers of simulated conversations with perfect clustering."""
    simulations = Simulations.from_folder(SHARED / "speech", "train", TRAINING_SEED)
    recordings = process(variants, simulations.files(num_simulated))[PERFECT]
    embeddings, speakers = zip(*trials(recordings), strict=True)
    return plda.calibrate(np.concatenate(embeddings), np.concatenate(speakers))


def clips(pipeline: Pipeline) -> str:
    """Tables of clips."""
    pool = SpeechPool.from_folder(SHARED / "speech", split="dev")
    speakers = [
        index
        for index, seconds in enumerate(pool.durations)
        if seconds >= LEAST_SPEECH and pool.sources[index] not in SINGLE_WORDS
    ]
    return refusals(pool, speakers, pipeline) + doubts(pool, speakers, pipeline)


def main(
    pipeline: Annotated[str, typer.Option(help="Pipeline.")] = DEFAULT_PIPELINE,
    simulated: Annotated[
        int, typer.Option(help="Number of simulated recordings, instead of clips.")
    ] = 0,
    calibrated: Annotated[
        int, typer.Option("--calibrate", help="Number of recordings to calibrate on.")
    ] = 0,
    into: Annotated[
        Path | None, typer.Option(help="Folder to write the calibrated PLDA to.")
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Write docs/speakers.md: recordings.")
    ] = False,
) -> None:
    """Print the tables."""
    if not simulated:
        print(clips(load_pipeline(pipeline, "cpu")))
        return
    variants = Variants(pipeline, "cpu")
    recognition = SpeakerRecognition(variants.pipeline)
    if calibrated:
        recognition.plda = calibrate(variants, recognition.plda, calibrated)
        print(recognition.plda.calibration)
    if into is not None:
        recognition.plda.save(into)
    results = across_recordings(variants, recognition, simulated)
    print(results)
    if write:
        write_results(ROOT / "docs" / "speakers.md", NAME, results)


if __name__ == "__main__":
    typer.run(main)
