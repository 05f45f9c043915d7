# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen assign`."""

import json

import pytest

RTTM = """SPEAKER call 1 0.000 1.000 <NA> <NA> ann <NA> <NA>
SPEAKER call 1 1.000 2.000 <NA> <NA> bob <NA> <NA>
"""
WORDS = "call 1 0.1 0.4 Hello\ncall 1 1.2 0.4 Yes\ncall 1 3.5 0.4 well\n"


@pytest.fixture
def files(here):
    (here / "call.rttm").write_text(RTTM)
    (here / "asr.ctm").write_text(WORDS)
    return ["assign", "asr.ctm", "call.rttm"]


def test_subtitles_go_to_standard_output(run, files):
    result = run(*files)
    assert result.exit_code == 0
    assert result.stdout == (
        "1\n00:00:00,100 --> 00:00:00,500\nann: Hello\n\n"
        "2\n00:00:01,200 --> 00:00:01,600\nbob: Yes\n\n"
        "3\n00:00:03,500 --> 00:00:03,900\nbob: well\n"
    )
    assert result.stderr == ""


def test_words_far_from_all_turns_have_no_speaker(run, files):
    result = run(*files, "--max-gap", "0.25", "--format", "ctm")
    assert result.stdout.splitlines()[2] == "call unknown 3.500 0.400 well"
    assert result.stderr == "1 of 3 words have no speaker: no turn is within 0.25 s.\n"


def test_several_formats_go_to_a_folder(run, files, here):
    result = run(*files, "--format", "json,vtt,ctm,eaf", "--into", "out")
    assert result.exit_code == 0
    assert {path.name for path in (here / "out").iterdir()} == {
        f"call.{suffix}" for suffix in ("json", "vtt", "ctm", "eaf")
    }
    content = json.loads((here / "out/call.json").read_text())
    assert [word["speaker"] for word in content["words"]] == ["ann", "bob", "bob"]
    assert len(content["turns"]) == 2
    again = run("assign", "out/call.ctm", "out/call.json", "--format", "ctm")
    assert again.stdout == (here / "out/call.ctm").read_text()


def test_a_file_in_place_of_a_folder_is_refused(run, files, here):
    result = run(*files, "--into", "out.SRT", "--format", "srt")
    assert result.exit_code == 2
    assert "--into should be a folder, got 'out.SRT'" in result.stderr
    assert not (here / "out.SRT").exists()
    (here / "old.srt").mkdir()
    assert run(*files, "--into", "old.srt").exit_code == 0


def test_one_recording_of_several_is_chosen(run, files, here):
    (here / "call.rttm").write_text(RTTM + RTTM.replace(" call ", " other "))
    result = run(*files)
    assert result.exit_code == 2
    assert "has no recording 'asr', only call, other." in result.stderr
    assert run(*files, "--uri", "call").exit_code == 0
    (here / "asr.ctm").rename(here / "call.ctm")
    assert run("assign", "call.ctm", "call.rttm").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["asr.ctm", "gone.rttm"], "gone.rttm"),
        (["gone.ctm", "call.rttm"], "gone.ctm"),
        (["call.rttm", "asr.ctm"], "'call.rttm': expected a transcript that ends in"),
        (["asr.ctm", "asr.ctm"], "'asr.ctm': expected a file that ends in"),
        (["asr.ctm", "call.rttm", "--format", "rttm,srt"], "give --into"),
        (["asr.ctm", "call.rttm", "--format", "word"], "Unknown key(s) in --format"),
        (["asr.ctm", "call.rttm", "--max-gap", "-1"], "--max-gap"),
        (["asr.ctm", "call.rttm", "--max-gap", "inf"], "max_gap"),
    ],
)
def test_wrong_usage_is_one_clear_error(run, files, here, arguments, message):
    result = run("assign", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert {path.name for path in here.iterdir()} == {"call.rttm", "asr.ctm"}


def test_names_that_lead_out_of_the_folder_are_refused(run, files, here):
    (here / "call.rttm").write_text(RTTM.replace(" call ", " ../../up "))
    result = run(*files, "--into", "out")
    assert result.exit_code == 2
    assert "'../../up' names no file inside 'out'" in result.stderr
    assert not (here / "out").exists()
