# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Audio is found by its name, whatever characters the name has."""

import unicodedata
from pathlib import Path

import pytest

from pyannote_diarizen.corpora.recordings import locate_audio, other_form

NAMES = ["rec[1]", "rec1", "a*b", "aab", "a?c", "abc", "[!x]", "y", "réunion", "Mr A"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NAMES:
        path = tmp_path / "Talks" / name / f"{name}.wav"
        path.parent.mkdir(parents=True)
        path.touch()
    return tmp_path


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "template",
    ["{database}/{uri}/{uri}.wav", "{database}/*/{uri}.wav", "**/{uri}/*.wav"],
)
def test_names_are_no_wildcards(folder, name, template):
    found = locate_audio([str(folder / template)], name, "Talks")
    assert found == [folder / "Talks" / name / f"{name}.wav"]
    (folder / "Talks" / name / f"{name}.wav").unlink()
    assert locate_audio([str(folder / template)], name, "Talks") == []


def test_all_templates_are_tried(folder):
    templates = [str(folder / "nowhere/{uri}.wav"), str(folder / "Talks/*/{uri}.wav")]
    assert len(locate_audio(templates, "y", "Talks")) == 1
    assert len(locate_audio(templates[1:] * 2, "y", "Talks")) == 2


def test_other_unicode_forms():
    composed, decomposed = (unicodedata.normalize(f, "réunion") for f in ("NFC", "NFD"))
    assert other_form(composed, ["a", decomposed]) == decomposed
    assert other_form(decomposed, [composed]) == composed
    assert other_form(composed, [composed, "reunion"]) is None
    assert other_form("reunion", [composed]) is None
