# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The table of docs/speed.md."""

from pyannote_diarizen.evaluation.profiling import Profile, Stage


def test_the_start_is_apart(load_benchmark):
    benchmark = load_benchmark("speed")
    stages = [
        Stage("start", 2.0, 3.0, 1 << 30),
        Stage("segmentation", 6.0, 12.0, 2 << 30),
    ]
    cells = benchmark.row(2, Profile("exact", 120.0, 2, "", stages))
    assert len(cells) == len(benchmark.HEADER)
    assert cells == ["2", "exact", "2.0", "6.0", "0.0500", "12.0", "6.00", "2048"]
