# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`metrics.csv` of a run: a row per epoch, a column per metric."""

import csv
from pathlib import Path

from lightning.pytorch import Callback, LightningModule, Trainer

from pyannote_diarizen.atomic import replacing

EPOCH = "epoch"


class EpochTable(Callback):
    """Write what was logged about each epoch.

    Parameters
    ----------
    path : str or Path
        CSV file. Epochs that are trained again, after an interruption, replace those
        that it holds.
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__()
        self.path = Path(path)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Add the row of the epoch."""
        metrics = {name: x.item() for name, x in trainer.callback_metrics.items()}
        if not trainer.is_global_zero:
            return
        epoch = trainer.current_epoch
        rows = [row for row in read_table(self.path) if int(row[EPOCH]) < epoch]
        rows.append({EPOCH: str(epoch)} | {k: str(v) for k, v in metrics.items()})
        columns = list(dict.fromkeys(name for row in rows for name in row))
        with (
            replacing(self.path) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows)


def read_table(path: Path) -> list[dict[str, str]]:
    """Read the rows of a table, none if it does not exist."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
