# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""TorchScript: graphs that torch runs without the Python code of the model."""

from pathlib import Path

import torch
from pyannote.audio.core.model import Model

from pyannote_diarizen.export.exporter import Exporter, Runner, quiet
from pyannote_diarizen.export.graphs import build_graph


class TorchScriptExporter(Exporter):
    """Traced graphs, for torch in C++."""

    suffix = ".pt"

    def write(self, model: Model, path: Path, precision: str) -> None:
        """Trace a model."""
        graph = build_graph(model)
        # otherwise, tracing of a LightningModule needs a trainer
        graph.model._jit_is_scripting = True
        try:
            with quiet(), torch.no_grad():
                traced = torch.jit.trace(
                    graph, graph.example(graph.model), check_trace=False
                )
                torch.jit.save(traced, str(path))
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[0]
            raise ValueError(
                f"{type(model).__name__} cannot be exported to TorchScript: {reason}"
            ) from error

    def open(self, path: Path, device: torch.device) -> Runner:
        """Load a traced graph."""
        try:
            with quiet():
                return torch.jit.load(str(path), map_location=device)
        except RuntimeError as error:
            reason = str(error).splitlines()[0]
            raise ValueError(
                f"'{path}' is no TorchScript, export it again: {reason}"
            ) from error
