# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Formats that we write are read back by us, and by independent libraries."""

import csv
import json

import pympi
import pysubs2
import pytest
import textgrid
import webvtt
from pyannote.database.util import load_rttm

from pyannote_diarizen import installation
from pyannote_diarizen.errors import MissingPackagesError
from pyannote_diarizen.results.document import DiarizationDocument, Turn, Word
from pyannote_diarizen.results.formats import (
    FORMATS,
    find_formats,
    read_document,
    read_documents,
)

ANN, BOB = "Ann & <Lee>", 'Bob "B." Öz'
TIMES = [(0.5, 3.25, ANN), (3.0, 4.125, BOB), (5.0, 6.001, ANN)]
SPOKEN = [
    (0.5, 1.4, ANN, "Hello <b>Bob</b>"),
    (3.05, 3.25, ANN, "you?"),
    (3.1, 4.0, BOB, "--> =yes"),
    (7.0, 7.5, "unknown", "NA"),
]


@pytest.fixture
def document() -> DiarizationDocument:
    """Two speakers with overlap, and names that need care."""
    turns = [Turn(0.5, 3.25, ANN, 0.75), Turn(3.0, 4.125, BOB), Turn(5.0, 6.001, ANN)]
    return DiarizationDocument("a call", turns, duration=8.0, audio="a call.wav")


@pytest.fixture
def transcript(document) -> DiarizationDocument:
    """The same with words, one of them without speaker."""
    words = [
        Word(0.5, 0.9, " Hello", ANN, 0.5),
        Word(0.9, 1.4, "<b>Bob</b>", ANN),
        Word(3.05, 3.25, "you?", ANN),
        Word(3.1, 3.1, "-->", BOB),
        Word(3.4, 4.0, "=yes", BOB),
        Word(7.0, 7.5, "NA"),
    ]
    return DiarizationDocument(
        document.uri, document.turns, words=words, duration=document.duration
    )


def simple(turns) -> list[tuple[float, float, str]]:
    return [(turn.start, turn.end, turn.speaker) for turn in turns]


@pytest.fixture
def write(tmp_path):
    """Write a document, and return the path."""

    def written(name: str, document: DiarizationDocument, exclusive: bool = False):
        (form,) = find_formats(name).values()
        path = tmp_path / f"a call{form.suffix}"
        content = form.render(document, exclusive)
        encoded = content.encode() if isinstance(content, str) else content
        path.write_bytes(encoded)
        return path

    return written


@pytest.mark.parametrize(
    "name", [name for name in FORMATS if FORMATS[name].read and name != "rttm"]
)
@pytest.mark.parametrize("exclusive", [False, True])
def test_round_trip(name, exclusive, write, document):
    read = read_document(write(name, document, exclusive), "a call")
    if exclusive and name != "json":
        (first, second, third), end = TIMES, 3.25
        assert simple(read.turns) == [first, (end, *second[1:]), third]
    else:
        assert simple(read.turns) == TIMES
    assert read.words == ()
    assert simple(read.exclusive_turns)[1] == (3.25, 4.125, BOB)
    if name in ("json", "csv"):
        assert read.turns[0].confidence == 0.75


@pytest.mark.parametrize("name", ["json", "csv", "textgrid", "eaf", "seglst", "lhotse"])
def test_round_trip_of_words(name, write, transcript):
    read = read_document(write(name, transcript), "a call")
    if name == "json":
        assert read == transcript
    else:
        words = [(w.start, w.end, w.speaker, w.text) for w in read.words]
        assert sorted(words) == SPOKEN


def test_rttm_is_that_of_pyannote(write, document):
    with pytest.warns(UserWarning, match="RTTM files would lose that name"):
        path = write("rttm", document)
    ((uri, read),) = load_rttm(path).items()
    assert uri == "a_call"
    names = {ANN: "Ann_&_<Lee>", BOB: "Bob_'B.'_Öz"}
    expected = [(start, end, names[speaker]) for start, end, speaker in TIMES]
    turns = read.itertracks(yield_label=True)
    assert [
        (start, round(end, 6), label) for (start, end), _, label in turns
    ] == expected
    assert simple(read_document(path).turns) == expected


def test_textgrid_is_read_by_another_library(write, document, transcript):
    grid = textgrid.TextGrid.fromFile(str(write("textgrid", document)))
    # the library leaves quotation marks in names of tiers doubled
    names = [tier.name.replace('""', '"') for tier in grid]
    assert (grid.maxTime, names) == (8.0, [ANN, BOB])
    assert [
        (part.minTime, part.maxTime, part.mark)
        for tier in grid
        for part in tier
        if part.mark
    ] == [TIMES[0], TIMES[2], TIMES[1]]
    grid = textgrid.TextGrid.fromFile(str(write("textgrid", transcript)))
    assert grid[2].name == "unknown"
    assert grid[0][1].mark == "Hello <b>Bob</b>"


