# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen enrol`, `identify` and `link`, on speakers that are tones."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from pyannote.database.util import load_rttm
from tone_model import TURNS
from tone_pipeline import tone_plda, write_tones

from pyannote_diarizen.clustering.voiceprints import Voiceprints
from pyannote_diarizen.results.formats import read_documents

NOT_CALIBRATED = "The PLDA is not calibrated"


@pytest.fixture
def recognize(run, tone_folder):
    """Run a command with the pipeline of tones."""

    def recognize(command: str, *arguments: str):
        return run(command, *arguments, "--pipeline", str(tone_folder))

    return recognize


@pytest.fixture
def team(here: Path) -> Path:
    """Two clips of one speaker, one of another."""
    write_tones(here / "team" / "Ann Lee" / "1.wav", [(0.4, 3.0, 0)])
    write_tones(here / "team" / "Ann Lee" / "2.wav", [(0.4, 2.6, 0)])
    write_tones(here / "team" / "Bob.wav", [(0.4, 3.0, 1)])
    return here / "team"


@pytest.fixture
def recordings(here: Path) -> Path:
    """Monday with all three, tuesday without the first."""
    write_tones(here / "calls" / "monday.wav", TURNS)
    write_tones(here / "calls" / "tuesday.wav", [(0.4, 2.6, 2), (3.0, 5.4, 1)])
    return here / "calls"


def test_other_formats(recognize, team, recordings, here):
    recognize("enrol", "team")
    result = recognize("identify", "calls", "--into", "out", "--format", "rttm,json")
    assert result.exit_code == 0, result.output
    (document,) = read_documents(here / "out" / "monday.json")
    assert "Ann Lee" in {turn.speaker for turn in document.turns}
    assert (here / "out" / "monday.rttm").is_file()
    result = recognize("identify", "calls/monday.wav", "--format", "csv")
    assert "Ann Lee" in result.stdout
    given = ("--voiceprints", "voiceprints.npz", "--format", "csv", "--exclusive")
    result = recognize("link", "calls", "--into", "linked", *given)
    assert result.exit_code == 0, result.output
    (document,) = read_documents(here / "linked" / "monday.csv")
    assert "Ann Lee" in {turn.speaker for turn in document.turns}
    assert {path.suffix for path in (here / "linked").iterdir()} == {".csv"}


@pytest.mark.parametrize("command", ["identify", "link"])
def test_formats_of_words_are_refused(recognize, team, recordings, command):
    recognize("enrol", "team")
    result = recognize(command, "calls", "--into", "out", "--format", "ctm")
    assert result.exit_code == 2
    assert "Format ctm holds words" in result.stderr


def test_enrolled_then_identified(recognize, team, recordings, here):
    result = recognize("enrol", "team")
    assert result.exit_code == 0, result.output
    told = "Ann Lee: 2 clips\nBob: 1 clip\nWritten: voiceprints.npz\n"
    assert result.stdout == told

    result = recognize("identify", "calls", "--into", "rttm")
    assert result.exit_code == 0, result.output
    assert NOT_CALIBRATED in result.stderr
    lines = result.stdout.splitlines()
    assert len(lines) == 5
    assert sum("is unknown (" in line for line in lines) == 2
    assert lines[0].startswith("monday: SPEAKER_00 is Ann Lee (")
    monday = load_rttm(here / "rttm" / "monday.rttm")["monday"]
    assert monday.labels() == ["Ann_Lee", "Bob", "unknown_00"]

    result = recognize("identify", str(recordings / "tuesday.wav"))
    assert {line.split()[7] for line in result.stdout.splitlines()} == {
        "Bob",
        "unknown_00",
    }


def test_speakers_are_added_and_forgotten(recognize, team, here):
    clip = str(team / "Bob.wav")
    recognize("enrol", clip, "--into", "team.npz")
    result = recognize("enrol", clip, "--name", "Eve", "--into", "team.npz")
    assert result.stdout.startswith("Bob: 1 clip\nEve: 1 clip\n")
    result = recognize("enrol", "--forget", "Bob", "--into", "team.npz")
    assert result.exit_code == 0, result.output
    assert Voiceprints.load(here / "team.npz").speakers == ["Eve"]


