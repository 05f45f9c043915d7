# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Transcripts of recognizers."""

import json

import pytest

from pyannote_diarizen.results.transcripts import read_words

TEXTS = ["Hello", "Bob.", "Yes"]
TIMES = [(0.5, 0.9), (0.9, 1.4), (2.0, 2.25)]


def timed(text_key: str, start: str, end: str, **more) -> list[dict]:
    return [
        {text_key: f" {text}", start: times[0], end: times[1], **more}
        for text, times in zip(TEXTS, TIMES, strict=True)
    ]


WHISPER = timed("word", "start", "end", probability=0.5)
TRANSCRIPTS = {
    "whisper": {
        "text": " Hello Bob. Yes",
        "language": "en",
        "segments": [
            {"id": 0, "start": 0.5, "end": 1.4, "text": " ...", "words": WHISPER[:2]},
            {"id": 1, "start": 2.0, "end": 2.25, "text": " Yes", "words": WHISPER[2:]},
        ],
    },
    "faster-whisper": [
        {"start": 0.5, "end": 2.25, "text": " Hello Bob. Yes", "words": WHISPER}
    ],
    "whisperX": {
        "segments": [
            {
                "start": 0.5,
                "end": 2.25,
                "text": " Hello Bob. Yes",
                "words": timed("word", "start", "end", score=0.5, speaker="S0"),
            }
        ],
        "word_segments": timed("word", "start", "end", score=0.5),
    },
    "NeMo, diarization": {
        "session_id": "a",
        "transcription": "Hello Bob. Yes",
        "words": timed("word", "start_time", "end_time", speaker_label="speaker_0"),
        "sentences": [],
    },
    "NeMo, transcription": {
        "pred_text": "Hello Bob. Yes",
        "timestamp": {
            "word": timed("word", "start", "end", start_offset=1, end_offset=2),
            "segment": [{"segment": "Hello Bob. Yes", "start": 0.5, "end": 2.25}],
        },
    },
    "words of ours": {
        "format": "pyannote-diarizen",
        "words": timed("text", "start", "end"),
    },
}


def simple(words) -> list[tuple[float, float, str]]:
    return [(word.start, word.end, word.text) for word in words]


EXPECTED = [(*times, text) for times, text in zip(TIMES, TEXTS, strict=True)]


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_json_of_recognizers(name, tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(TRANSCRIPTS[name]))
    words = read_words(path)
    assert simple(words) == EXPECTED
    scored = "whisper" in name.lower()
    assert {word.confidence for word in words} == ({0.5} if scored else {None})
    assert {word.speaker for word in words} == {None}


@pytest.mark.parametrize(
    ("key", "times"),
    [
        ("chunks", {"timestamp": [2.0, 2.25]}),
        ("transcription", {"offsets": {"from": 2000, "to": 2250}, "timestamps": {}}),
    ],
    ids=["transformers", "whisper.cpp"],
)
def test_times_under_one_key(key, times, tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"text": "Yes", key: [{"text": " Yes", **times}]}))
    assert simple(read_words(path)) == EXPECTED[2:]


def test_an_end_that_transformers_do_not_know_is_the_start(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"chunks": [{"text": " Yes", "timestamp": [2.0, null]}]}')
    assert simple(read_words(path)) == [(2.0, 2.0, "Yes")]


def test_words_without_times_lie_between_their_neighbours(tmp_path):
    words = [
        {"word": "2"},
        {"word": "or", "start": 1.0, "end": 1.5, "score": -3.0},
        {"word": "3"},
        {"word": "4"},
        {"word": "years", "start": 2.0, "end": 2.5},
        {"word": "7"},
    ]
    path = tmp_path / "a.json"
    segment = {"start": 0.5, "end": 3.0, "words": words}
    path.write_text(json.dumps({"segments": [segment, {"text": "  "}]}))
    assert [(word.start, word.end) for word in read_words(path)] == [
        *[(0.5, 1.0), (1.0, 1.5), (1.5, 2.0), (1.5, 2.0), (2.0, 2.5), (2.5, 3.0)]
    ]
    assert read_words(path)[1].confidence is None
    del segment["start"]
    path.write_text(json.dumps({"segments": [segment]}))
    with pytest.raises(ValueError, match=r"a\.json': segment 0: '2' has no start"):
        read_words(path)


def test_segments_without_words_are_kept_whole(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"segments": [{"start": 0, "end": 2.5, "text": " Hello Bob."}]}')
    assert simple(read_words(path)) == [(0, 2.5, "Hello Bob.")]


SRT = """1
00:00:00,500 --> 00:00:01,400
{\\an8}<i>Hello</i>
Bob -->

2
01:00:02,000 --> 01:00:02,250
Yes &amp; no
"""


@pytest.mark.parametrize("suffix", [".srt", ".vtt", ".SRT"])
def test_subtitles(suffix, tmp_path):
    path = tmp_path / f"a{suffix}"
    text = SRT if suffix != ".vtt" else "WEBVTT\n\n" + SRT.replace("00:00:", "00:")
    path.write_bytes(text.replace("\n", "\r\n").encode())
    assert simple(read_words(path)) == [
        (0.5, 1.4, "Hello Bob -->"),
        (3602.0, 3602.25, "Yes & no"),
    ]


def test_ctm(tmp_path):
    path = tmp_path / "a.ctm"
    path.write_text(";; comment\na 1 0.5 0.4 Hello 0.75\n\na A 0.9 0.5 Bob. NA lex x\n")
    words = read_words(path)
    assert simple(words) == EXPECTED[:2]
    assert [word.confidence for word in words] == [0.75, None]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.docx", "", r"expected a transcript that ends in \.json, \.srt"),
        ("a.json", "{}", 'with the key "segments" or "words"'),
        ("a.json", "[3]", "segment 0: expected an object, got 3"),
        ("a.json", '[{"text": "a", "start": "x", "end": 1}]', "segment 0: `start`"),
        ("a.json", '[{"text": "a", "start": 2, "end": 1}]', "is before the start"),
        ("a.json", '{"segments": [{"words": [1]}]}', "an object for a word, got 1"),
        ("a.json", '[{"text": "a", "start": NaN, "end": 1}]', "NaN is no number"),
        ("a.json", '[{"text": "a", "timestamp": ["x", 1]}]', "segment 0: `start`"),
        ("a.srt", "1\n00:00:01 --> 2\nx\n", "line 2: expected `00:00:01,000"),
        ("a.srt", "1\n00:00:02,0 --> 00:00:01,0\nx\n", "line 2: the end"),
        ("a.srt", "text", "holds no subtitle"),
        ("a.ctm", "a 1 0.5 hello\n", "line 1: expected `recording channel"),
        ("a.ctm", "a 1 nan 1 hello\n", "line 1: `start` should be in seconds"),
        ("a.ctm", "a 1 x 1 hello\n", "line 1: could not convert"),
    ],
)
def test_broken_transcripts_are_refused_with_file_and_place(
    name, text, message, tmp_path
):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        read_words(path)
    assert name in str(error.value)
    assert "\n" not in str(error.value)
