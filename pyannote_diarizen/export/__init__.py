# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Models that leave Python: formats of exported networks, and their runtimes."""

from pyannote_diarizen._host import import_pyannote

import_pyannote()

from pyannote_diarizen.export.exporter import Exporter
from pyannote_diarizen.export.network import SafetensorsExporter
from pyannote_diarizen.export.onnx_format import ONNXExporter, TensorRTExporter
from pyannote_diarizen.export.openvino_format import OpenVINOExporter
from pyannote_diarizen.export.torchscript import TorchScriptExporter

__all__ = [
    "Exporter",
    "ONNXExporter",
    "OpenVINOExporter",
    "SafetensorsExporter",
    "TensorRTExporter",
    "TorchScriptExporter",
]