def test_bad_clips_do_not_stop_the_others(recognize, team, here):
    write_tones(team / "Silent.wav", [])
    (team / "Broken.wav").write_text("no audio")
    result = recognize("enrol", "team")
    assert result.exit_code == 1
    assert Voiceprints.load(here / "voiceprints.npz").speakers == ["Ann Lee", "Bob"]
    assert "Silent.wav' cannot be enrolled: 'Silent' has too little" in result.stderr
    assert "Broken.wav' cannot be enrolled" in result.stderr
    assert "Traceback" not in result.stderr

    result = recognize("enrol", str(team / "Silent.wav"), "--into", "nobody.npz")
    assert result.exit_code == 2
    assert not (here / "nobody.npz").exists()


def test_linked_and_remembered(recognize, recordings, here):
    result = recognize("link", "calls", "--into", "rttm", "--remember", "all.npz")
    assert result.exit_code == 0, result.output
    assert NOT_CALIBRATED in result.stderr
    assert sorted(line.split(": ")[1] for line in result.stdout.splitlines()) == [
        "monday",
        "monday, tuesday",
        "monday, tuesday",
    ]
    monday = load_rttm(here / "rttm" / "monday.rttm")["monday"]
    remembered = Voiceprints.load(here / "all.npz")
    assert sorted(remembered.speakers) == monday.labels()
    assert len(remembered.names) == 5

    result = recognize(
        "link", "calls/tuesday.wav", "--into", "again", "--voiceprints", "all.npz"
    )
    assert result.exit_code == 0, result.output
    again = (here / "again" / "tuesday.rttm").read_text()
    assert again == (here / "rttm" / "tuesday.rttm").read_text()


def test_a_calibrated_plda_may_be_given(recognize, team, recordings, here):
    recognize("enrol", "team")
    rng = np.random.default_rng(1)
    speakers = np.repeat(0.3 * rng.dirichlet([0.3] * 3, 20), 4, axis=0)
    embeddings = np.hstack([speakers, np.full((80, 3), 3e-3)])
    embeddings += rng.standard_normal(embeddings.shape) * np.repeat([2e-2, 1e-3], 3)
    labels = np.repeat(np.arange(20), 4)
    tone_plda().calibrate(embeddings, labels).save(here / "plda")
    result = recognize("identify", "calls/monday.wav", "--plda", "plda")
    assert result.exit_code == 0, result.output
    assert NOT_CALIBRATED not in result.stderr
    assert "Ann_Lee" in result.stdout


def test_a_bad_recording_does_not_stop_the_others(recognize, team, recordings, here):
    recognize("enrol", "team")
    (recordings / "broken.wav").write_text("no audio")
    for command in ("identify", "link"):
        result = recognize(command, "calls", "--into", command)
        assert result.exit_code == 1
        assert "broken.wav" in result.stderr
        assert len(list((here / command).iterdir())) == 2


def test_voiceprints_of_another_model(recognize, team, recordings, tone_folder, here):
    recognize("enrol", "team")
    path = tone_folder / "embedding" / "pytorch_model.bin"
    content = path.read_bytes()
    checkpoint = torch.load(path, weights_only=False)
    checkpoint["state_dict"]["basis"] *= 2
    torch.save(checkpoint, path)
    try:
        for command in (["enrol"], ["identify"], ["link", "--voiceprints"]):
            option = command[1:] + ["voiceprints.npz"] * len(command[1:])
            options = [*option, "--into", "new"] if command[0] == "link" else option
            source = "team" if command[0] == "enrol" else "calls"
            result = recognize(command[0], source, *options)
            assert result.exit_code == 2
            assert "cannot be compared" in result.stderr
            assert result.stderr.count("ToneEmbedding, 6 dimensions") == 2
    finally:
        path.write_bytes(content)
    assert not (here / "new").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["enrol"], "Give clips to enrol"),
        (["enrol", "nowhere.wav"], "'nowhere.wav' does not exist"),
        (["enrol", "--forget", "Bob"], "file of voiceprints at 'voiceprints.npz'"),
        (["identify", "calls"], "file of voiceprints at 'voiceprints.npz'"),
        (["identify", "calls", "--unknown", "0"], "`--unknown` should be above 0"),
        (["identify", "calls", "--min-probability", "2"], "--min-probability"),
        (["link", "calls", "--into", "x", "--prior", "1"], "`--prior` should be above"),
        (["link", "calls"], "--into"),
    ],
)
def test_wrong_usage_is_an_error_before_any_work(
    run, recordings, here, arguments, message
):
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", " ").split())
    assert "Traceback" not in result.stderr
    assert [path.name for path in here.iterdir()] == ["calls"]


