# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Picture of who speaks when."""

import matplotlib.image
import pytest
from pyannote.core import Annotation, Segment

from pyannote_diarizen.evaluation.timeline_plot import draw_timeline, save_figure


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


def test_reference_is_above_hypothesis(reference, hypothesis):
    figure = draw_timeline(reference, hypothesis)
    above, below = figure.axes
    figure.draw_without_rendering()
    assert above.get_position().y0 > below.get_position().y1
    titles = [axes.get_title(loc="left") for axes in (above, below)]
    assert titles == ["reference", "hypothesis"]
    assert list(rows(above)) == ["A", "B"]


def test_matching_speakers_share_row_order_and_colour(reference, hypothesis):
    above, below = draw_timeline(reference, hypothesis).axes
    assert list(rows(below)) == ["SPEAKER_01", "SPEAKER_00", "SPEAKER_02"]
    assert rows(below)["SPEAKER_01"] == rows(above)["A"]
    assert rows(below)["SPEAKER_00"] == rows(above)["B"]
    assert rows(below)["SPEAKER_02"] not in rows(above).values()


def test_bars_stand_where_speakers_speak(reference, hypothesis):
    above, _ = draw_timeline(reference, hypothesis).axes
    (bar,) = above.collections[1].get_paths()
    assert bar.get_extents().intervalx.tolist() == [4.0, 9.0]


def test_time_begins_at_zero_and_ends_with_the_last_turn(reference, hypothesis):
    for axes in draw_timeline(reference, hypothesis).axes:
        assert axes.get_xlim() == (0, 10)


def test_silence_can_be_drawn(reference):
    _, below = draw_timeline(reference, Annotation()).axes
    assert rows(below) == {}


def test_the_file_is_a_picture(reference, hypothesis, tmp_path):
    path = tmp_path / "a.png"
    save_figure(draw_timeline(reference, hypothesis), path)
    height, width, _ = matplotlib.image.imread(path).shape
    assert width == 1500
    assert height > 300
    assert list(tmp_path.iterdir()) == [path]
