# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Progress bars."""

from pyannote_diarizen.cli.progress import ProgressBars


def shown(progress: ProgressBars) -> list[tuple[str, float, float | None]]:
    tasks = progress._bars.tasks
    return [(task.description, task.completed, task.total) for task in tasks]


def test_one_bar_for_files_and_one_per_stage():
    progress = ProgressBars(num_files=2)
    progress("segmentation", None, file={"uri": "a"}, total=10, completed=4)
    progress("segmentation", None, file={"uri": "a"}, total=10, completed=10)
    progress("speaker_counting", object(), file={"uri": "a"})
    assert shown(progress) == [
        ("files", 0, 2),
        ("a: segmentation", 10, 10),
        ("a: speaker_counting", 1, 1),
    ]


def test_stages_of_a_file_leave_with_it():
    progress = ProgressBars(num_files=2)
    progress("segmentation", None, file={"uri": "a"}, total=10, completed=10)
    progress.next_file()
    progress("segmentation", None, file={"uri": "b"}, total=5, completed=0)
    assert shown(progress) == [("files", 1, 2), ("b: segmentation", 0, 5)]


def test_bars_go_to_standard_error(capsys):
    with ProgressBars(num_files=1) as progress:
        progress.next_file()
    assert capsys.readouterr().out == ""
