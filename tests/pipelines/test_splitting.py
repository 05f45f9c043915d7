# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Splits of one speaker in two, on tones whose turns are known."""

import numpy as np
import pytest
from pyannote.audio.pipelines.speaker_diarization import DiarizeOutput
from pyannote.core import Annotation, Segment

from pyannote_diarizen.pipelines.alignment import chunk_owners
from pyannote_diarizen.pipelines.reconstruction import rename_speakers
from pyannote_diarizen.pipelines.splitting import split_speaker

FRAME = 0.02


@pytest.fixture
def output(build, conversation):
    return build()(dict(conversation), num_speakers=3)


def turns(annotation: Annotation) -> list[tuple[float, float, str]]:
    tracks = annotation.itertracks(yield_label=True)
    return [(turn.start, turn.end, label) for turn, _, label in tracks]


def merged(output: DiarizeOutput, *labels: str) -> DiarizeOutput:
    names = {label: label for label in output.speaker_diarization.labels()}
    return rename_speakers(output, names | dict.fromkeys(labels, labels[0]))


@pytest.mark.parametrize("pair", [(0, 1), (0, 2), (1, 2)])
def test_a_split_undoes_a_merge(output, pair):
    pair = [f"SPEAKER_{number:02d}" for number in pair]
    before = merged(output, *pair)
    after = split_speaker(before, pair[0], features=output.features)
    (third,) = {*output.speaker_diarization.labels()} - {*pair}
    expected = turns(output.speaker_diarization)
    found = turns(after.speaker_diarization)
    assert len(found) == len(expected) == 5
    # which of the two keeps the name depends on their speaking time
    names = {label: label for label in (third, *pair)}
    if found[0][2] != expected[0][2] or found[1][2] != expected[1][2]:
        names = {third: third, pair[0]: pair[1], pair[1]: pair[0]}
    for (start, end, label), (start2, end2, label2) in zip(
        found, expected, strict=True
    ):
        assert names[label] == label2
        assert abs(start - start2) <= FRAME
        assert abs(end - end2) <= FRAME
        if label == third:
            assert (start, end) == (start2, end2)
    seconds = after.speaker_diarization.label_duration
    assert seconds(pair[0]) >= seconds(pair[1])


def test_other_turns_and_the_extent_stay(output):
    reference = Annotation(uri="tones")
    reference[Segment(0.123, 5.0), "a"] = "SPEAKER_00"  # two tones
    reference[Segment(1.0, 1.5), "b"] = "Ann"
    reference[Segment(4.4567, 6.3), "c"] = "Bob"
    corrected = DiarizeOutput(reference, reference.copy(), None)
    after = split_speaker(corrected, "SPEAKER_00", "Eve", output.features)
    diarization = after.speaker_diarization
    assert diarization.labels() == ["Ann", "Bob", "Eve", "SPEAKER_00"]
    for label in ("Ann", "Bob"):
        assert diarization.label_timeline(label) == reference.label_timeline(label)
    both = [
        *diarization.label_timeline("SPEAKER_00"),
        *diarization.label_timeline("Eve"),
    ]
    assert sorted(segment.start for segment in both)[0] == 0.123
    assert max(segment.end for segment in both) == 5.0
    assert abs(max(segment.start for segment in both) - 2.7) < 0.2
    assert after.speaker_embeddings is None
    # the output that was split has not changed
    assert reference.labels() == ["Ann", "Bob", "SPEAKER_00"]


def test_embeddings_of_both(output):
    before = merged(output, "SPEAKER_00", "SPEAKER_02")
    after = split_speaker(before, "SPEAKER_00", features=output.features)
    labels = after.speaker_diarization.labels()
    assert labels == ["SPEAKER_00", "SPEAKER_01", "SPEAKER_02"]
    original = output.speaker_embeddings
    found = [
        int(np.linalg.norm(original - one, axis=1).argmin())
        for one in after.speaker_embeddings
    ]
    assert sorted(found) == [0, 1, 2]
    assert found[1] == 1


def test_exclusive_turns_do_not_overlap(output):
    before = merged(output, "SPEAKER_01", "SPEAKER_02")  # they overlap
    after = split_speaker(before, "SPEAKER_01", features=output.features)
    assert after.speaker_diarization.get_overlap()
    exclusive = after.exclusive_speaker_diarization
    assert not exclusive.get_overlap()
    assert exclusive.labels() == after.speaker_diarization.labels()


def test_what_cannot_be_split(output, build, conversation):
    with pytest.raises(
        ValueError, match=r"no speaker 'Ann', but has SPEAKER_00, SPEAK"
    ):
        split_speaker(output, "Ann")
    with pytest.raises(ValueError, match="has a speaker 'SPEAKER_01' already"):
        split_speaker(output, "SPEAKER_00", "SPEAKER_01")
    silent = Annotation(uri="tones")
    silent[Segment(0, 0.3)] = "Ann"
    with pytest.raises(ValueError, match="'Ann' of 'tones' cannot be split"):
        split_speaker(
            DiarizeOutput(silent, silent, None), "Ann", features=output.features
        )
    output.features = None
    with pytest.raises(TypeError, match="without"):
        split_speaker(output, "SPEAKER_00")


def test_owners_are_the_speakers_of_the_turns(output):
    owners = chunk_owners(output.features, output.speaker_diarization)
    active = output.features.segmentations.data.any(axis=1)
    assert np.array_equal(owners >= 0, active)
    # the first chunk lasts from 0 to 2 s, where the first tone speaks
    assert owners[0].tolist() == [0, -2, -2]
    assert (chunk_owners(output.features, Annotation(uri="tones")) == -2).all()
