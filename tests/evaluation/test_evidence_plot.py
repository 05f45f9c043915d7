# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
from pathlib import Path

import numpy as np
import numpy.testing as npt
import pytest

from pyannote_diarizen.clustering import CountEvidence
from pyannote_diarizen.evaluation.evidence_plot import draw_evidence


def make(found: int = 2, **changes: np.ndarray) -> CountEvidence:
    values = {
        "num_speakers": np.array([1, 2, 3]),
        "log_evidence": np.array([-30.0, -10.0, -12.0]),
        "log_prior": np.zeros(3),
        "responsibilities": np.eye(found)[np.arange(8) % found],
        "chunks": np.arange(8),
        "speakers": np.zeros(8, dtype=int),
        "separation": np.full(found, 5.0),
        "elbo": np.array([-20.0, -10.0]),
    }
    return CountEvidence(found=found, **{**values, **changes})


def test_curve_falls_from_the_best_number():
    numbers, _ = draw_evidence(make()).axes
    curve, answer = numbers.lines
    npt.assert_array_equal(curve.get_xydata(), [[1, -20], [2, 0], [3, -2]])
    npt.assert_array_equal(answer.get_xdata(), [2, 2])


def test_prior_has_a_curve_of_its_own():
    numbers, _ = draw_evidence(make(log_prior=np.array([-9.0, -3.0, 0.0]))).axes
    assert len(numbers.lines) == 3
    npt.assert_array_equal(numbers.lines[1].get_ydata(), [-27, -1, 0])


def test_speakers_have_their_share():
    _, speakers = draw_evidence(make()).axes
    labels = [label.get_text() for label in speakers.get_yticklabels()]
    assert labels == ["0 (50%)", "1 (50%)"]
    assert [bar.get_width() for bar in speakers.patches] == [5, 5]


@pytest.mark.parametrize("found", [1, 5])
def test_picture_is_written(found: int, tmp_path: Path):
    separation = np.full(found, np.inf if found == 1 else 3.0)
    draw_evidence(make(found, separation=separation)).savefig(tmp_path / "e.png")
    assert (tmp_path / "e.png").stat().st_size > 5000