def test_eaf_is_valid_for_another_reader(write, document):
    eaf = pympi.Eaf(str(write("eaf", document)))
    assert [*eaf.get_tier_names()] == [ANN, BOB]
    assert sorted(eaf.get_annotation_data_for_tier(ANN)) == [
        (500, 3250, ANN),
        (5000, 6001, ANN),
    ]
    assert eaf.get_linked_files()[0]["MEDIA_URL"] == "a call.wav"


def test_webvtt_is_read_by_another_library(write, document, transcript):
    captions = webvtt.read(str(write("vtt", transcript))).captions
    assert [(each.voice, each.text) for each in captions] == [
        ("Ann &amp; &lt;Lee&gt;", "Hello &lt;b&gt;Bob&lt;/b&gt;"),
        ("Ann &amp; &lt;Lee&gt;", "you?"),
        ('Bob "B." Öz', "--&gt; =yes"),
        ("unknown", "NA"),
    ]
    assert captions[0].start == "00:00:00.500"
    captions = webvtt.read(str(write("vtt", document))).captions
    assert [each.voice for each in captions][1] == BOB


def test_srt_is_read_by_another_library(write, document, transcript):
    subtitles = pysubs2.load(str(write("srt", transcript)))
    assert [(each.start, each.end) for each in subtitles] == [
        (500, 1400),
        (3050, 3250),
        (3100, 4000),
        (7000, 7500),
    ]
    assert subtitles[1].text == "Ann & \u2039Lee\u203a: you?"
    assert subtitles[2].text == f"{BOB}: --\u203a =yes"
    subtitles = pysubs2.load(str(write("srt", document)))
    assert subtitles[1].text == BOB


def test_seglst_and_ctm_are_read_by_another_library(write, transcript):
    meeteval = pytest.importorskip("meeteval", reason="installed by the extra dev")
    segments = meeteval.io.load(str(write("seglst", transcript)))
    assert [
        (float(each["start_time"]), float(each["end_time"]), each["speaker"])
        for each in segments
    ] == [spoken[:3] for spoken in SPOKEN]
    assert segments[0]["words"] == SPOKEN[0][3]
    words = meeteval.io.load(str(write("ctm", transcript)), format="ctm").lines
    assert [word.word for word in words][:2] == ["Hello", "<b>Bob</b>"]
    assert [float(word.begin_time) for word in words][2:4] == [3.05, 3.1]
    line = write("ctm", transcript).read_text().splitlines()[0]
    assert line == "a_call Ann_&_<Lee> 0.500 0.400 Hello 0.500"


def test_supervisions_are_read_by_lhotse(write, document, transcript):
    lhotse = pytest.importorskip("lhotse", reason="extra lhotse")
    read = lhotse.SupervisionSet.from_file(write("lhotse", transcript))
    assert [(each.start, each.end, each.speaker, each.text) for each in read] == SPOKEN
    assert {each.recording_id for each in read} == {"a call"}
    read = lhotse.SupervisionSet.from_file(write("lhotse", document))
    assert [(each.start, each.end, each.speaker) for each in read] == TIMES


def test_supervisions_may_hold_line_breaks_of_unicode(tmp_path):
    line = '{"recording_id": "a", "start": 0, "duration": 1, "speaker": "b", "text": '
    path = tmp_path / "a.jsonl"
    path.write_text(line + '"one\u2028two"}\n\n' + line + '"\x85"}', encoding="utf-8")
    (document,) = read_documents(path)
    assert [word.text for word in document.words] == ["one\u2028two"]
    assert len(document.turns) == 2


