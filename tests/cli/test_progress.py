# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Progress bars."""

import pytest

from pyannote_diarizen.cli.progress import ProgressBars


def shown(progress: ProgressBars) -> list[tuple[str, float, float | None]]:
    tasks = progress._bars.tasks
    return [(task.description, task.completed, task.total) for task in tasks]


def test_one_bar_for_files_and_one_per_stage():
    with ProgressBars(num_files=2) as progress:
        progress("segmentation", None, file={"uri": "a"}, total=10, completed=4)
        progress("segmentation", None, file={"uri": "a"}, total=10, completed=10)
        progress("speaker_counting", object(), file={"uri": "a"})
        assert shown(progress) == [
            ("files", 0, 2),
            ("a: segmentation", 10, 10),
            ("a: speaker_counting", 1, 1),
        ]


def test_stages_of_a_file_leave_with_it():
    with ProgressBars(num_files=2) as progress:
        progress("segmentation", None, file={"uri": "a"}, total=10, completed=10)
        progress.next_file()
        progress("segmentation", None, file={"uri": "b"}, total=5, completed=0)
        assert shown(progress) == [("files", 1, 2), ("b: segmentation", 0, 5)]


@pytest.mark.parametrize("terminal", ["", "1"])
def test_results_alone_go_to_standard_output(capsys, monkeypatch, terminal):
    """Even where standard error is a terminal and shows bars."""
    monkeypatch.setenv("FORCE_COLOR", terminal)
    with ProgressBars(num_files=2) as progress:
        progress("segmentation", None, file={"uri": "a"}, total=10, completed=10)
        progress.next_file("result of a\n")
        progress.next_file("result of b\n")
    shown = capsys.readouterr()
    assert shown.out == "result of a\nresult of b\n"
    assert ("segmentation" in shown.err) == bool(terminal)


def test_brackets_in_names_are_no_markup(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    with ProgressBars(num_files=1) as progress:
        progress("speaker_counting", None, file={"uri": "a[/b][red]"})
        progress.next_file()
    assert "a[/b][red]: speaker_counting" in capsys.readouterr().err
