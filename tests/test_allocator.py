# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Freed memory stays in a process that asks for it."""

import subprocess
import sys

import pytest

from pyannote_diarizen import allocator

COUNT_PAGE_FAULTS = """
import sys
from resource import RUSAGE_SELF, getrusage
from pyannote_diarizen.allocator import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()
bytearray(16 << 20)
before = getrusage(RUSAGE_SELF).ru_minflt
for _ in range(50):
    bytearray(16 << 20)[::4096] = bytes(4096)
print(getrusage(RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(setting: str) -> int:
    ran = subprocess.run(
        [sys.executable, "-c", COUNT_PAGE_FAULTS, setting],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(ran.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc only")
def test_blocks_are_used_again_without_page_faults():
    # glibc raises its own threshold after the first block, but trims the heap
    assert 10 * page_faults("kept") < page_faults("default")


def test_other_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr(allocator.sys, "platform", "darwin")
    assert not allocator.keep_freed_memory()
