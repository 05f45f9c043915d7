# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Epochs are those of the original, but for those that it chooses wrongly."""

import json

import pytest

from pyannote_diarizen.training.selection import (
    find_checkpoints,
    read_metric,
    select_epochs,
)

VALUES = {0: 0.9, 1: 0.4, 2: 0.5, 3: 0.3, 4: 0.6, 5: 0.7, 6: 0.8}


@pytest.mark.parametrize(
    ("rule", "num", "epochs"),
    [
        ("best", 3, [3, 1, 2]),
        ("last", 2, [5, 6]),
        ("around", 3, [2, 3, 4]),
        ("around", 6, [0, 1, 2, 3, 4, 5]),
        ("around", 7, [0, 1, 2, 3, 4, 5, 6]),
        ("until", 2, [2, 3]),
        # the original slices from a negative index here, and gets none
        ("until", 6, [0, 1, 2, 3]),
    ],
)
def test_by_hand(rule, num, epochs):
    assert select_epochs(VALUES, rule, num) == epochs


def test_around_the_last_epoch_stays_within_the_run():
    values = {epoch: -epoch for epoch in range(4)}
    assert select_epochs(values, "around", 3) == [1, 2, 3]


def test_only_epochs_after_the_peak():
    values = {0: 0.1, 1: 0.2, 2: 0.9, 3: 0.4, 4: 0.3}
    assert select_epochs(values, "best", 2, after_peak=True) == [4, 3]


def test_too_few_epochs():
    with pytest.raises(ValueError, match="7 epochs to choose from, not 8"):
        select_epochs(VALUES, "best", 8)
    with pytest.raises(ValueError, match="0 epochs"):
        select_epochs({0: 1.0}, "last", 1, after_peak=True)


@pytest.mark.parity
def test_selection_of_the_original(parity):
    reference = json.loads((parity / "train" / "checkpoints.json").read_text())
    for metric, name in (("losses", "Loss"), ("ders", "DER")):
        values = dict(enumerate(reference[metric], start=1))
        for rule, theirs in (("best", "best"), ("until", "prev")):
            expected = reference[f"eend_{name}_{theirs}_5"]
            assert select_epochs(values, rule, 5) == expected
    pruned = dict(enumerate(reference["prune_losses"], start=1))
    assert (
        select_epochs(pruned, "best", 5, after_peak=True)
        == reference["prune_after_peak_5"]
    )


TABLE = "epoch,loss/train,loss/val\n0,0.5,0.75\n1,0.25,nan\n2,0.125,\n3,0.125,0.5\n"


def test_what_a_table_tells(tmp_path):
    (tmp_path / "metrics.csv").write_text(TABLE)
    assert read_metric(tmp_path, "loss") == {0: 0.75, 3: 0.5}
    assert read_metric(tmp_path, "loss/train") == {0: 0.5, 1: 0.25, 2: 0.125, 3: 0.125}
    with pytest.raises(
        ValueError, match=r"no 'der', only loss, der, loss/train, loss/"
    ):
        read_metric(tmp_path, "der")


def test_checkpoints_by_epoch(tmp_path):
    for name in ("0010.ckpt", "epoch=0002.ckpt", "last.ckpt", "0003.txt"):
        (tmp_path / name).touch()
    found = find_checkpoints(tmp_path)
    assert {epoch: path.name for epoch, path in found.items()} == {
        2: "epoch=0002.ckpt",
        10: "0010.ckpt",
    }
