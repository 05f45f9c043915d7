# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The history of a run is read as numbers; errors name the broken line."""

import numpy.testing as npt
import pytest

from pyannote_diarizen.training.history import TABLE, History


def test_a_table_is_read_by_column(tmp_path):
    (tmp_path / TABLE).write_text("epoch,loss/val,lr\n0,2.5,\n1,nan,0.1\n2,1.5,0.1\n")
    history = History.read(tmp_path)
    assert history.names == ["loss/val", "lr"]
    npt.assert_array_equal(history.epochs, [0, 1, 2])
    npt.assert_array_equal(history.column("loss/val"), [2.5, float("nan"), 1.5])
    npt.assert_array_equal(history.column("lr"), [float("nan"), 0.1, 0.1])
    assert history.best("loss/val") == 2
    assert history.best("lr") == 1
    assert history.best("unknown") is None


def test_infinite_losses_are_not_the_best():
    history = History({0: {"loss/val": float("inf")}, 1: {"loss/val": 3.0}})
    assert history.best("loss/val") == 1


@pytest.mark.parametrize(
    "text", ["epoch,loss\n0,1\n1,one\n", "loss\n1\n2\n", "epoch,loss\n0,1\n1,2,3\n"]
)
def test_a_broken_table_is_an_error(tmp_path, text):
    (tmp_path / TABLE).write_text(text)
    with pytest.raises(ValueError, match=r"metrics.csv', line [23]: expected numbers"):
        History.read(tmp_path)


def test_a_folder_without_table_is_no_run(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no metrics.csv"):
        History.read(tmp_path)
