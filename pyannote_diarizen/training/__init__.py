# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Training runs: what `pyannote-audio-train` makes of a configuration."""
