# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""What was measured in each epoch of a run, read from its table."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pyannote_diarizen.training.epoch_table import EPOCH, read_table

TABLE = "metrics.csv"


@dataclass(frozen=True)
class History:
    """Quantities of each epoch.

    Parameters
    ----------
    rows : mapping
        Of each epoch, its quantities by name.
    """

    rows: Mapping[int, Mapping[str, float]]

    @classmethod
    def read(cls, run: Path | str) -> "History":
        """Read that of a run.

        Parameters
        ----------
        run : Path or str
            Its folder.

        Raises
        ------
        FileNotFoundError
            If no epoch of it was completed.
        ValueError
            If its table is broken.
        """
        path = Path(run).expanduser() / TABLE
        rows: dict[int, dict[str, float]] = {}
        for number, row in enumerate(read_table(path), start=2):
            try:
                values = {name: float(text) for name, text in row.items() if text}
                rows[int(values.pop(EPOCH))] = values
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(
                    f"'{path}', line {number}: expected numbers, that of an {EPOCH} "
                    f"among them, got {row}."
                ) from error
        if not rows:
            raise FileNotFoundError(
                f"'{run}' has no {TABLE} with an epoch: is it the folder of a run that "
                "completed one?"
            )
        return cls(rows)

    @property
    def names(self) -> list[str]:
        """Names of quantities, sorted."""
        return sorted({name for row in self.rows.values() for name in row})

    @property
    def epochs(self) -> np.ndarray:
        """Numbers of epochs, (num_epochs,)."""
        return np.array(list(self.rows), dtype=int)

    def column(self, name: str) -> np.ndarray:
        """Values of a quantity, (num_epochs,), NaN where it was not measured."""
        return np.array([row.get(name, math.nan) for row in self.rows.values()])

    def best(self, name: str) -> int | None:
        """Epoch with the smallest value, the first of them, or None without any."""
        values = self.column(name)
        if not np.isfinite(values).any():
            return None
        return int(
            self.epochs[np.nanargmin(np.where(np.isinf(values), np.nan, values))]
        )
