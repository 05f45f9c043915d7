# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Each end of a training gives its reason, its best epoch and the next command."""

import math
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from lightning.pytorch import Callback
from torch import nn

from pyannote_diarizen.cli.train import main
from pyannote_diarizen.training.ending import DivergenceError, FiniteLoss, describe_end
from pyannote_diarizen.training.history import read_table
from pyannote_diarizen.training.memory import advise, estimate_memory, is_out_of_memory
from pyannote_diarizen.training.run import assemble


class DivergeIn(Callback):
    """Make weights NaN in an epoch."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_train_epoch_start(self, trainer, pl_module):
        """Overwrite a weight."""
        if trainer.current_epoch == self.epoch:
            pl_module.proj.weight.data.fill_(math.nan)


class Losses(Callback):
    """Validation loss of each epoch, instead of the measured one."""

    def __init__(self, losses) -> None:
        self.losses = losses

    def on_train_epoch_start(self, trainer, pl_module):
        """Replace the logged loss when validation ends."""
        loss = self.losses[trainer.current_epoch]
        log = type(pl_module).log

        def replaced(name, value, **options):
            value = torch.tensor(loss) if name == "loss/val" else value
            log(pl_module, name, value, **options)

        pl_module.log = replaced


def trained(config, callback):
    run = assemble(config)
    run.trainer.callbacks.insert(0, callback)
    run.fit()
    return Path(config.run), run.trainer


def epochs(folder: Path) -> list[str]:
    return sorted(path.stem for path in (folder / "checkpoints").iterdir())


def test_divergence_keeps_the_last_good_checkpoint(configure):
    config = configure(trainer__max_epochs=3)
    message = r"epoch 1: loss/train is not .*last\.ckpt optimizer\.lr=0\.0003 and"
    with pytest.raises(DivergenceError, match=message):
        trained(config, DivergeIn(1))
    folder = Path(config.run)
    assert epochs(folder) == ["0000", "last"]
    weights = torch.load(folder / "checkpoints/last.ckpt", weights_only=False)
    assert weights["state_dict"]["proj.weight"].isfinite().all()


def test_batches_in_a_row_stop_within_the_epoch():
    finite, broken = torch.tensor(1.0), torch.tensor(math.nan)
    trainer = SimpleNamespace(
        checkpoint_callback=None,
        optimizers=[SimpleNamespace(param_groups=[{"initial_lr": 3e-3}])],
        current_epoch=0,
        precision="32-true",
    )
    check = FiniteLoss()
    losses = [broken] * 20 + [finite] + [broken] * 19
    for index, loss in enumerate(losses):  # index 20 is finite
        check.on_train_batch_end(trainer, None, {"loss": loss}, None, index)
    with pytest.raises(DivergenceError, match=r"none.*optimizer\.lr=0\.001"):
        check.on_train_batch_end(trainer, None, {"loss": broken}, None, 40)


def test_patience_keeps_best_and_last_epochs_and_may_grow(configure):
    losses = [5.0, 2.0, 3.0, 4.0, 4.0, 4.0, 4.0]
    options = {"trainer__max_epochs": 7, "callbacks.checkpoints.keep": 1}
    folder, trainer = trained(configure(patience=2, **options), Losses(losses))
    assert len(read_table(folder / "metrics.csv")) == 4
    assert epochs(folder) == ["0001", "0003", "last"]
    reason, summary, checkpoint, command = describe_end(folder, trainer)
    assert "no lower loss/val for 2 epochs (patience=2); " in reason
    assert "in epoch 1, " in summary
    assert checkpoint == f"Checkpoint: {folder}/checkpoints/0001.ckpt"
    assert f"average {folder} --best 2, then" in command
    resumed = {"+resume": "last", **options}
    trained(configure(patience=2, **resumed), Losses(losses))
    assert len(read_table(folder / "metrics.csv")) == 4
    trained(configure(patience=3, **resumed), Losses(losses))
    assert len(read_table(folder / "metrics.csv")) == 5


def test_the_command_goes_on_and_describes_the_end(tiny, tmp_path, monkeypatch, capsys):
    run = tmp_path / "run"

    def command(**options) -> int:
        typed = [f"{k}={v}" for k, v in {"run": run, **options}.items()]
        monkeypatch.setattr(sys, "argv", ["pyannote-audio-train", *typed])
        try:
            main()
        except SystemExit as ended:
            return ended.code
        return 0

    once = {**tiny, "trainer.max_epochs": 1}
    assert command(**once) == 0
    first = capsys.readouterr().out
    assert "Ended: all 1 epochs are done (trainer.max_epochs).\n1 epoch. " in first
    overrides = (run / ".hydra" / "overrides.yaml").read_text()
    written = (run / "checkpoints" / "0000.ckpt").stat().st_mtime_ns
    assert command(**{**tiny, "trainer.max_epochs": 5}) == 2
    assert "trainer.max_epochs=5" in capsys.readouterr().err
    assert (run / ".hydra" / "overrides.yaml").read_text() == overrides
    assert command(**once) == 0
    assert (run / "checkpoints" / "0000.ckpt").stat().st_mtime_ns == written
    sizes = {"+resume": "last", "model.attention_in": 16}
    assert command(**sizes) == 2
    assert "cannot change model.attention_in=16" in capsys.readouterr().err
    assert command(**{"+resume": "last", "trainer.max_epochs": 2}) == 0
    assert len(read_table(run / "metrics.csv")) == 2
    monkeypatch.setattr(
        "pyannote_diarizen.training.run.Run.fit",
        lambda self: torch.empty(10**15),
    )
    assert command(**{"+resume": "last", "trainer.max_epochs": 3}) == 4
    output, errors = capsys.readouterr()
    assert "Ended: out of memory.\n2 epochs. " in output
    assert "task.batch_size=1 trainer.acc" in errors

    def interrupt(self):
        self.trainer.state.status = "interrupted"
        sys.exit(1)  # as Lightning does

    monkeypatch.setattr("pyannote_diarizen.training.run.Run.fit", interrupt)
    assert command(**{"+resume": "last"}) == 1
    assert "Ended: interrupted in epoch 0; " in capsys.readouterr().out
    assert command(run=tmp_path / "new", protocol="No.SpeakerDiarization.Such") == 2
    assert not (tmp_path / "new").exists()


def test_the_estimate_grows_with_the_batch():
    model = nn.Sequential(nn.Linear(100, 100), nn.Sigmoid())
    one, two = (estimate_memory(model, torch.zeros(1, 50, 100), n) for n in (1, 2))
    # the output of the sigmoid, and the input of the layer
    assert two - one == 4 * 2 * 50 * 100
    assert one - (two - one) == 4 * 4 * (100 * 100 + 100)
    model.requires_grad_(False)
    assert estimate_memory(model, torch.zeros(1, 50, 100), 9) == 4 * (100 * 100 + 100)


def test_options_that_need_less_memory(configure):
    config = configure(trainer__precision="bf16-mixed", gradient_checkpointing=True)
    config.task.batch_size = 8
    text = advise(config)
    assert "task.batch_size=4 trainer.accumulate_grad_batches=2" in text
    assert "precision" not in text
    assert "gradient_checkpointing" not in text
    assert not is_out_of_memory(RuntimeError("shape mismatch"))
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA"))
