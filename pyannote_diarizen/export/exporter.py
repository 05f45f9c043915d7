# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Interface of exporters: a file format of networks, and the runtime of such files.

Another package adds a format by registering a subclass of `Exporter`:

    [project.entry-points."pyannote_diarizen.exporters"]
    myformat = "my_package:MyExporter"
"""

import logging
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import torch
from pyannote.audio.core.model import Model
from torch import Tensor

from pyannote_diarizen import plugins
from pyannote_diarizen.installation import require_packages

Runner = Callable[..., Tensor]
"""Function of the inputs of a graph, as float32 tensors on the CPU, or on the device
that the file was opened for, that returns its output."""


class Exporter(ABC):
    """File format of exported networks.

    Attributes
    ----------
    suffix : str
        Suffix of files.
    packages : dict
        Modules that the format needs, and the argument of `pip install` for each.
    companions : tuple of str
        Suffixes of other files that belong to a file.
    precisions : tuple of str
        Supported precisions, the default first.
    """

    suffix: ClassVar[str]
    packages: ClassVar[dict[str, str]] = {}
    companions: ClassVar[tuple[str, ...]] = ()
    precisions: ClassVar[tuple[str, ...]] = ("float32",)

    @abstractmethod
    def write(self, model: Model, path: Path, precision: str) -> None:
        """Write a model to a file.

        Raises
        ------
        ValueError
            If the model has an operator that the format cannot hold.
        """

    @abstractmethod
    def open(self, path: Path, device: torch.device) -> Runner:
        """Open a file for computation on a device.

        Raises
        ------
        ValueError
            If the file is damaged, or the runtime cannot use the device.
        """

    def check(self, precision: str | None = None) -> str:
        """Check packages and precision before any work.

        Parameters
        ----------
        precision : str, optional
            Defaults to the first of `precisions`.

        Returns
        -------
        precision : str

        Raises
        ------
        MissingPackagesError
            If a package is missing; the message has the pip line.
        ValueError
            If the format has no such precision.
        """
        require_packages(type(self).__name__, self.packages)
        if precision is not None and precision not in self.precisions:
            name = type(self).__name__
            raise ValueError(
                f"`precision` of {name} should be one of {', '.join(self.precisions)}, "
                f"got '{precision}'."
            )
        return precision or self.precisions[0]


def find_exporter(name: str) -> Exporter:
    """Build the exporter of a format.

    Parameters
    ----------
    name : str
        Name of the entry point, as in "onnx".

    Raises
    ------
    ValueError
        If no package registers `name`; the message lists the registered names.

    Examples
    --------
    >>> find_exporter("onnx").suffix
    '.onnx'
    """
    return plugins.load_component("exporters", name)()


@contextmanager
def quiet(name: str = "torch") -> Iterator[None]:
    """Silence warnings, and log messages of a logger, that users cannot act upon."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
