# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Comparison of diarizations that break ties of activity in another way.

pyannote.audio and DiariZen rank speakers by an unstable sort: the order of equally
active speakers depends on the vector instructions of the CPU.
"""

import numpy as np
import numpy.testing as npt


def assert_equal_but_for_ties(
    discrete: np.ndarray, expected: np.ndarray, activity: np.ndarray
) -> None:
    """Raise where a frame selects speakers that are less active than expected.

    All arrays have the shape (num_frames, num_speakers).
    """
    npt.assert_array_equal(discrete.sum(axis=1), expected.sum(axis=1))
    npt.assert_array_equal(
        np.sort(activity * discrete, axis=1), np.sort(activity * expected, axis=1)
    )
    untied = (discrete == expected).all(axis=1)
    assert untied.mean() > 0.9
