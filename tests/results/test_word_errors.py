# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""cpWER and tcpWER: worked cases."""

from dataclasses import replace

import pytest
from pyannote.core import Segment, Timeline

from pyannote_diarizen import installation
from pyannote_diarizen.errors import MissingPackagesError
from pyannote_diarizen.results.document import DiarizationDocument
from pyannote_diarizen.results.scores import read_transcripts
from pyannote_diarizen.results.turns import Turn, Word
from pyannote_diarizen.results.word_errors import WordScore, score_words

WORDS = [
    *(Word(0, 0.5, "good", "ann"), Word(0.5, 1, "day", "ann")),
    *(Word(0.8, 1.2, "yes", "bob"), Word(2, 2, "well", "bob")),
]


def talk(words: list[Word]) -> DiarizationDocument:
    turns = [Turn(0, 3, name) for name in {str(word.speaker) for word in words}]
    return DiarizationDocument("talk", turns, words=words)


def errors(hypothesis: list[Word], annotated=None, reference=WORDS) -> tuple[int, ...]:
    pytest.importorskip("meeteval", reason="pip install 'pyannote-diarizen[wer]'")
    score = score_words(talk(reference), talk(hypothesis), annotated, 5.0)
    return score.num_words, score.cp_errors, score.tcp_errors


def test_names_of_speakers_do_not_matter():
    names = {"ann": "bob", "bob": "ann"}
    renamed = [replace(word, speaker=names[word.speaker]) for word in WORDS]
    assert errors(renamed) == (4, 0, 0)


def test_a_wrong_word_is_one_error():
    assert errors([replace(WORDS[0], text="bad"), *WORDS[1:]]) == (4, 1, 1)


def test_a_word_of_another_speaker_is_two_errors():
    assert errors([replace(WORDS[0], speaker="bob"), *WORDS[1:]]) == (4, 2, 2)


@pytest.mark.parametrize(("shift", "expected"), [(4.5, (4, 0, 0)), (30, (4, 0, 8))])
def test_only_tcpwer_has_a_collar(shift, expected):
    moved = [
        replace(word, start=word.start + shift, end=word.end + shift) for word in WORDS
    ]
    assert errors(moved) == expected


def test_empty_sides():
    assert errors([]) == (4, 4, 4)
    assert errors(WORDS, reference=[]) == (0, 4, 4)
    assert WordScore(0, 4, 4).rates() == (1.0, 1.0)
    assert WordScore().rates() == (0.0, 0.0)


def test_words_outside_the_annotated_part_do_not_count():
    part = Timeline([Segment(0, 0.9)])
    assert errors([WORDS[0], Word(5, 6, "late", "ann")], part) == (2, 1, 1)


def test_missing_words_and_packages_are_refused(monkeypatch):
    silent = DiarizationDocument("talk", [Turn(0, 1, "ann")])
    if installation._is_found("meeteval"):
        with pytest.raises(ValueError, match="hypothesis of 'talk' has turns and no w"):
            score_words(talk(WORDS), silent, None, 5.0)
    monkeypatch.setattr(installation, "find_spec", lambda module: None)
    with pytest.raises(MissingPackagesError, match=r"pip install 'pyan.*\[wer\]'$"):
        score_words(talk(WORDS), talk(WORDS), None, 5.0)


def test_channels_of_ctm_are_speakers(tmp_path):
    (tmp_path / "a.ctm").write_text("a ann 0 1 good 0.9\na bob 0.5 1 yes\n")
    (tmp_path / "a.rttm").write_text("not read\n")
    (document,) = read_transcripts(tmp_path).values()
    assert [(word.text, word.speaker) for word in document.words] == [
        ("good", "ann"),
        ("yes", "bob"),
    ]
    assert document.turns == (Turn(0, 1, "ann"), Turn(0.5, 1.5, "bob"))
