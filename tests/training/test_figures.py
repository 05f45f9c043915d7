# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Figures show the metrics, and the reference above the hypothesis."""

import numpy as np
import numpy.testing as npt
import pytest

from pyannote_diarizen.training.figures import Chunk, draw_chunks, draw_curves
from pyannote_diarizen.training.history import History

ERROR = "DiarizationErrorRate"
ROWS = {
    epoch: {
        "loss/train": 2.0 - epoch,
        "loss/train/cross_entropy": 1.0,
        "loss/train/smoothness": 0.1,
        "loss/val": loss,
        ERROR: 0.5,
        f"{ERROR}/Miss": 0.2,
        f"{ERROR}/Precision": 0.9,
        "learning_rate/head": 1e-3,
        "gradient_norm/head": 10.0,
    }
    for epoch, loss in enumerate([3.0, 1.0, 2.0])
}


def lines(axes) -> dict[str, np.ndarray]:
    return {
        line.get_label(): line.get_ydata()
        for line in axes.get_lines()
        if not line.get_label().startswith("_")
    }


def test_each_kind_of_quantity_has_a_panel():
    figure = draw_curves(History(ROWS))
    panels = {axes.get_title(loc="left"): lines(axes) for axes in figure.axes}
    assert list(map(list, panels.values())) == [
        ["training", "validation"],
        ["cross_entropy", "smoothness"],
        ["total", "Miss"],
        ["head"],
        ["head"],
    ]
    npt.assert_array_equal(panels["loss"]["validation"], [3, 1, 2])
    npt.assert_array_equal(
        panels["diarization error rate (%)"]["total"], [50.0, 50.0, 50.0]
    )
    best = figure.axes[0].get_lines()[-1].get_xdata()
    assert set(best) == {1}


def test_a_single_part_is_the_loss_and_has_no_panel():
    rows = {0: {"loss/train": 1.0, "loss/train/cross_entropy": 1.0}}
    assert len(draw_curves(History(rows)).axes) == 1


def test_quantities_of_other_tasks_have_panels_of_their_own():
    (axes,) = draw_curves(History({0: {"EqualErrorRate": 1.0}})).axes
    assert axes.get_title(loc="left") == "EqualErrorRate"
    with pytest.raises(ValueError, match="no metric to draw"):
        draw_curves(History({0: {}}))


def test_a_speaker_has_the_same_colour_above_and_below(rng):
    reference = np.array([[1, 0], [1, 1], [0, 1.0]])
    chunk = Chunk("name", 0.5, reference, rng.random((3, 2)))
    figure = draw_chunks([chunk] * 3, "title")
    panels = [axes for cell in figure.subfigs for axes in cell.axes]
    assert len(panels) == 6
    above, below = panels[:2]
    for patch, other in zip(above.patches, below.patches, strict=True):
        assert patch.get_facecolor() == other.get_facecolor()
    values, edges, floor = above.patches[0].get_data()
    npt.assert_allclose(values - floor, 0.9 * reference[:, 0])
    npt.assert_allclose(edges, [0, 0.5, 1, 1.5])
    values, _, floor = below.patches[1].get_data()
    npt.assert_allclose(values - floor, 0.9 * chunk.hypothesis[:, 1])
