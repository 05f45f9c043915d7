# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Checks of recordings find unusable ones, and name them."""

from pyannote.core import Annotation, Segment, Timeline

from pyannote_diarizen.training.preflight_recordings import (
    check_chunks,
    check_classes,
    check_disjoint,
    check_durations,
    describe_recordings,
    hours,
)


def make(uri, *turns, regions=((0, 60),), scope="global") -> dict:
    annotation = Annotation(uri)
    for track, (start, end, speaker) in enumerate(turns):
        annotation[Segment(start, end), track] = speaker
    return {
        "uri": uri,
        "scope": scope,
        "annotation": annotation,
        "annotated": Timeline([Segment(*region) for region in regions]),
    }


A = make("a", (0, 30, "Ann"), (20, 40, "Bob"))
B = make("b", (0, 30, "Cid"), (50, 59, "Dan"))


def test_recordings_are_counted():
    assert hours([A, B]) == 1 / 30
    finding = describe_recordings([A, B], "train")
    assert (finding.status, finding.text) == ("ok", "train: 2 recordings, 2.0 min")


def test_speakers_in_both_subsets_are_named():
    finding = check_disjoint([A], [B])
    assert finding.status == "ok"
    assert "2 in train, 2 in development, none in both" in finding.text
    finding = check_disjoint([A], [make("c", (0, 1, "Bob"))])
    assert finding.status == "warning"
    assert "1 of them in both: Bob;" in finding.text


def test_labels_of_scope_file_are_not_compared():
    files = [make(uri, (0, 1, "A"), scope="file") for uri in "cd"]
    assert check_disjoint(files[:1], files[1:]).status == "ok"


def test_many_names_are_counted():
    turns = [(k, k + 1, f"S{k}") for k in range(9)]
    finding = check_disjoint([make("c", *turns)], [make("d", *turns)])
    assert "S0, S1, S2, S3, S4 and 4 more;" in finding.text


def test_regions_shorter_than_a_chunk_are_measured():
    short = make("c", regions=[(0, 5), (10, 15), (20, 30)])
    assert check_durations([A], "train", 8.0).status == "ok"
    finding = check_durations([short], "train", 8.0)
    assert finding.status == "warning"
    assert "50 % of the time is in regions below 8 s" in finding.text
    assert finding.remedy == "task.duration=5"
    assert check_durations([short], "train", 16.0).status == "error"


def test_chunks_with_too_many_speakers_are_counted():
    finding = check_chunks([A, make("c")], 10.0, 2, 0.2)
    assert finding.status == "ok"
    assert finding.text.startswith("chunks: at most 2 speakers in 10 s, more than 2 in")
    finding = check_chunks([A], 10.0, 1, 0.2)  # both speak from 20 to 30 s
    assert finding.status == "warning"
    assert "more than 1 in 17 % of chunks" in finding.text
    assert finding.remedy.startswith("use task.max_speakers_per_chunk=2, shorter")
    assert check_chunks([A], 10.0, 1, 0.1).status == "error"
    assert check_chunks([A], 90.0, 1, 0.2).status == "ok"
    rarely = make("c", (0, 30, "Ann"), (20, 40, "Bob"), regions=[(0, 20.25)])
    assert check_chunks([rarely], 0.25, 1, 0.1).status == "ok"
    assert check_chunks([rarely], 0.25, 1, 0.0).status == "error"


def test_classes_are_those_of_the_recordings():
    finding = check_classes([A, B], 2)
    assert finding.status == "ok"
    assert "silence 34.2 %, one speaker 57.5 %, two 8.3 %, more 0.0 %" in finding.text


def test_a_class_without_example_is_named():
    finding = check_classes([A], 3)
    assert finding.status == "warning"
    assert finding.text.endswith("no example of three")
    assert finding.remedy.startswith("task.max_speakers_per_frame=2")


def test_speech_without_class_is_measured():
    finding = check_classes([A], 1)
    assert finding.status == "warning"
    assert finding.text.endswith("more 16.7 %, which has no class")
    assert finding.remedy == "task.max_speakers_per_frame=2"


def test_recordings_without_silence_or_speech_are_found():
    finding = check_classes([make("c", (0, 60, "A"), (0, 9, "B"))], 2)
    assert "no silence" in finding.text
    finding = check_classes([make("c")], 2)
    assert finding.status == "error"
    assert "there is no speech" in finding.text
