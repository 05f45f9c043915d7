# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`apply --keep`, `recluster` and `edit`, on speakers that are tones."""

import json
from pathlib import Path

import numpy as np
import pytest
from tone_model import TURNS, count_passes
from tone_pipeline import write_tones

from pyannote_diarizen.clustering.voiceprints import EmbeddingIdentity, Voiceprints
from pyannote_diarizen.pipelines import features as kept_features


@pytest.fixture(scope="session")
def applied(tone_folder, tmp_path_factory):
    """Folder with audio, RTTM files and features of two recordings."""
    from typer.testing import CliRunner

    from pyannote_diarizen.cli.main import app

    folder = tmp_path_factory.mktemp("applied")
    write_tones(folder / "calls" / "monday.wav", TURNS)
    write_tones(folder / "calls" / "tuesday.wav", [(0.4, 2.6, 2), (3.0, 5.4, 1)])
    command = ["apply", str(folder / "calls"), "--pipeline", str(tone_folder)]
    command += ["--into", str(folder / "rttm"), "--keep", str(folder / "kept")]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.stderr
    return folder


@pytest.fixture
def recluster(run, tone_folder):
    def recluster(*arguments: object):
        options = ["--pipeline", str(tone_folder)]
        return run("recluster", *map(str, arguments), *options)

    return recluster


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_features_are_kept_beside_the_results(applied):
    names = sorted(path.name for path in (applied / "kept").iterdir())
    assert names == ["monday.features.npz", "tuesday.features.npz"]


def test_missing_features_are_written_by_a_second_call(run, tone_folder, here):
    write_tones(here / "a.wav", TURNS)
    command = ["apply", "a.wav", "--pipeline", str(tone_folder), "--into", "out"]
    run(*command)
    assert "finished" not in run(*command, "--keep", "kept").stderr
    assert "1 of 1 files are finished" in run(*command, "--keep", "kept").stderr
    assert "1 of 1 files are finished" in run(*command).stderr
    (here / "kept/a.features.npz").unlink()
    assert "finished" not in run(*command, "--keep", "kept").stderr
    assert (here / "kept/a.features.npz").is_file()


def test_features_without_a_folder_of_results(run, tone_folder, here):
    write_tones(here / "a.wav", TURNS)
    result = run("apply", "a.wav", "--pipeline", str(tone_folder), "--keep", "kept")
    assert result.stdout.count("SPEAKER a 1") == 5
    assert [path.name for path in (here / "kept").iterdir()] == ["a.features.npz"]


def test_keep_needs_a_pipeline_with_features(run, pipeline, write_audio):
    write_audio("a.wav")
    result = run("apply", "a.wav", "--pipeline", pipeline, "--keep", "kept")
    assert result.exit_code == 2
    assert "--keep needs a pipeline" in result.stderr


def test_recluster_gives_what_apply_gives(recluster, applied, monkeypatch):
    passes = count_passes(monkeypatch)
    result = recluster(applied / "kept")
    assert result.exit_code == 0, result.stderr
    expected = text(applied / "rttm/monday.rttm") + text(applied / "rttm/tuesday.rttm")
    assert result.stdout == expected
    assert not passes


def test_another_number_in_several_formats(recluster, applied, here):
    path = applied / "kept/monday.features.npz"
    options = ("--num-speakers", 2, "--into", "out", "--format", "rttm,json,srt")
    result = recluster(path, *options)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    content = json.loads(text(here / "out/monday.json"))
    assert len(content["speakers"]) == 2
    assert content["duration"] == 10.3
    assert content["pipeline"]["settings"]["num_speakers"] == 2
    assert content["pipeline"]["confidence"] == "agreement of chunks"
    assert all(0 < turn["confidence"] <= 1 for turn in content["turns"])
    assert min(content["turns"], key=lambda turn: turn["confidence"]) in [
        content["review"][0]
    ]
    assert (here / "out/monday.srt").is_file()


def test_names_of_voiceprints_and_a_split(run, recluster, tone_folder, applied, here):
    write_tones(here / "team" / "Ann Lee.wav", [(0.4, 3.0, 0)])
    write_tones(here / "team" / "Bob.wav", [(0.4, 3.0, 1)])
    run("enrol", "team", "--into", "team.npz", "--pipeline", str(tone_folder))
    path = applied / "kept/tuesday.features.npz"
    options = ("--num-speakers", 1, "--split", "SPEAKER_00")
    result = recluster(path, *options, "--voiceprints", "team.npz")
    assert result.exit_code == 0, result.stderr
    speakers = [line.split()[7] for line in result.stdout.splitlines()]
    assert speakers == ["unknown_00", "Bob"]
    assert "tuesday: SPEAKER_01 is unknown" in result.stderr


def test_voiceprints_that_cannot_be_compared_are_wrong_usage(recluster, applied, here):
    model = EmbeddingIdentity("Other, 6 dimensions", "0" * 16)
    for path, names in (("other.npz", ("Ann",)), ("one.npz", ("Ann B", "Ann_B"))):
        Voiceprints(model, names, np.eye(len(names), 6)).save(here / path)
    for path, message in (("other.npz", "cannot be compared"), ("one.npz", "be one")):
        result = recluster(applied / "kept", "--voiceprints", path)
        assert (result.exit_code, result.stdout) == (2, "")
        assert message in result.stderr


def test_a_bad_file_does_not_stop_the_others(recluster, applied, here):
    (here / "bad.features.npz").write_bytes(b"no features")
    result = recluster("bad.features.npz", applied / "kept/tuesday.features.npz")
    assert result.exit_code == 1
    assert result.stdout == text(applied / "rttm/tuesday.rttm")
    assert "'bad.features.npz' is not a file of features" in result.stderr


