# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen report`."""

from pyannote_diarizen.training.history import TABLE


def test_best_epoch_and_path_of_the_report_are_printed(run, tmp_path):
    (tmp_path / TABLE).write_text("epoch,loss/val\n0,1.5\n1,0.5\n")
    result = run("report", str(tmp_path))
    assert result.exit_code == 0, result.output
    assert "Lowest validation loss: 0.5, in epoch 1, the last one." in result.stdout
    assert f"See {tmp_path / 'report.html'}." in result.stdout
    assert (tmp_path / "report.html").is_file()


def test_a_folder_without_run_is_an_error_in_one_line(run, tmp_path):
    result = run("report", str(tmp_path))
    assert result.exit_code == 2
    assert "has no metrics.csv" in result.stderr
    assert len(result.stderr.splitlines()) == 1
