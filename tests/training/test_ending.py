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

from pyannote_diarizen.cli.train import main
from pyannote_diarizen.training.ending import DivergenceError, FiniteLoss, describe_end
from pyannote_diarizen.training.history import read_table
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
    message = r"epoch 1: loss/train is not .* with \+\+pretrained=.*last\.ckpt instead "
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
        strategy=SimpleNamespace(reduce_boolean_decision=lambda it, all: it),
    )
    check = FiniteLoss()
    losses = [broken] * 20 + [finite] + [broken] * 19
    for index, loss in enumerate(losses):  # index 20 is finite
        check.on_train_batch_end(trainer, None, {"loss": loss}, None, index)
    with pytest.raises(DivergenceError, match=r"none.*optimizer\.lr=0\.001"):
        check.on_train_batch_end(trainer, None, {"loss": broken}, None, 40)


def test_a_damaged_last_batch_is_no_divergence():
    check = FiniteLoss()
    trainer = SimpleNamespace(
        callback_metrics={},
        num_training_batches=5,
        strategy=SimpleNamespace(reduce_boolean_decision=lambda it, all: it),
    )
    check.on_train_batch_end(trainer, None, {"loss": torch.tensor(math.nan)}, None, 4)
    check.on_train_epoch_end(trainer, None)


def test_all_processes_stop_if_one_diverges():
    asked = []

    def reduce(decision, all):
        asked.append((decision, all))
        return True  # another process

    trainer = SimpleNamespace(
        callback_metrics={},
        checkpoint_callback=None,
        current_epoch=0,
        num_training_batches=5,
        optimizers=[SimpleNamespace(param_groups=[{}])],
        precision="32-true",
        strategy=SimpleNamespace(reduce_boolean_decision=reduce),
    )
    with pytest.raises(DivergenceError):
        FiniteLoss().on_train_epoch_end(trainer, None)
    assert asked == [(False, False)]


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


def test_a_trial_without_checkpoints_names_none(configure):
    config = configure(callbacks__checkpoints="null", **{"+trainer.fast_dev_run": True})
    run = assemble(config)
    run.fit()
    last = describe_end(Path(config.run), run.trainer)[-1]
    assert last == "No checkpoint was written."


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
    assert "Next:" not in output.partition("Ended: out of memory")[2]
    assert "task.batch_size=1 trainer.acc" in errors

    def interrupt(self):
        self.trainer.state.status = "interrupted"
        sys.exit(1)  # as Lightning does

    monkeypatch.setattr("pyannote_diarizen.training.run.Run.fit", interrupt)
    assert command(**{"+resume": "last"}) == 1
    assert "Ended: interrupted in epoch 0; " in capsys.readouterr().out
    assert command(run=tmp_path / "new", protocol="No.SpeakerDiarization.Such") == 2
    assert not (tmp_path / "new").exists()
