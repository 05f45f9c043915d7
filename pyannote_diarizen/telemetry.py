# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Telemetry of the packages that our commands import."""

import os


def disable_telemetry() -> None:
    """Switch telemetry off, unless the user has set its environment variable.

    pyannote.audio sends the duration of each file; ONNX Runtime, which pyannote.audio
    imports where it is installed, sends telemetry on Linux since version 1.29. Both
    read their variable on import.
    """
    os.environ.setdefault("PYANNOTE_METRICS_ENABLED", "0")
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
