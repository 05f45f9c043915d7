# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Faults of references, one at a time."""

import numpy as np
import pytest
import torch
from pyannote.core import Annotation, Segment, Timeline
from worked_cases import annotation

from pyannote_diarizen.audio.sample import sample_file
from pyannote_diarizen.evaluation.reference_checks import (
    audio_level,
    check_reference,
    compare_reference,
    find_offset,
)

TRUE = [
    *((2, 6, "ann"), (7, 11, "bob"), (13, 16, "ann"), (17, 21, "bob")),
    *((22, 26, "ann"), (28, 33, "bob"), (34, 38, "ann")),
]
ANNOTATED = Timeline([Segment(0, 60)])


def level(turns: list) -> np.ndarray:
    """-20 dB where anyone speaks, -70 dB elsewhere."""
    result = np.full(6000, -70.0)
    for start, end, _ in turns:
        result[round(100 * start) : round(100 * end)] = -20
    return result


def faults(reference: list, hypothesis: list = TRUE) -> list[str]:
    found = compare_reference(
        annotation(reference), annotation(hypothesis), ANNOTATED, level(TRUE)
    )
    return [text for text, _ in found]


def test_a_right_reference_has_no_fault():
    assert faults(TRUE) == []
    shorter = [(start + 0.2, end - 0.2, speaker) for start, end, speaker in TRUE]
    assert faults(shorter) == []


def test_speech_without_annotation_is_found():
    assert faults(TRUE[:-1]) == ["34.0 to 38.0 s: speech without annotation"]


def test_quiet_false_alarms_are_not_reported():
    assert faults(TRUE, [*TRUE, (45, 50, "noise")]) == []


def test_annotated_silence_is_found():
    reference = [*TRUE, (45, 48.5, "ann")]
    assert faults(reference) == ["45.0 to 48.5 s: silence is annotated as speech"]


def test_silence_is_found_even_if_most_of_the_reference_is_silent():
    reference, hypothesis = [(2, 6, "ann"), (40, 50, "ann")], [(2, 6, "x")]
    assert faults(reference, hypothesis) == [
        "40.0 to 50.0 s: silence is annotated as speech"
    ]


def test_missed_but_loud_speech_is_not_reported():
    assert faults(TRUE, TRUE[:-1]) == []


@pytest.mark.parametrize(("shift", "direction"), [(0.5, "later"), (-1.2, "earlier")])
def test_an_offset_is_the_only_fault(shift, direction):
    moved = [(start + shift, end + shift, speaker) for start, end, speaker in TRUE]
    assert faults(moved) == [
        f"the reference is {abs(shift):.2f} s {direction} than the speech"
    ]


def test_no_offset_without_pauses():
    assert find_offset(np.ones(1000, bool), np.arange(1000) > 50) is None
    assert find_offset(np.arange(1000) > 90, np.arange(1000) > 50) is None


def test_a_turn_with_the_label_of_another_is_found():
    reference = [*TRUE[:2], (13, 16, "bob"), *TRUE[3:]]
    assert faults(reference) == [
        "13.0 to 16.0 s: the voice of this turn of 'bob' is that of 'ann'"
    ]


def test_a_pipeline_that_finds_one_speaker_makes_no_label_suspicious():
    assert faults(TRUE, [(start, end, "all") for start, end, _ in TRUE]) == []


@pytest.mark.parametrize(
    ("head", "tail", "place"),
    [(0, 0.6, "after its end at 32.4 s"), (0.6, 0, "before its start at 28.6 s")],
)
def test_a_cut_turn_is_found(head, tail, place):
    reference = [*TRUE[:5], (28 + head, 33 - tail, "bob"), TRUE[6]]
    assert faults(reference) == [
        f"1 turn is cut, since the voice goes on: 0.6 s {place} ('bob')"
    ]
    # not if the voice is that of another, or if it is quiet
    others = [*TRUE[:5], (28 + head, 33 - tail, "bob"), (28, 33, "cid"), TRUE[6]]
    assert faults(reference, others) == []
    longer = [(start, end + 0.6, speaker) for start, end, speaker in TRUE]
    assert faults(TRUE, longer) == []


def test_cut_turns_of_the_sample_are_counted_and_the_longest_named():
    file = sample_file()
    true = file["annotation"]

    def found(tail: float) -> list[str]:
        cut = Annotation()
        for turn, track, label in true.itertracks(yield_label=True):
            shorter = Segment(turn.start, turn.end - min(tail, turn.duration / 2))
            cut[shorter, track] = label
        findings = check_reference(lambda shown: true, file | {"annotation": cut})
        return [str(finding.text) for finding in findings]

    assert found(0) == []
    (text,) = found(0.5)
    number, _, _ = text.partition(" turns are cut, since the voice goes on: ")
    assert int(number) >= 4
    assert text.count(" s after its end at ") == 3


def test_only_the_annotated_part_counts():
    (found, _), *others = compare_reference(
        annotation(TRUE[:2]),
        annotation(TRUE),
        Timeline([Segment(0, 14.5)]),
        level(TRUE),
    )
    assert (found, others) == ("13.0 to 14.5 s: speech without annotation", [])


def test_files_are_read_and_named():
    samples = np.where(level(TRUE) > -30, 0.1, 1e-4).repeat(160)
    np.testing.assert_allclose(audio_level(samples, 16000)[[0, 400]], [-80, -20], 0.01)
    file = {
        "uri": "talk",
        "audio": "talk.wav",
        "waveform": torch.tensor(samples, dtype=torch.float32)[None],
        "sample_rate": 16000,
        "annotation": annotation(TRUE[:-1]),
        "annotated": ANNOTATED,
    }

    def pipeline(shown: dict) -> Annotation:
        assert "annotation" not in shown
        return annotation(TRUE)

    (finding,) = check_reference(pipeline, file)
    assert str(finding).startswith("'talk.wav': 34.0 to 38.0 s: speech without")
