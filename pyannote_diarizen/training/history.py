# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""History of a run: `metrics.csv`, a row per epoch, a column per metric."""

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from lightning.pytorch import Callback, LightningModule, Trainer

from pyannote_diarizen.atomic import expand_home, replacing

TABLE = "metrics.csv"
EPOCH = "epoch"


class EpochTable(Callback):
    """Callback that writes the metrics of each epoch.

    Parameters
    ----------
    path : str or Path
        CSV file. The row of an epoch that is trained again, after an interruption,
        replaces the former one.
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


@dataclass(frozen=True)
class History:
    """Metrics of each epoch.

    Parameters
    ----------
    rows : mapping of int to mapping of str to float
        Metrics by name, by epoch.
    """

    rows: Mapping[int, Mapping[str, float]]

    @classmethod
    def read(cls, run: Path | str) -> "History":
        """Read the history of a run.

        Parameters
        ----------
        run : Path or str
            Folder of the run.

        Raises
        ------
        FileNotFoundError
            If no epoch was completed.
        ValueError
            If its table is broken.
        """
        path = expand_home(run) / TABLE
        rows: dict[int, dict[str, float]] = {}
        for number, row in enumerate(read_table(path), start=2):
            try:
                values = {name: float(text) for name, text in row.items() if text}
                rows[int(values.pop(EPOCH))] = values
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(
                    f"'{path}', line {number}: expected numbers, with a column "
                    f"'{EPOCH}', got {row}."
                ) from error
        if not rows:
            raise FileNotFoundError(
                f"'{run}' has no {TABLE} with an epoch: is it the folder of a run that "
                "completed one?"
            )
        return cls(rows)

    @property
    def names(self) -> list[str]:
        """Names of metrics, sorted."""
        return sorted({name for row in self.rows.values() for name in row})

    @property
    def epochs(self) -> np.ndarray:
        """Numbers of epochs, (num_epochs,)."""
        return np.array(list(self.rows), dtype=int)

    def column(self, name: str) -> np.ndarray:
        """Values of a metric, (num_epochs,), NaN where it was not measured."""
        return np.array([row.get(name, math.nan) for row in self.rows.values()])

    def best(self, name: str) -> int | None:
        """First epoch with the smallest finite value, or None if there is none."""
        values = self.column(name)
        if not np.isfinite(values).any():
            return None
        return int(
            self.epochs[np.nanargmin(np.where(np.isinf(values), np.nan, values))]
        )


def read_table(path: Path) -> list[dict[str, str]]:
    """Read the rows of a table; none if the file does not exist."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
