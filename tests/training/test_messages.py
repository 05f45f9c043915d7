# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""What a training prints while it runs."""

import logging

import pytest

from pyannote_diarizen.training.history import read_table
from pyannote_diarizen.training.messages import silence_useless_messages
from pyannote_diarizen.training.run import assemble


def test_a_line_per_epoch_has_the_metrics_by_their_names(configure, tmp_path, capsys):
    options = {"+trainer.enable_progress_bar": True}
    assemble(configure(trainer__max_epochs=2, **options)).fit()
    lines = [x for x in capsys.readouterr().out.splitlines() if "loss/train" in x]
    rows = read_table(tmp_path / "run" / "metrics.csv")
    for epoch, (line, row) in enumerate(zip(lines, rows, strict=True)):
        shown = dict(each.split() for each in line.partition(": ")[2].split(", "))
        assert line.startswith(f"Epoch {epoch}: loss/train ")
        for name in ("loss/val", "DiarizationErrorRate", "Miss"):
            column = name if name in row else f"DiarizationErrorRate/{name}"
            assert float(shown[name]) == pytest.approx(float(row[column]), rel=0.01)


def test_messages_without_use_are_left_out(caplog):
    silence_useless_messages()
    logger = logging.getLogger("lightning.pytorch.utilities.rank_zero")
    with caplog.at_level(logging.INFO, logger.name):
        for text in ("💡 Tip: buy it", "TPU available: False", "GPU available: True"):
            logger.info(text)
    assert caplog.messages == ["GPU available: True"]
