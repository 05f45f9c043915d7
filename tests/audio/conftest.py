# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Fixtures of the tests on audio."""

import sys

import pytest


@pytest.fixture
def no_torchcodec(monkeypatch):
    """Where FFmpeg is not installed, hence torchcodec does not load."""
    monkeypatch.setitem(sys.modules, "torchcodec", None)
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", None)
