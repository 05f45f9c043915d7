# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The report of a run is one self-contained page."""

import re

import pytest

from pyannote_diarizen.training.history import TABLE, History
from pyannote_diarizen.training.report import PAGE, summarize, write_report

METRICS = """epoch,loss/train,loss/val,DiarizationErrorRate
0,2.0,1.5,0.5
1,1.0,0.5,0.25
2,0.5,0.75,
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / TABLE).write_text(METRICS)
    (tmp_path / "config.yaml").write_text("protocol: A<B\n")
    return tmp_path


def test_a_page_holds_pictures_epochs_and_configuration(folder, monkeypatch):
    figures = folder / "figures"
    figures.mkdir()
    for epoch in range(3):
        (figures / f"chunks-{epoch:04d}.png").write_bytes(b"drawn")
    page = write_report(folder)
    text = page.read_text()
    assert page == folder / PAGE
    assert (figures / "curves.png").stat().st_size > 10_000
    assert re.findall('<img alt="(.*?)"', text) == [
        "Curves",
        *(f"Validation chunks-000{epoch}" for epoch in range(3)),
    ]
    assert 'src="data:image/png;base64,' in text
    assert "protocol: A&lt;B" in text
    rows = [re.findall(">([^<]*)</td>", row) for row in re.findall("<tr>.*", text)]
    assert rows[1:] == [
        ["0", "0.5", "2", "1.5"],
        ["1, best", "0.25", "1", "0.5"],
        ["2", "", "0.5", "0.75"],
    ]


def test_a_run_without_figures_has_a_page(folder):
    (folder / "config.yaml").unlink()
    text = write_report(folder).read_text()
    assert "Validation chunks" not in text
    assert "Configuration" not in text


def test_nothing_is_written_if_the_configuration_is_no_text(folder):
    (folder / "config.yaml").write_bytes(b"protocol: \xff\n")
    with pytest.raises(ValueError, match=r"config\.yaml' is no text"):
        write_report(folder)
    assert not (folder / "figures").exists()


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        ([2.0, 1.0], "2 epochs. Lowest validation loss: 1, in epoch 1, the last one"),
        ([2.0, 1.0, 3.0], "3 epochs. .* in epoch 1, 1 epoch before the last."),
        ([1.0, 1.0, 3.0], "in epoch 0, 2 epochs before the last."),
    ],
)
def test_a_summary_names_the_best_epoch(losses, expected):
    history = History({k: {"loss/val": loss} for k, loss in enumerate(losses)})
    assert re.search(expected, summarize(history))


def test_a_summary_tells_the_error_rate(folder):
    summary = summarize(History.read(folder))
    assert (
        "in epoch 1, with a diarization error rate of 25.0 %, 1 epoch before" in summary
    )
    assert summarize(History({0: {"loss/train": 1.0}})) == (
        "1 epoch. There is no validation loss."
    )
