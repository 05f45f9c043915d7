# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Diarizations to fuse, and what the package dover-lap 1.3.1 makes of them.

    python tests/dover_lap_cases.py

writes `dover_lap.json`. The package needs a compiler and numpy below 1.24.
Weights are given, and differ, since the package ranks systems the other way round and
keeps both of two speakers with equal votes.
"""

import json
from pathlib import Path

import numpy as np

STORED = Path(__file__).with_name("dover_lap.json")
WEIGHTS = [[0.4, 0.35, 0.25], [0.2, 0.3, 0.5], [0.28, 0.26, 0.24, 0.22]]
SPEAKERS = [[2, 2, 2], [3, 2, 4], [3, 3, 3, 2]]

Systems = list[list[np.ndarray]]


def conversation(seed: int, num_speakers: int, duration: float = 60.0) -> list:
    """Turns of each speaker, some of which overlap."""
    rng = np.random.default_rng(seed)
    turns: list[list] = [[] for _ in range(num_speakers)]
    start = 0.0
    while start < duration:
        end = start + rng.uniform(1, 5)
        turns[rng.integers(num_speakers)].append([start, end])
        start = end + rng.uniform(-1, 0.5)
    return [merged(np.array(each).reshape(-1, 2)) for each in turns if each]


def merged(turns: np.ndarray) -> np.ndarray:
    """Merge overlapping turns of one speaker, in milliseconds."""
    result: list[list] = []
    for start, end in np.round(turns[np.argsort(turns[:, 0])], 3):
        if result and start <= result[-1][1]:
            result[-1][1] = max(end, result[-1][1])
        elif end - start > 0.05:
            result.append([start, end])
    return np.array(result).reshape(-1, 2)


def corrupted(reference: list, seed: int, noise: float, num_speakers: int) -> list:
    """Move borders, lose turns, and give turns to other speakers."""
    rng = np.random.default_rng(seed)
    found: list[list] = [[] for _ in range(num_speakers)]
    for speaker, turns in enumerate(reference):
        for start, end in turns + rng.normal(0, noise, turns.shape):
            draw = rng.random()
            if draw < noise / 2:
                continue
            other = rng.integers(num_speakers) if draw < 1.5 * noise else speaker
            found[other % num_speakers].append([max(start, 0), end])
    rng.shuffle(found)
    return [
        turns
        for each in found
        if each and len(turns := merged(np.array(each).reshape(-1, 2)))
    ]


def systems(case: int) -> Systems:
    reference = conversation(case, 3)
    return [
        corrupted(reference, 10 * case + index, 0.15, number)
        for index, number in enumerate(SPEAKERS[case])
    ]


def as_sets(speakers: list) -> list:
    """Speakers without names, for comparison."""
    return sorted(np.round(turns, 3).tolist() for turns in speakers)


def by_package(case: int) -> list:
    from dover_lap.libs.turn import Turn
    from dover_lap.src.doverlap import DOVERLap

    given = [
        [
            Turn(start, end, speaker_id=str(speaker), file_id="file")
            for speaker, turns in enumerate(system)
            for start, end in turns
        ]
        for system in systems(case)
    ]
    fused = DOVERLap.combine_turns_list(
        given, "file", weight_type="custom", custom_weight=WEIGHTS[case]
    )
    speakers: dict = {}
    for turn in fused:
        speakers.setdefault(turn.speaker_id, []).append(
            [round(float(turn.onset), 3), round(float(turn.offset), 3)]
        )
    return sorted(sorted(turns) for turns in speakers.values())


if __name__ == "__main__":
    found = [by_package(case) for case in range(len(SPEAKERS))]
    STORED.write_text(json.dumps(found) + "\n", encoding="utf-8")