def test_features_of_other_networks(run, applied):
    result = run("recluster", str(applied / "kept/monday.features.npz"))
    assert result.exit_code == 1
    assert "'monday' was processed with" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["kept", "--split", "SPEAKER_00"], "needs a single file"),
        (["kept", "--format", "csv"], "give --into"),
        (["kept", "--format", "ctm", "--into", "out"], "holds words, which no"),
        (["rttm"], "hold no file called"),
        (["kept", "--num-speakers", "0"], "num-speakers"),
    ],
)
def test_wrong_usage_of_recluster(recluster, applied, monkeypatch, arguments, message):
    monkeypatch.chdir(applied)
    result = recluster(*arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", "").split())


def test_recluster_needs_a_pipeline_with_features(run, pipeline, applied):
    kept = str(applied / "kept")
    result = run("recluster", kept, "--pipeline", pipeline)
    assert result.exit_code == 2
    assert "recluster needs a pipeline of type" in result.stderr.replace("│", "")


def test_a_recording_that_leads_out_of_the_folder(recluster, applied, here):
    path = applied / "kept/monday.features.npz"
    features = kept_features.Features.read(path)
    features.file["uri"] = "../escaped"
    (here / "a.features.npz").write_bytes(features.to_bytes(features.models))
    result = recluster("a.features.npz", "--into", "out")
    assert result.exit_code == 1
    assert "names no file inside 'out'" in result.stderr
    assert not (here / "escaped.rttm").exists()


def test_edit_renames_and_merges(run, applied):
    path = str(applied / "rttm/monday.rttm")
    arguments = ["--merge", "SPEAKER_02=SPEAKER_01", "--rename", "SPEAKER_00=Ann"]
    result = run("edit", path, *arguments, "--format", "csv")
    assert result.exit_code == 0, result.stderr
    speakers = [line.split(",")[3] for line in result.stdout.splitlines()[1:]]
    # the two that are merged overlap
    assert speakers == ["Ann", "SPEAKER_01", "Ann", "SPEAKER_01"]
    assert text(applied / "rttm/monday.rttm").count("SPEAKER_02") == 1


def test_edit_splits_what_it_merged(run, applied, here):
    rttm, kept = applied / "rttm/monday.rttm", applied / "kept/monday.features.npz"
    merge = ["--merge", "SPEAKER_01=SPEAKER_00", "--into", "out"]
    assert run("edit", str(rttm), *merge).exit_code == 0
    assert "SPEAKER_01" not in text(here / "out/monday.rttm")
    options = ["--split", "SPEAKER_00=Bob", "--features", str(kept)]
    result = run("edit", "out/monday.rttm", *options, "--rename", "SPEAKER_00=Ann")
    assert result.exit_code == 0, result.stderr
    speakers = [line.split()[7] for line in result.stdout.splitlines()]
    assert speakers in (
        ["Ann", "Bob", "SPEAKER_02", "Ann", "Bob"],
        ["Bob", "Ann", "SPEAKER_02", "Bob", "Ann"],
    )


def test_words_of_a_split_speaker_follow_their_turns(run, applied, here):
    document = json.loads(DOCUMENT)
    (here / "monday.json").write_text(json.dumps(document))
    kept = str(applied / "kept/monday.features.npz")
    options = ["--split", "SPEAKER_00=Bob", "--features", kept, "--format", "json"]
    result = run("edit", "monday.json", *options)
    assert result.exit_code == 0, result.stderr
    content = json.loads(result.stdout)
    first, second, other = (word["speaker"] for word in content["words"])
    assert {first, second} == {"SPEAKER_00", "Bob"}
    assert other == "Ann"
    assert {"start": 6.0, "end": 6.2, "speaker": "Ann", "confidence": 0.5} in content[
        "turns"
    ]


DOCUMENT = """{"format": "pyannote-diarizen", "version": 1, "uri": "monday",
"turns": [{"start": 0.4, "end": 5.0, "speaker": "SPEAKER_00", "confidence": 0.9},
          {"start": 6.0, "end": 6.2, "speaker": "Ann", "confidence": 0.5}],
"words": [{"start": 1, "end": 1.2, "text": "a", "speaker": "SPEAKER_00"},
          {"start": 4, "end": 4.2, "text": "b", "speaker": "SPEAKER_00"},
          {"start": 6, "end": 6.2, "text": "c", "speaker": "Ann"}]}"""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rename", "SPEAKER_00"], "two names with = between them"),
        (["--merge", "=Ann"], "two names with = between them"),
        (["--rename", "A=B", "--rename", "A=C"], "two names to one speaker"),
        (["--rename", "Ann=Bob"], "has no speaker Ann, but SPEAKER_00, SPEAKER_01"),
        (["--split", "SPEAKER_00"], "give --features"),
        (["--split", "SPEAKER_00", "--features", "no.npz"], "No file of features"),
        (["--split", "SPEAKER_00", "--features", "TUESDAY"], "cannot split 'monday'"),
        (["--format", "rttm,csv"], "give --into"),
        (["--format", "ctm"], "holds words, which no diarization finds"),
    ],
)
def test_wrong_edits(run, applied, arguments, message):
    other = str(applied / "kept/tuesday.features.npz")
    arguments = [other if value == "TUESDAY" else value for value in arguments]
    result = run("edit", str(applied / "rttm/monday.rttm"), *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", "").split())
    assert result.stdout == ""
