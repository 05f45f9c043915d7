# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Speakers, which are tones, are known again in other recordings."""

from dataclasses import replace

import numpy as np
import pytest
from pyannote.audio.pipelines.speaker_diarization import DiarizeOutput
from tone_model import DURATION, SAMPLE_RATE, TURNS, ToneEmbedding, tones

from pyannote_diarizen.errors import VoiceprintMismatchError
from pyannote_diarizen.pipelines import DiariZen
from pyannote_diarizen.pipelines.recognition import (
    SpeakerRecognition,
    usable_embeddings,
)
from pyannote_diarizen.pipelines.reconstruction import (
    labels_by_appearance,
    rename_speakers,
)

PARAMETERS = {
    "segmentation": {"min_duration_off": 0.0},
    "clustering": {"threshold": 0.6, "Fa": 0.07, "Fb": 0.8},
}
NAMES = ("Ann", "Bob", "Eve")


def recording(uri: str, turns: list, duration: float = DURATION) -> dict:
    waveform = tones(turns, duration, seed=len(uri))
    return {"uri": uri, "waveform": waveform, "sample_rate": SAMPLE_RATE}


def clip(speaker: int) -> dict:
    return recording("clip", [(0.5, 3.0, speaker)], 3.5)


@pytest.fixture(scope="module")
def pipeline(segmentation_model, embedding_model, plda) -> DiariZen:
    pipeline = DiariZen(
        segmentation_model, embedding_model, plda=plda, segmentation_step=0.25
    )
    return pipeline.instantiate(PARAMETERS)


@pytest.fixture(scope="module")
def recognition(pipeline) -> SpeakerRecognition:
    return SpeakerRecognition(pipeline)


@pytest.fixture(scope="module")
def team(recognition):
    ann, bob, eve = (recognition.enrol(n, clip(k)) for k, n in enumerate(NAMES))
    return ann + bob + eve


@pytest.fixture(scope="module")
def output(pipeline) -> DiarizeOutput:
    return pipeline(recording("tones", TURNS))


def turns_of(output: DiarizeOutput) -> list[tuple[float, str]]:
    """Middle of each turn, and who speaks."""
    tracks = output.speaker_diarization.itertracks(yield_label=True)
    return [(turn.middle, label) for turn, _, label in tracks]


def truth_at(time: float, turns=TURNS) -> set[int]:
    return {speaker for start, end, speaker in turns if start <= time <= end}


def assert_right(output: DiarizeOutput, names, turns=TURNS) -> None:
    for time, label in turns_of(output):
        assert label in {names[speaker] for speaker in truth_at(time, turns)}


def test_everybody_is_known(recognition, team, output):
    recognized = recognition.identify(output, team)
    assert recognized.speaker_diarization.labels() == ["Ann", "Bob", "Eve"]
    assert_right(recognized, NAMES)
    assert all(match.probability > 0.9 for match in recognized.matches.values())
    # embeddings have moved along
    for name, embedding in usable_embeddings(recognized).items():
        mean = team.means()[team.speakers.index(name)]
        assert np.linalg.norm(embedding - mean) < 0.1 * np.linalg.norm(mean)
    assert set(output.speaker_diarization.labels()) == set(recognized.matches)


def test_strangers_are_unknown(recognition, team, output):
    recognized = recognition.identify(output, team.without(["Ann", "Eve"]))
    assert_right(recognized, ("unknown_00", "Bob", "unknown_01"))
    unknown = recognition.identify(output, team.without(NAMES))
    assert unknown.speaker_diarization.labels() == [f"unknown_0{k}" for k in range(3)]
    assert {match.name for match in unknown.matches.values()} == {None}


def test_what_is_asked_for_before_listening_counts(recognition, team, output):
    sceptical = recognition.identify(output, team, unknown_prior=1 - 1e-12)
    assert {match.name for match in sceptical.matches.values()} == {None}
    demanding = recognition.identify(output, team, min_probability=1.0)
    assert {match.name for match in demanding.matches.values()} == {None}


def test_a_name_is_given_once_unless_asked_otherwise(recognition, team, output):
    twice = recognition.link([output])[0]
    twice.speaker_embeddings = twice.speaker_embeddings[[0, 0, 2]]
    once = recognition.identify(twice, team).speaker_diarization.labels()
    assert len(once) == 3
    merged = recognition.identify(twice, team, exclusive=False)
    assert len(merged.speaker_diarization.labels()) == 2
    assert merged.speaker_embeddings.shape == (2, team.embeddings.shape[1])


