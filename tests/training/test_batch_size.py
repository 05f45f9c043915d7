# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Batches that do not fit in memory are split; steps and epochs stay the same."""

import sys
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from pyannote_diarizen.cli.train import main
from pyannote_diarizen.models import FBankConformer
from pyannote_diarizen.training.batch_size import (
    smaller_size,
    split_batches,
    stored_size,
)
from pyannote_diarizen.training.history import read_table
from pyannote_diarizen.training.run import assemble


@pytest.mark.parametrize(
    ("batch_size", "sizes"), [(8, [4, 2, 1]), (12, [6, 3, 1]), (7, [1]), (1, [])]
)
def test_parts_have_the_same_number_of_chunks(configure, batch_size, sizes):
    config = configure(
        task__batch_size=batch_size,
        trainer__accumulate_grad_batches=2,
        trainer__limit_train_batches=5,
        auto_batch_size=True,
    )
    found = []
    while (size := smaller_size(config)) is not None:
        found.append(size)
        config.auto_batch_size = size
        split = split_batches(config)
        parts = batch_size // size
        assert split.task.batch_size == size
        assert split.trainer.accumulate_grad_batches == 2 * parts
        assert split.task.batches_per_epoch == 3 * parts
        assert split.trainer.limit_train_batches == 5 * parts
    assert found == sizes
    assert config.task.batch_size == batch_size


def test_a_size_that_does_not_divide_the_batch_is_rounded_down(configure):
    config = configure(task__batch_size=12, auto_batch_size=5)
    assert split_batches(config).task.batch_size == 4
    config = configure(task__batch_size=12, auto_batch_size=100)
    assert split_batches(config).task.batch_size == 12
    with pytest.raises(ValueError, match="at least 1, got 0"):
        split_batches(configure(auto_batch_size=0))


def test_automatic_sizes_have_their_own_option(configure):
    with pytest.raises(ValueError, match="got 'auto': with auto_batch_size=true"):
        stored_size(configure(task__batch_size="auto"))


def test_several_processes_are_refused(configure):
    config = configure(auto_batch_size=True, trainer__devices=2)
    with pytest.raises(ValueError, match=r"one process, got 2: use trainer\.devices=1"):
        assemble(config)


def test_the_number_is_found_once_per_run(tiny, tmp_path, monkeypatch, capsys):
    run, forward, largest, fits = tmp_path / "run", FBankConformer.forward, [0], [1]

    def limited(self, waveforms):
        if self.training and len(waveforms) > fits[0]:
            raise torch.OutOfMemoryError("out of memory")
        largest[0] = max(largest[0], len(waveforms))
        return forward(self, waveforms)

    def command(**options) -> str:
        typed = [f"{k}={v}" for k, v in {"run": run, **options}.items()]
        monkeypatch.setattr(sys, "argv", ["pyannote-audio-train", *typed])
        main()
        return capsys.readouterr().out

    monkeypatch.setattr(FBankConformer, "forward", limited)
    options = {**tiny, "task.batch_size": 4, "auto_batch_size": True}
    # the second epoch needs more memory than the first one
    monkeypatch.setattr(
        FBankConformer,
        "on_train_epoch_start",
        lambda self: fits.__setitem__(0, 2 - bool(self.current_epoch)),
        raising=False,
    )
    output = command(**options, **{"trainer.max_epochs": 2})
    for size, num in ((2, 2), (1, 4)):
        text = f"batches of {size}, and accumulates the gradients of {num} of them"
        assert output.count(text) == 1
    assert largest == [2]
    config = OmegaConf.load(run / "config.yaml")
    assert (config.auto_batch_size, config.task.batch_size) == (1, 4)
    rows = read_table(run / "metrics.csv")
    assert [row["epoch"] for row in rows] == ["0", "1"]
    last = torch.load(run / "checkpoints" / "last.ckpt", weights_only=False)
    assert last["global_step"] == 2 * 3
    # neither the same command nor +resume=last tries larger batches again
    assert "Not enough memory" not in command(**options, **{"trainer.max_epochs": 2})
    config.auto_batch_size = True
    assert stored_size(config) == 1
    output = command(**{"+resume": "last", "trainer.max_epochs": 3})
    assert "Not enough memory" not in output
    assert len(read_table(Path(run) / "metrics.csv")) == 3
