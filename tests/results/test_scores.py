# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Scores of a system, from files and to files."""

import json

import pytest
from worked_cases import annotation

from pyannote_diarizen.evaluation.scoring import CONDITIONS, Condition
from pyannote_diarizen.results.scores import (
    SystemScores,
    read_annotations,
    read_regions,
    score_rows,
    score_system,
)
from pyannote_diarizen.rttm import write_rttm

REFERENCES = {
    "a": annotation([(0, 4, "ann"), (4, 8, "bob")]),
    "b": annotation([(0, 2, "ann")]),
}
HYPOTHESES = {"a": annotation([(0, 4, "x"), (4, 6, "y")]), "c": annotation([])}


@pytest.fixture
def scores() -> SystemScores:
    return score_system("mine", HYPOTHESES, REFERENCES, conditions=CONDITIONS)[0]


def test_recordings_without_counterpart_are_named():
    scores, pairing = score_system("mine", HYPOTHESES, REFERENCES)
    assert (pairing.missing, pairing.without_reference) == (["b"], ["c"])
    assert score_rows(scores.files) == [
        ["a", "25.0%", "25.0%", "0.0%", "0.0%", "25.0%", "2", "2"],
        ["b", "100.0%", "100.0%", "0.0%", "0.0%", "100.0%", "1", "0"],
        ["TOTAL", "40.0%", "40.0%", "0.0%", "0.0%", "50.0%", "3", "2"],
    ]


def test_only_recordings_of_the_uem_are_scored(tmp_path):
    (tmp_path / "a.uem").write_text("a 1 0 5\na 1 6 7\n")
    regions = read_regions(tmp_path / "a.uem")
    scores, pairing = score_system("mine", HYPOTHESES, REFERENCES, regions)
    assert pairing.outside == ["b"]
    (file,) = scores.files
    assert (file.score.total, file.score.missed_detection) == (6.0, 1.0)


def test_names_without_a_match_are_an_error():
    with pytest.raises(ValueError, match=r"hypotheses are called c, references a, b\."):
        score_system("mine", {"c": HYPOTHESES["c"]}, REFERENCES)


@pytest.mark.parametrize("suffix", ["json", "csv"])
def test_files_restore_all_scores(scores, tmp_path, suffix):
    path = tmp_path / f"mine.{suffix}"
    path.write_text(getattr(scores, f"to_{suffix}")())
    found = SystemScores.read(path)
    assert found.files == scores.files
    assert found.conditions == list(CONDITIONS)
    assert len(found.under(Condition(0.5, True))) == 2


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b'{"files": [{"uri": "a"}]}', b"\xff", b"[" * 100_000],
    ids=["empty", "list", "object", "file", "no text", "deep"],
)
def test_other_json_is_refused(tmp_path, content):
    path = tmp_path / "other.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"other.json' holds no scores"):
        SystemScores.read(path)


def test_a_byte_order_mark_of_a_spreadsheet_is_no_part_of_a_name(scores, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(scores.to_csv(), encoding="utf-8-sig")
    assert SystemScores.read(path).files == scores.files


def test_a_folder_of_another_kind_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="give a folder of `pyannote-diarizen"):
        SystemScores.read(tmp_path)


def test_a_folder_is_read_with_its_subfolders(tmp_path):
    write_rttm(REFERENCES["a"].rename_labels({"ann": "Ann"}), tmp_path / "x/a.RTTM")
    (tmp_path / "empty.rttm").write_text("")
    (tmp_path / "scores.csv").write_text("not read beside RTTM")
    found = read_annotations(tmp_path)
    assert {uri: each.labels() for uri, each in found.items()} == {
        "empty": [],
        "file": ["Ann", "bob"],
    }


def test_one_recording_in_two_files_is_an_error(tmp_path):
    for name in ("a", "b"):
        write_rttm(REFERENCES["a"], tmp_path / f"{name}.rttm")
    with pytest.raises(ValueError, match=r"'file' is in '.*a.rttm' and in '.*b.rttm'"):
        read_annotations(tmp_path)


def test_a_folder_without_annotations_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="holds no annotation: expected files that"):
        read_annotations(tmp_path)


def test_json_opens_with_format_and_system(scores):
    content = json.loads(scores.to_json())
    assert content["format"] == "pyannote-diarizen scores"
    assert (content["version"], content["system"]) == (1, "mine")
    assert len(content["files"]) == 2 * len(CONDITIONS)