def test_names_that_cannot_be_written_stop_no_other(recognize, recordings, team, here):
    monday, names = recordings / "monday.wav", ["../up", "x" * 300, "./m", "m"]
    (here / "wav.scp").write_text("".join(f"{name} {monday}\n" for name in names))
    (here / "before").mkdir()
    recognize("enrol", str(team / "Bob.wav"))
    for command in ("link", "identify"):
        result = recognize(command, "wav.scp", "--into", command)
        assert result.exit_code == 1
        assert result.stderr.count("is left out. Recording") == 3
        assert [path.name for path in (here / command).iterdir()] == ["m.rttm"]
    assert not (here / "up.rttm").exists()


def test_speakers_that_would_be_one_in_rttm(recognize, team, here):
    clip = str(team / "Bob.wav")
    assert recognize("enrol", clip, "--name", "Ann B").exit_code == 0
    result = recognize("enrol", clip, "--name", "Ann_B")
    assert result.exit_code == 2
    assert "'Ann B' and 'Ann_B' would be one" in result.stderr
    result = recognize("enrol", clip, "--name", "None")
    assert "Warning: 'None' is written as 'None_'" in result.stderr


def test_a_clip_of_one_channel(recognize, team, here):
    samples, rate = soundfile.read(team / "Bob.wav", always_2d=True)
    soundfile.write("both.wav", np.hstack([0 * samples, samples]), rate)
    result = recognize("enrol", "both.wav", "--channel", "0")
    assert "too little speech" in result.stderr
    assert recognize("enrol", "both.wav", "--channel", "1").exit_code == 0


def test_a_clip_of_two_speakers_is_refused(recognize, here):
    write_tones(here / "both.wav", [(0.4, 2.6, 0), (2.8, 5.0, 1)])
    result = recognize("enrol", "both.wav", "--name", "Ann")
    assert result.exit_code == 2
    assert "'both' has 2 speakers (2.2 s, 2.2 s)" in result.stderr
    assert not (here / "voiceprints.npz").exists()


def test_clips_that_contradict_each_other(recognize, team, here):
    clips = [str(team / "Ann Lee" / "1.wav"), str(team / "Bob.wav")]
    result = recognize("enrol", *clips, "--name", "Ann")
    assert result.exit_code == 0
    assert "Warning: Clip 2 of Ann is probably of another speaker" in result.stderr
    recognize("enrol", clips[1], "--name", "Bob", "--into", "b.npz")
    assert not result.stderr.count("twice")
    result = recognize("enrol", clips[1], "--name", "Bob", "--into", "b.npz")
    assert "Warning: Clip 2 of Bob was enrolled twice." in result.stderr
    result = recognize("enrol", clips[1], "--name", "Eve", "--into", "b.npz")
    assert "Warning: Bob and Eve sound like one speaker" in result.stderr


def test_voiceprints_that_cannot_be_written_are_a_failure(recognize, recordings, here):
    (here / "file").touch()
    result = recognize("link", "calls", "--into", "rttm", "--remember", "file/a.npz")
    assert result.exit_code == 1
    assert "Voiceprints are lost: 'file/a.npz' cannot be created" in result.stderr
    assert list((here / "rttm").glob("*.rttm"))


def test_silence_is_not_remembered(recognize, here):
    write_tones(here / "calls" / "silent.wav", [])
    result = recognize("link", "calls", "--into", "rttm", "--remember", "all.npz")
    assert result.exit_code == 0
    assert "no speaker was found: 'all.npz' is not written" in result.stderr
    assert not (here / "all.npz").exists()
