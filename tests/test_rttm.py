# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""RTTM that we write is the RTTM that pyannote reads."""

import pytest
from pyannote.core import Annotation, Segment
from pyannote.database.util import load_rttm

from pyannote_diarizen.corpora.listings import read_rttm
from pyannote_diarizen.rttm import rttm_name, rttm_text, write_rttm


@pytest.fixture
def diarization() -> Annotation:
    """Two speakers, with overlap and two tracks of the same segment."""
    annotation = Annotation(uri="meeting")
    annotation[Segment(2.5, 3.125), "A"] = "bob"
    annotation[Segment(0.0, 2.75), "A"] = "ann"
    annotation[Segment(0.0, 2.75), "B"] = "bob"
    return annotation


def test_pyannote_reads_what_is_written(diarization, tmp_path):
    write_rttm(diarization, tmp_path / "new" / "meeting.rttm")
    (read,) = load_rttm(tmp_path / "new" / "meeting.rttm").items()
    assert read[0] == "meeting"
    assert [*read[1].itertracks(yield_label=True)] == [
        (turn, number, speaker)
        for number, (turn, _, speaker) in enumerate(
            diarization.itertracks(yield_label=True)
        )
    ]


def test_text_is_that_of_pyannote(diarization):
    assert rttm_text(diarization) == diarization.to_rttm()
    assert rttm_text(Annotation()) == ""
    nameless = Annotation()
    nameless[Segment(0, 1)] = 3
    assert rttm_text(nameless) == nameless.to_rttm()


def test_spaces_become_underscores(tmp_path):
    annotation = Annotation(uri="my call")
    annotation[Segment(0, 1)] = "Ann\tLee"
    write_rttm(annotation, tmp_path / "a.rttm")
    read = load_rttm(tmp_path / "a.rttm")["my_call"]
    assert read.labels() == ["Ann_Lee"]
    assert annotation.uri == "my call"


@pytest.mark.parametrize("name", ["NA", "nan", "null", "None", '"Ann" B', 'a"b'])
def test_names_that_readers_lose_are_replaced_with_a_warning(tmp_path, name):
    annotation = Annotation(uri=name)
    annotation[Segment(0, 1)] = name
    with pytest.warns(UserWarning, match="RTTM files would lose that name"):
        write_rttm(annotation, tmp_path / "a.rttm")
    ((uri, read),) = load_rttm(tmp_path / "a.rttm").items()
    assert uri == rttm_name(name) == rttm_name(uri)
    assert read.labels() == [rttm_name(name)]
    (turn,) = read_rttm(tmp_path / "a.rttm").items
    assert (turn.uri, turn.speaker) == (uri, uri)


@pytest.mark.parametrize("names", [["Ann B", "Ann_B"], ["Ann_B", "Ann\tB"], ["1", 1]])
def test_different_speakers_stay_different(tmp_path, names):
    annotation = Annotation(uri="a")
    for start, name in enumerate(names):
        annotation[Segment(start, start + 1)] = name
    with pytest.warns(UserWarning, match="RTTM files would lose that name"):
        write_rttm(annotation, tmp_path / "a.rttm")
    assert len(load_rttm(tmp_path / "a.rttm")["a"].labels()) == 2


def test_text_that_is_no_unicode_can_be_written():
    assert rttm_name("r\udce9union") == "r?union"
