# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen import-kaldi` and `validate`."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

TURN = "SPEAKER monday 1 0.5 1 <NA> <NA> A <NA> <NA>\n"


@pytest.fixture
def talks(tmp_path: Path) -> Path:
    folder = tmp_path / "my talks" / "train"
    folder.mkdir(parents=True)
    soundfile.write(tmp_path / "a.wav", np.zeros(16000), 8000)
    (folder / "wav.scp").write_text(f"monday {tmp_path / 'a.wav'}\n")
    (folder / "rttm").write_text(TURN)
    (folder / "all.uem").write_text("monday 1 0 2\n")
    return folder.parent


def test_a_folder_is_imported_and_valid(run, talks):
    imported = run("import-kaldi", str(talks))
    assert imported.exit_code == 0
    assert "train: 1 recordings, 1 turns" in imported.stdout
    assert "protocol my-talks.SpeakerDiarization.Kaldi" in imported.stdout
    checked = run("validate", str(talks / "database.yml"))
    assert checked.exit_code == 0
    assert checked.stdout.endswith("train (1 recordings, 1 turns): ok\n")


def test_nothing_is_written_if_there_is_an_error(run, talks):
    with (talks / "train/rttm").open("a") as rttm:
        rttm.write(TURN.replace("0.5", "nan"))
    imported = run("import-kaldi", str(talks))
    assert imported.exit_code == 1
    assert "rttm', line 2: expected the start in seconds" in imported.stdout
    assert not (talks / "database.yml").exists()


def test_an_empty_name_is_refused(run, talks):
    imported = run("import-kaldi", str(talks), "--name", "")
    assert imported.exit_code == 2
    assert "got ''" in imported.stderr
    assert not (talks / "database.yml").exists()


def test_errors_come_first_up_to_the_limit(run, talks):
    rttm = talks / "train/rttm"
    rttm.write_text(TURN * 4 + TURN.replace("0.5", "nan"))
    checked = run("validate", str(rttm), "--limit", "2")
    assert checked.exit_code == 1
    error, _, warning, remedy, more, total = checked.stdout.splitlines()
    assert (error.split()[0], warning.split()[0]) == ("error", "warning")
    assert remedy == "         -> delete it"
    assert more == "... and 2 more: see --limit."
    assert total == f"'{rttm}' (4 lines): 1 error, 3 warnings"


def test_warnings_alone_are_no_failure(run, talks):
    (talks / "train/rttm").write_text(TURN * 2)
    assert run("validate", str(talks)).exit_code == 0
    assert run("import-kaldi", str(talks)).exit_code == 0


def test_missing_files_are_usage_errors(run, tmp_path):
    assert run("validate", str(tmp_path / "gone.rttm")).exit_code == 2
    assert run("import-kaldi", str(tmp_path)).exit_code == 2


def test_a_name_that_cannot_be_written_is_an_error_in_the_data(run, talks):
    with (talks / "train/wav.scp").open("a") as scp:
        scp.write(f"../up {talks.parent / 'a.wav'}\n")
    imported = run("import-kaldi", str(talks))
    assert imported.exit_code == 1
    assert "wav.scp', line 2: '../up' cannot be the name of a file" in imported.stdout
    assert {path.name for path in talks.iterdir()} == {"train"}


def test_warnings_about_audio_are_findings(run, tmp_path):
    path, noise = tmp_path / "a.wav", np.random.default_rng(0).uniform(-0.5, 0.5, 8000)
    soundfile.write(path, np.stack([noise, -noise], axis=1), 8000)
    checked = run("validate", str(path))
    assert checked.exit_code == 0
    assert "cancel out: their average is silent" in checked.stdout
    assert checked.stdout.endswith("(1.00 s): 1 warning\n")


def test_references_are_compared_with_the_audio(run, tmp_path, pipeline):
    samples = np.zeros(64000, dtype=np.float32)
    samples[16000:32000] = 0.5
    soundfile.write(tmp_path / "a.wav", samples, 16000)
    folder = tmp_path / "talks/train"
    folder.mkdir(parents=True)
    (folder / "wav.scp").write_text(f"monday {tmp_path / 'a.wav'}\n")
    (folder / "rttm").write_text(TURN.replace("0.5 1 ", "2.5 1.2 "))
    (folder / "all.uem").write_text("monday 1 0 4\n")
    assert run("import-kaldi", str(folder.parent)).exit_code == 0
    given = ("talks.SpeakerDiarization.Kaldi", "--database")
    options = ("--audio", "--pipeline", pipeline)
    result = run("validate", *given, str(folder.parent / "database.yml"), *options)
    assert result.exit_code == 0, result.output
    assert "monday.wav': 1.0 to 2.0 s: speech without annotation" in result.stdout
    assert result.stdout.endswith("monday, train: 1 suggestion\n")
    result = run("validate", str(folder / "rttm"), *options)
    assert result.exit_code == 2
    assert "--audio needs names of protocols" in result.stderr
