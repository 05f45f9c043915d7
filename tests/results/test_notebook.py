# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Results as notebooks show them."""

from types import SimpleNamespace

import pytest
from pyannote.audio.pipelines.speaker_diarization import DiarizeOutput
from pyannote.core import Annotation, Segment

from pyannote_diarizen.results.document import DiarizationDocument
from pyannote_diarizen.results.notebook import load_ipython_extension
from pyannote_diarizen.results.turns import Turn


class Formatter(dict):
    """Registry of IPython: a function that renders each type."""

    def for_type(self, kind: type, function) -> None:
        self[kind] = function


def test_the_extension_shows_outputs_of_pipelines():
    annotation = Annotation(uri="call")
    annotation[Segment(0, 2)] = "ann"
    formatter = Formatter()
    display = SimpleNamespace(formatters={"text/html": formatter})
    load_ipython_extension(SimpleNamespace(display_formatter=display))
    html = formatter[DiarizeOutput](DiarizeOutput(annotation, annotation))
    assert "<strong>call</strong>: 2.0 s, 1 speaker, 1 turn</p>" in html
    assert '<img alt="Timeline of the speakers"' in html


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "caf\udce9"])
def test_a_document_is_a_table_of_its_speakers(name):
    turns = [Turn(0, 2, name), Turn(1, 2, "bob")]
    document = DiarizationDocument(name, turns, speaker_confidence={"bob": 0.456})
    html = document._repr_html_()
    assert "<td>bob</td><td>1.0 s</td><td>1</td><td>46%</td>" in html
    assert "<script" not in html
    assert html.encode("utf-8").count(b"<td>2.0 s</td><td>1</td><td></td>") == 1