def test_speakers_of_two_recordings_are_linked(recognition, pipeline, team, output):
    others = [(start, end, (speaker + 1) % 3) for start, end, speaker in TURNS[:2]]
    second = pipeline(recording("others", others, 5.5))
    linked = recognition.link([output, second])
    names = [linked[0].speaker_diarization.labels()]
    assert names == [["SPEAKER_00", "SPEAKER_01", "SPEAKER_02"]]
    called = {}
    for one, turns in zip(linked, (TURNS, others), strict=True):
        for time, label in turns_of(one):
            truth = truth_at(time, turns)
            if len(truth) == 1:
                called.setdefault(truth.pop(), set()).add(label)
    assert len(set.union(*called.values())) == len(called) == 3
    assert all(len(labels) == 1 for labels in called.values())

    named = recognition.link([output, second], team.without(["Eve"]))
    assert_right(named[0], ("Ann", "Bob", "SPEAKER_00"))
    assert_right(named[1], ("Ann", "Bob", "SPEAKER_00"), others)


def test_new_names_are_in_the_order_of_first_turns(recognition, team, output):
    order = labels_by_appearance(output.speaker_diarization)
    reverse = dict(zip(order, "cba", strict=True))
    other = rename_speakers(output, reverse)
    (linked,) = recognition.link([other])
    names = labels_by_appearance(linked.speaker_diarization)
    assert names == ["SPEAKER_00", "SPEAKER_01", "SPEAKER_02"]
    strangers = team.without(team.speakers)
    named = recognition.identify(other, strangers).speaker_diarization
    assert labels_by_appearance(named) == ["unknown_00", "unknown_01", "unknown_02"]


def test_linked_speakers_keep_their_names_the_next_time(recognition, output):
    (linked,) = recognition.link([output])
    remembered = recognition.voiceprints([linked]).without(["SPEAKER_01"])
    (again,) = recognition.link([output], remembered)
    assert again.speaker_diarization == linked.speaker_diarization


def test_a_speaker_without_embedding_is_nobody(recognition, team, output):
    embeddings = output.speaker_embeddings.copy()
    embeddings[0] = 0
    faceless = replace(output, speaker_embeddings=embeddings)
    matches = recognition.identify(faceless, team).matches
    assert matches["SPEAKER_00"].name is None
    first, second = recognition.link([faceless, output])
    assert (
        len(
            {*first.speaker_diarization.labels()}
            - {*second.speaker_diarization.labels()}
        )
        == 1
    )


def test_nothing_but_silence(recognition, pipeline, team):
    silence = recording("silence", [], 3.0)
    with pytest.raises(ValueError, match="'silence' has too little speech"):
        recognition.enrol("Ann", silence)
    quiet = pipeline(silence)
    assert not recognition.identify(quiet, team).speaker_diarization
    assert not recognition.link([quiet, quiet])[1].speaker_diarization
    assert recognition.voiceprints([quiet]).speakers == []


def test_voiceprints_of_another_model_are_refused(
    recognition, segmentation_model, plda, team, output
):
    other = ToneEmbedding().eval()
    other.basis *= 2
    changed = SpeakerRecognition(
        DiariZen(segmentation_model, other, plda=plda).instantiate(PARAMETERS)
    )
    for compare in (changed.identify, lambda o, v: changed.link([o], v)):
        with pytest.raises(
            VoiceprintMismatchError, match="ToneEmbedding, 6 dimensions"
        ):
            compare(output, team)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"clustering": "AgglomerativeClustering"}, "has none"),
        ({"legacy": True}, "no mean embeddings"),
        ({"compatibility": "diarizen"}, "no mean embeddings"),
    ],
)
def test_pipelines_that_do_not_suit(
    segmentation_model, embedding_model, plda, options, message
):
    options = {"plda": None if "clustering" in options else plda, **options}
    pipeline = DiariZen(segmentation_model, embedding_model, **options)
    with pytest.raises(ValueError, match=message):
        SpeakerRecognition(pipeline)
    with pytest.raises(ValueError, match="of class DiariZen"):
        SpeakerRecognition(print)
