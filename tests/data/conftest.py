"""Fixtures of the tests on audio."""

import sys

import pytest


@pytest.fixture
def no_torchcodec(monkeypatch):
    """Where FFmpeg is not installed, hence torchcodec does not load."""
    monkeypatch.setitem(sys.modules, "torchcodec", None)
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", None)
