# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Figures show the turns that they are given."""

import io

import matplotlib.image
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from pyannote.core import Annotation, Segment

from pyannote_diarizen.results.timelines import (
    SPEAKER_COLORS,
    draw_comparison,
    draw_timeline,
    to_png,
)


@pytest.fixture
def reference() -> Annotation:
    """Two speakers, one after the other."""
    annotation = Annotation()
    annotation[Segment(0, 4)] = "A"
    annotation[Segment(4, 9)] = "B"
    return annotation


@pytest.fixture
def hypothesis() -> Annotation:
    """The same two under other names in another order, and one in excess."""
    annotation = Annotation()
    annotation[Segment(0, 4)] = "SPEAKER_01"
    annotation[Segment(4, 9)] = "SPEAKER_00"
    annotation[Segment(9, 10)] = "SPEAKER_02"
    return annotation


def rows(axes) -> dict[str, tuple]:
    """Colour of each row, by speaker, from top to bottom."""
    names = [label.get_text() for label in axes.get_yticklabels()]
    colors = [tuple(bars.get_facecolor()[0]) for bars in axes.collections]
    return dict(zip(names, colors, strict=True))


def test_reference_hypothesis_and_errors_are_below_each_other(reference, hypothesis):
    figure = draw_comparison(reference, hypothesis)
    figure.draw_without_rendering()
    places = [axes.get_position() for axes in figure.axes]
    assert places[0].y0 > places[1].y1 > places[1].y0 > places[2].y1
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["reference", "hypothesis", "errors"]
    assert list(rows(figure.axes[0])) == ["A", "B"]


def test_matching_speakers_share_row_order_and_colour(reference, hypothesis):
    above, below, _ = draw_comparison(reference, hypothesis).axes
    assert list(rows(below)) == ["SPEAKER_01", "SPEAKER_00", "SPEAKER_02"]
    assert rows(below)["SPEAKER_01"] == rows(above)["A"]
    assert rows(below)["SPEAKER_00"] == rows(above)["B"]
    assert rows(below)["SPEAKER_02"] not in rows(above).values()


def test_colours_agree_with_errors_if_turns_of_a_speaker_overlap(reference):
    hypothesis = Annotation()
    hypothesis[Segment(0, 9)] = "SPEAKER_00"
    hypothesis[Segment(0, 3)] = "SPEAKER_00"  # counted twice, A would have more of it
    above, below, errors = draw_comparison(reference, hypothesis).axes
    assert rows(below)["SPEAKER_00"] == rows(above)["B"]
    (bar,) = errors.collections[2].get_paths()  # confusion
    assert bar.get_extents().intervalx.tolist() == [0.0, 4.0]


def test_bars_stand_where_speakers_speak_and_errors_occur(reference, hypothesis):
    above, _, errors = draw_comparison(reference, hypothesis).axes
    (bar,) = above.collections[1].get_paths()
    assert bar.get_extents().intervalx.tolist() == [4.0, 9.0]
    assert [len(bars.get_paths()) for bars in errors.collections] == [0, 1, 0]
    (bar,) = errors.collections[1].get_paths()  # false alarm
    assert bar.get_extents().intervalx.tolist() == [9.0, 10.0]


def test_time_begins_at_zero_and_ends_with_the_last_turn(reference, hypothesis):
    for axes in draw_comparison(reference, hypothesis).axes:
        assert axes.get_xlim() == (0, 10)


def test_silence_can_be_drawn(reference):
    _, below, _ = draw_comparison(reference, Annotation()).axes
    assert not below.collections
    assert draw_timeline(Annotation()).axes


def test_a_timeline_is_drawn_where_it_is_wanted(hypothesis):
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert draw_timeline(hypothesis, right) is figure
    assert not left.collections
    assert list(rows(right)) == ["SPEAKER_01", "SPEAKER_00", "SPEAKER_02"]


def test_speakers_differ_in_colour_or_pattern():
    crowd = Annotation()
    for number in range(3 * len(SPEAKER_COLORS)):
        crowd[Segment(number, number + 1)] = f"{number:02}"
    (axes,) = draw_timeline(crowd).axes
    styles = {
        (to_hex(bars.get_facecolor()[0]), bars.get_hatch()) for bars in axes.collections
    }
    assert len(styles) == len(crowd.labels())


def test_names_are_no_formulas_and_leave_room():
    named = Annotation()
    named[Segment(0, 1)] = r"$\frac{$"
    named[Segment(1, 2)] = "a\nb" * 100
    (axes,) = draw_timeline(named).axes
    _, long = rows(axes)
    assert long.startswith("a ba b")
    assert len(long) == 40
    picture = to_png(draw_timeline(named))
    assert matplotlib.image.imread(io.BytesIO(picture)).shape[1] == 1500