def test_csv_may_hold_line_breaks_of_unicode(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("start,end,speaker,text\n0,1,b,one\u2028two\n", encoding="utf-8")
    (document,) = read_documents(path)
    assert [word.text for word in document.words] == ["one\u2028two"]
    assert len(document.turns) == 1


@pytest.mark.parametrize("separator", [";", "\t"])
def test_csv_of_a_spreadsheet_with_decimal_commas(tmp_path, separator):
    path = tmp_path / "a.csv"
    text = "start;end;speaker;confidence\n0,5;1,25;b;0,75\n".replace(";", separator)
    path.write_text(text, encoding="utf-8-sig")
    (document,) = read_documents(path)
    assert document.turns == (Turn(0.5, 1.25, "b", 0.75),)


def test_csv_is_no_formula(write, transcript):
    turns = [Turn(0, 1, "=HYPERLINK(1)"), Turn(1, 2, "'x")]
    path = write("csv", DiarizationDocument("@u", turns))
    rows = list(csv.reader(path.read_text().splitlines()))
    assert rows[1] == ["'@u", "0.000", "1.000", "'=HYPERLINK(1)"]
    (read,) = read_documents(path)
    assert (read.uri, simple(read.turns)) == ("@u", simple(turns))
    path = write("csv", transcript)
    with path.open(newline="", encoding="utf-8") as file:
        assert [row["text"] for row in csv.DictReader(file)][2] == "'--> =yes"


def test_exclusive_utterances_end_with_the_word_of_another(write):
    times = [(0, 1, "ann"), (0.5, 1.5, "bob"), (1.1, 2, "ann"), (2, 3, "ann")]
    words = [Word(start, end, str(start), name) for start, end, name in times]
    document = DiarizationDocument("a", [], words=words)
    texts = [
        [each["words"] for each in json.loads(write("seglst", *how).read_text())]
        for how in ((document,), (document, True))
    ]
    assert texts == [["0 1.1 2", "0.5"], ["0", "0.5", "1.1 2"]]


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "ctm"])
def test_silence_is_written_and_read(name, write):
    path = write(name, DiarizationDocument("a call", []))
    if FORMATS[name].read:
        assert [*(turn for one in read_documents(path) for turn in one.turns)] == []


def test_turns_of_one_speaker_that_overlap_are_joined_in_tiers(write):
    turns = [Turn(0, 2, "ann"), Turn(1, 3, "ann"), Turn(3.0001, 3.0002, "ann")]
    for name in ("textgrid", "eaf"):
        read = read_document(write(name, DiarizationDocument("a", turns)))
        assert simple(read.turns) == [(0, 3, "ann")]


def test_long_subtitles_are_split(write):
    words = [
        {"start": n / 2, "end": n / 2 + 0.5, "text": "word", "speaker": "ann"}
        for n in range(40)
    ]
    content = DiarizationDocument("a", [Turn(0, 20, "ann")]).to_dict()
    document = DiarizationDocument.from_dict(content | {"words": words})
    lines = [cue.text for cue in pysubs2.load(str(write("srt", document)))]
    # 17 words and 16 spaces are 84 characters
    assert [line.count("word") for line in lines] == [17, 17, 6]


def test_an_answer_in_a_pause_ends_the_utterance(write):
    words = [Word(0, 1, "Well?", "ann"), Word(1.1, 1.5, "Yes", "bob")]
    words += [Word(1.6, 2, "Good", "ann"), Word(1.7, 1.9, "Hm", "bob")]
    words += [Word(2.0, 3, "then", "ann")]
    document = DiarizationDocument("a", [Turn(0, 3, "ann")], words=words)
    content = json.loads(write("seglst", document).read_text())
    texts = [each["words"] for each in content]
    assert texts == ["Well?", "Yes", "Good then", "Hm"]


def test_chinese_is_written_without_spaces(write):
    words = [
        Word(n, n + 1, text, "ann") for n, text in enumerate(["你", " 好", "。", "ok"])
    ]
    document = DiarizationDocument("a", [Turn(0, 9, "ann")], words=words)
    assert "你好。 ok" in write("srt", document).read_text()


def test_unknown_formats_and_missing_packages_are_refused(monkeypatch, tmp_path):
    with pytest.raises(ValueError, match=r"textgird\. Did you mean textgrid"):
        find_formats("rttm,textgird")
    with pytest.raises(ValueError, match=r"Known keys are rttm, json"):
        find_formats("")
    with pytest.raises(ValueError, match=r"a file that ends in \.TextGrid, \.csv"):
        read_documents("notes.docx")
    monkeypatch.setattr(installation, "find_spec", lambda module: None)
    assert [*find_formats(" RTTM,srt,rttm")] == ["rttm", "srt"]
    with pytest.raises(MissingPackagesError, match=r"pip install pympi-ling$"):
        find_formats("eaf")
    with pytest.raises(MissingPackagesError, match=r"pip install praatio$"):
        read_documents(tmp_path / "a.TextGrid")


def test_one_recording_of_several_is_chosen_by_name(tmp_path):
    path = tmp_path / "all.csv"
    path.write_text("uri,start,end,speaker\na,0,1,x\nb,0,2,y\n")
    assert simple(read_document(path, "b").turns) == [(0, 2, "y")]
    with pytest.raises(ValueError, match=r"all\.csv' has no recording 'c', only a, b"):
        read_document(path, "c")
    with pytest.raises(ValueError, match="expected one recording, got a, b"):
        read_document(path)


@pytest.mark.parametrize("name", ["rttm", "csv", "lhotse", "audacity"])
def test_a_recording_without_speech_is_named_after_its_file(write, name):
    document = read_document(write(name, DiarizationDocument("a", [])))
    assert (document.uri, document.turns) == ("a call", ())
