# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""HTTP server: uploads, a queue on disk, progress, results."""
