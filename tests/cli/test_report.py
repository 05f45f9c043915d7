# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""What `pyannote-diarizen report` prints."""

from pyannote_diarizen.training.history import TABLE


def test_it_tells_how_training_went_and_where_to_look(run, tmp_path):
    (tmp_path / TABLE).write_text("epoch,loss/val\n0,1.5\n1,0.5\n")
    result = run("report", str(tmp_path))
    assert result.exit_code == 0, result.output
    assert "Lowest validation loss: 0.5, in epoch 1." in result.stdout
    assert f"See {tmp_path / 'report.html'}." in result.stdout
    assert (tmp_path / "report.html").is_file()


def test_a_folder_that_is_no_run_is_an_error_in_one_line(run, tmp_path):
    result = run("report", str(tmp_path))
    assert result.exit_code == 2
    assert "has no metrics.csv" in result.stderr
    assert len(result.stderr.splitlines()) == 1
