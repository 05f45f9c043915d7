# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Waveforms in temporary files, and the limit of their size."""

import numpy as np
import pytest

from pyannote_diarizen.audio.spooling import TooLongError, limited_spooling, spool


@pytest.mark.parametrize(
    ("num_channels", "sample_rate", "longest"),
    [(1, 1000, 10.0), (2, 48000, 10.0), (8, 48000, 2.5), (1, 384_000, 2.5)],
)
def test_the_limit_counts_duration_and_size(num_channels, sample_rate, longest):
    def blocks(duration):
        sizes = np.diff(np.linspace(0, round(duration * sample_rate), 5).astype(int))
        return (np.zeros((size, num_channels), np.float32) for size in sizes)

    with limited_spooling(10.0):
        waveform = spool(blocks(longest), num_channels, sample_rate)
        assert waveform.shape == (num_channels, longest * sample_rate)
        with pytest.raises(TooLongError, match="at most 10 s"):
            spool(blocks(longest + 0.1), num_channels, sample_rate)
    longer = spool(blocks(longest + 0.1), num_channels, sample_rate)
    assert longer.shape[1] == round((longest + 0.1) * sample_rate)
