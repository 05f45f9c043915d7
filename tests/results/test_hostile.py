# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Broken and malicious files: one clear error each, or a right result."""

import json
from xml.etree import ElementTree

import pytest

from pyannote_diarizen.atomic import write_file
from pyannote_diarizen.results.document import DiarizationDocument, Turn, Word
from pyannote_diarizen.results.formats import FORMATS, read_documents
from pyannote_diarizen.results.utterances import one_line
from pyannote_diarizen.rttm import rttm_name

NAMES = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "]]><!--",
    "&amp;&lt;",
    "../../etc/passwd",
    "a\nb\r\n\nc",
    "\x00\x1b[31mred",
    "\x07",
    "a,b;c\td",
    "=1+1",
    "@SUM(A1)",
    "{\\b1}{x}",
    "-->",
    "bob --",
    "\u202eright to left",
    "\ud800",
    "\ufeff\ufffe",
    "Ren\u00e9e \u5218 \U0001f600",
    '""',
    "\\",
    "x" * 5000,
]


@pytest.mark.filterwarnings("ignore:.*RTTM files would lose that name")
@pytest.mark.parametrize(
    "name", [name for name in FORMATS if not FORMATS[name].is_binary]
)
@pytest.mark.parametrize("speaker", NAMES)
def test_names_stay_names(name, speaker, tmp_path):
    turns = [Turn(0.5, 1.5, speaker), Turn(2, 3, "bob")]
    words = [Word(0.6, 1.25, speaker, speaker)] if name == "ctm" else []
    document = DiarizationDocument("a", turns, words=words)
    text = FORMATS[name].render(document, False)
    path = tmp_path / f"a{FORMATS[name].suffix}"
    write_file(text, path)
    if name == "vtt":
        assert "<script" not in text
        assert "<img" not in text
        assert text.count("-->") == 2
    elif name == "srt":
        assert "<" not in text
        assert text.count("-->") == 2
    if FORMATS[name].read is not None:
        (read,) = read_documents(path)
        keep = {"json": str, "rttm": rttm_name}.get(name, one_line)
        names = [keep(speaker).encode("utf-8", "replace").decode(), "bob"]
        assert [turn.speaker for turn in read.turns] == names


RTTM = "SPEAKER a 1 {} {} <NA> <NA> ann <NA> <NA>\n"
GRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 3
tiers? <exists>
size = 1
item []:
    item [1]:
        class = "IntervalTier"
        name = "ann"
        xmin = 0
        xmax = 3
        intervals: size = {}
{}"""
INTERVAL = """        intervals [{}]:
            xmin = {}
            xmax = {}
            text = "x"
"""
EAF = """<?xml version="1.0"?>{}<ANNOTATION_DOCUMENT VERSION="3.0"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xsi:noNamespaceSchemaLocation="x"><TIME_ORDER>
<TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="{}"/><TIME_SLOT TIME_SLOT_ID="ts2"
 TIME_VALUE="{}"/></TIME_ORDER><TIER TIER_ID="ann"><ANNOTATION>
<ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="{}">
<ANNOTATION_VALUE>{}</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>
</ANNOTATION_DOCUMENT>"""
BOMB = '<!DOCTYPE b [<!ENTITY a0 "aaaaaaaaaa">{}]>'.format(
    "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(12))
)
SEGLST = '[{{"session_id": "a", "start_time": {}, "end_time": 2, "speaker": {}}}]'
DOCUMENT = '{{"format": "pyannote-diarizen", "version": 1, "uri": "a", "turns": {}}}'

BROKEN = [
    ("a.rttm", RTTM.format("nan", 1), "line 1: expected the start in seconds"),
    (
        "a.rttm",
        RTTM.format(0, 1) + RTTM.format(1, "-1"),
        "line 2: expected the duration",
    ),
    ("a.rttm", "SPEAKER a 1 0 1\n", "line 1: expected `SPEAKER recording"),
    ("a.rttm", "<html></html>", "line 1: expected a line that begins with SPEAKER"),
    ("a.rttm", RTTM.format("1e8", 1), "is it in milliseconds?"),
    ("a.rttm", b"\xff\xfe\x00S", "is not text in UTF-8"),
    ("a.csv", b"start,end,speaker\n0,1,Ren\xe9\n", "is not text in UTF-8"),
    ("a.csv", "", "line 1: expected the columns start, end, speaker"),
    ("a.csv", "0,1,ann\n", "line 1: expected the columns"),
    ("a.csv", "start,end,speaker\n0,nan,ann\n", "line 2: `end` should be in seconds"),
    ("a.csv", "start,end,speaker\n0,1\n", "line 2: `speaker` should be a text"),
    ("a.csv", "start;end;speaker\n0:05;1;ann\n", "line 2: could not convert"),
    (
        "a.csv",
        "start,end,speaker\n0,1," + "x" * 200_000,
        "field larger than field limit",
    ),
    ("a.csv", "start,end,speaker\n2,1,ann\n", "line 2: the end, 1.0 s, is before"),
    ("a.txt", "0 1 ann\n", "line 1: expected start, end and speaker"),
    ("a.txt", "0\t1\t\n", "line 1: `speaker` should be a text"),
    ("a.txt", "0\tinf\tann\n", "line 1: `end` should be in seconds"),
    ("a.txt", "0\tx\tann\n", "line 1: could not convert"),
    ("a.json", "", "line 1 is no JSON"),
    ("a.json", "[" * 100_000, "nested too deeply"),
    ("a.json", "{}", "is neither JSON with"),
    ("a.json", '"text"', "is neither JSON with"),
    ("a.json", "[1]", "number 0 of the list: expected an object"),
    ("a.json", SEGLST.format("NaN", '"x"'), "NaN is no number"),
    ("a.json", SEGLST.format('"0"', '"x"'), "number 0 of the list: `start`"),
    ("a.json", SEGLST.format(0, '""'), "number 0 of the list: `speaker`"),
    ("a.json", '[{"session_id": "a"}]', '"start_time" is missing'),
    ("a.json", DOCUMENT.format("3"), '"turns" should be a list, got 3'),
    ("a.json", DOCUMENT.format('[{"start": 1e999}]'), '"end" is missing'),
    ("a.jsonl", "{}", "line 1: expected a supervision of Lhotse"),
    ("a.jsonl", "[1]", "line 1: expected a supervision of Lhotse"),
    ("a.jsonl", '{"start": NaN', "line 1: expected a supervision of Lhotse"),
    ("a.TextGrid", "", "cannot be read as a TextGrid"),
    ("a.TextGrid", "not a grid", "cannot be read as a TextGrid"),
    ("a.TextGrid", GRID.format(1, INTERVAL.format(1, 2, 1)), "TextGrid"),
    (
        "a.TextGrid",
        GRID.format(2, INTERVAL.format(1, 0, 2) + INTERVAL.format(2, 1, 3)),
        "cannot be read as a TextGrid",
    ),
    ("a.TextGrid", GRID.format(1, INTERVAL.format(1, "nan", 1)), "TextGrid"),
    ("a.TextGrid", b"\x80\x81\x82", "cannot be read as a TextGrid"),
    ("a.eaf", "", "cannot be read as a file of ELAN"),
    ("a.eaf", "<html/>", "cannot be read as a file of ELAN"),
    (
        "a.eaf",
        EAF.format("", "x", 1000, "ts2", "x"),
        "cannot be read as a file of ELAN",
    ),
    ("a.eaf", EAF.format("", 2000, 1000, "ts2", "x"), "tier 'ann': the end"),
    ("a.eaf", EAF.format("", 0, 1000, "ts9", "x"), "cannot be read as a file of ELAN"),
    ("a.eaf", EAF.format(BOMB, 0, 1000, "ts2", "&a12;"), "cannot be read as"),
    (
        "a.eaf",
        EAF.format(
            '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
            *(0, 1000, "ts2", "&e;"),
        ),
        "cannot be read as",
    ),
]


@pytest.mark.parametrize(("name", "content", "message"), BROKEN)
def test_broken_files_are_one_clear_error(name, content, message, tmp_path):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=r"'.*a\.") as error:
        read_documents(path)
    text = str(error.value)
    assert message in text
    assert str(path) in text
    assert "\n" not in text
    assert len(text) < 500
    assert [each.name for each in tmp_path.iterdir()] == [name]


GOOD = [
    ("a.rttm", "\n" + RTTM.format(0, 0) + RTTM.format(0, 1), 1),
    ("a.csv", "\ufeffStart,END, Speaker \n0,1,ann\n", 1),
    ("a.csv", "start\tend\tspeaker\n0\t1\tann\n", 1),
    ("a.txt", "0,5\t1,5\tann\n\\\t100\t200\n2\t2\tpoint\n", 1),
    ("a.txt", "", 0),
    ("a.json", "[]", 0),
    ("a.TextGrid", GRID.format(1, INTERVAL.format(1, 0, 2)), 1),
    ("a.TextGrid", GRID.format(1, INTERVAL.format(1, 0, 2).replace('"x"', '""')), 0),
    ("a.TextGrid", GRID.format(1, INTERVAL.format(1, 0, 2)).encode("utf-16"), 1),
    ("a.eaf", EAF.format("", 0, 1000, "ts2", "x"), 1),
    ("a.eaf", EAF.format("", 0, 1000, "ts2", ""), 0),
]


@pytest.mark.parametrize(("name", "content", "num_turns"), GOOD)
def test_unusual_files_are_read(name, content, num_turns, tmp_path):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    turns = [turn for document in read_documents(path) for turn in document.turns]
    assert [turn.speaker for turn in turns] == ["ann"] * num_turns


def test_eaf_is_xml_whatever_the_names():
    turns = [Turn(n, n + 1, name) for n, name in enumerate(NAMES)]
    text = FORMATS["eaf"].render(DiarizationDocument("a", turns), False)
    tiers = ElementTree.fromstring(text).iter("TIER")
    assert [tier.get("TIER_ID") for tier in tiers] == [one_line(name) for name in NAMES]


def test_names_of_files_that_are_no_unicode_are_written():
    document = DiarizationDocument("a", [Turn(0, 1, "\ud800")], audio="\udcff.wav")
    assert json.loads(document.to_json().encode())["audio"] == "?.wav"
