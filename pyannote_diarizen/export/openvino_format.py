# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""OpenVINO: graphs of ONNX, converted for the CPUs and devices of Intel."""

import tempfile
from importlib import import_module
from pathlib import Path
from typing import ClassVar

import torch
from pyannote.audio.core.model import Model
from torch import Tensor

from pyannote_diarizen.export.exporter import Exporter, Runner, quiet
from pyannote_diarizen.export.onnx_format import ONNXExporter


class OpenVINOExporter(Exporter):
    """Intermediate representation of OpenVINO, run on the CPU."""

    suffix = ".xml"
    companions = (".bin",)
    packages: ClassVar = {**ONNXExporter.packages, "openvino": "openvino"}
    precisions = ("float32", "float16")

    def write(self, model: Model, path: Path, precision: str) -> None:
        """Write a model; float16 is the precision of stored weights."""
        openvino = import_module("openvino")
        with tempfile.TemporaryDirectory(dir=path.parent) as folder, quiet():
            graph = Path(folder) / "network.onnx"
            ONNXExporter().write(model, graph, "float32")
            # `convert_model` would send telemetry
            converted = openvino.Core().read_model(graph)
            openvino.save_model(
                converted, path, compress_to_fp16=precision == "float16"
            )

    def open(self, path: Path, device: torch.device) -> Runner:
        """Compile a graph for the CPU."""
        openvino = import_module("openvino")
        if device.type != "cpu":
            raise ValueError(f"OpenVINO computes on the CPU here, not on '{device}'.")
        # in float32 also on CPUs that multiply bfloat16 faster
        settings = {
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        }
        try:
            compiled = openvino.Core().compile_model(path, "CPU", settings)
        except RuntimeError as error:
            raise ValueError(
                f"'{path}' cannot be opened by OpenVINO, export it again: {error}"
            ) from error

        def run(*inputs: Tensor) -> Tensor:
            output = compiled([each.float().numpy() for each in inputs])[0]
            return torch.from_numpy(output.copy())

        return run
