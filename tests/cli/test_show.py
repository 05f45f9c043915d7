# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen show`."""

import json
import re

import pytest

from pyannote_diarizen.rttm import rttm_line

TWO = rttm_line("call", 0.5, 0.5, "ann") + "\n" + rttm_line("other", 0, 1, "bob") + "\n"


def content(path) -> dict:
    """Data of a page."""
    return json.loads(re.search('id="data">(.*?)<', path.read_text("utf-8"))[1])


def test_the_page_has_the_recording_of_the_audio_its_words_and_errors(
    run, write_audio, here
):
    write_audio("call.wav")
    (here / "all.rttm").write_text(TWO)
    (here / "true.rttm").write_text(rttm_line("x", 0.5, 1.0, "eve"))
    words = [{"word": "so", "start": 0.5, "end": 1.0}]
    transcript = {
        "segments": [{"start": 0.5, "end": 1.0, "text": "so", "words": words}]
    }
    (here / "words.json").write_text(json.dumps(transcript))
    result = run("show", "call.wav", "all.rttm", "true.rttm", "--words", "words.json")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Written: all.html (0.")
    data = content(here / "all.html")
    assert data["document"]["uri"] == "call"
    assert [turn["speaker"] for turn in data["document"]["turns"]] == ["ann"]
    (word,) = data["document"]["words"]
    assert (word["text"], word["speaker"]) == ("so", "ann")
    assert data["score"]["missed"] == pytest.approx(0.5)
    assert data["audio"] == {"type": "audio/webm"}


def test_the_sound_can_stay_in_its_file(run, write_audio, here):
    write_audio("call.wav")
    (here / "call.rttm").write_text(TWO)
    result = run(
        "show", "call.wav", "call.rttm", "--audio", "link", "--into", "a/b.html"
    )
    assert result.exit_code == 0, result.output
    assert content(here / "a" / "b.html")["audio"]["url"] == "../call.wav"


def test_turns_after_the_end_of_the_audio_are_warned_about(run, write_audio, here):
    write_audio("call.wav")
    (here / "call.rttm").write_text(rttm_line("call", 0, 9, "ann"))
    result = run("show", "call.wav", "call.rttm")
    assert "lasts 2.0 s, but the last turn ends at 9.0 s" in result.stderr


def test_a_page_ends_in_html(run, here):
    result = run("show", "call.wav", "call.rttm", "--into", "pages/")
    assert result.exit_code == 2
    assert "--into should end in .html" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("call.wav", "two.rttm"), "has no recording 'call'"),
        (("call.wav", "one.rttm", "--words", "one.rttm"), "one.rttm"),
        (("absent.wav", "one.rttm"), "'absent.wav' does not exist"),
        (("call.wav", "absent.rttm"), "'absent.rttm' does not exist: check its path."),
    ],
)
def test_what_cannot_be_shown_is_an_error_in_one_line(
    run, write_audio, here, arguments, expected
):
    write_audio("call.wav")
    (here / "two.rttm").write_text(TWO.replace("call", "third"))
    (here / "one.rttm").write_text(rttm_line("one", 0, 1, "ann"))
    result = run("show", *arguments)
    assert result.exit_code == 2
    assert expected in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not list(here.glob("*.html"))
