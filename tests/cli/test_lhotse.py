# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen import-lhotse` and `export-lhotse`."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from pyannote_diarizen import installation

lhotse = pytest.importorskip("lhotse", reason="extra lhotse")
CALLED = "my-talks.SpeakerDiarization.Lhotse"


@pytest.fixture
def manifests(tmp_path: Path) -> tuple[str, str]:
    """Manifests of one recording with one turn."""
    soundfile.write(tmp_path / "monday.wav", np.zeros(16000), 8000)
    paths = tmp_path / "recordings.jsonl.gz", tmp_path / "supervisions.jsonl.gz"
    recording = lhotse.Recording.from_file(tmp_path / "monday.wav")
    lhotse.RecordingSet.from_recordings([recording]).to_file(paths[0])
    turn = lhotse.SupervisionSegment("a", "monday", 0.5, 1.0, speaker="A")
    lhotse.SupervisionSet.from_segments([turn]).to_file(paths[1])
    return str(paths[0]), str(paths[1])


@pytest.mark.filterwarnings("ignore:Replacing existing")
def test_manifests_become_a_protocol_and_back(run, manifests, tmp_path):
    into, out = tmp_path / "my talks", tmp_path / "out"
    given = (*manifests, "--into", str(into))
    imported = run("import-lhotse", *given, "--subset", "test")
    assert imported.exit_code == 0, imported.output
    assert "test: 1 recordings, 1 turns" in imported.stdout
    assert f"protocol {CALLED}" in imported.stdout
    again = run("import-lhotse", *given)
    assert again.exit_code == 1
    assert "'monday' is also in test" in again.stdout
    database = ("--database", str(into / "database.yml"))
    exported = run("export-lhotse", CALLED, *database, "--into", str(out))
    assert exported.exit_code == 0, exported.output
    assert exported.stdout.startswith("test: 1 recordings, ")
    (turn,) = lhotse.SupervisionSet.from_file(out / "supervisions_test.jsonl.gz")
    assert (turn.recording_id, turn.start, turn.speaker) == ("monday", 0.5, "A")
    (file,) = lhotse.RecordingSet.from_file(out / "recordings_test.jsonl.gz")
    assert file.load_audio().shape == (1, 16000)
    wrong = run(
        *("export-lhotse", CALLED, *database, "--into", str(tmp_path / "x")),
        *("--subset", "train"),
    )
    assert (wrong.exit_code, (tmp_path / "x").exists()) == (2, False)
    assert "has no train subset" in wrong.stderr


def test_nothing_is_written_if_there_is_an_error(run, manifests, tmp_path):
    (tmp_path / "monday.wav").unlink()
    result = run("import-lhotse", *manifests, "--into", str(tmp_path / "in"))
    assert result.exit_code == 1
    assert "recordings.jsonl.gz', line 1: the audio of 'monday'" in result.stdout
    assert not (tmp_path / "in").exists()


def test_without_lhotse(run, manifests, tmp_path, monkeypatch):
    monkeypatch.setattr(installation, "find_spec", lambda module: None)
    for command in (("import-lhotse", *manifests), ("export-lhotse", CALLED)):
        result = run(*command, "--into", str(tmp_path / "in"))
        assert result.exit_code == 2
        assert "pip install 'pyannote-diarizen[lhotse]'" in result.stderr
