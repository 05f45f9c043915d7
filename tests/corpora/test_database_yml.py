# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Errors in the keys of a `database.yml` are found, with file, key and line."""

import re
from pathlib import Path

import pytest

from pyannote_diarizen.corpora.database import Database, find_protocol
from pyannote_diarizen.corpora.database_yml import DatabaseFile

YML = """\
Databases:
  Talks: "{uri}.wav"
Protocols:
  Talks:
    SpeakerDiarization:
      Few:
        scope: file
        train: {uri: a.lst, annotation: a.rttm}
"""
NAME = "Talks.SpeakerDiarization.Few"


def write(folder: Path, text: str) -> Path:
    path = folder / "database.yml"
    path.write_text(text)
    return path


def findings(folder: Path, old: str, new: str, name: str = NAME) -> list[str]:
    """Findings of `YML`, in which something is replaced."""
    assert old in YML
    database = DatabaseFile(write(folder, YML.replace(old, new)))
    found = [*database.findings, *database.check_entries(name)]
    where = f"'{folder / 'database.yml'}'"
    assert all(str(finding).startswith(where) for finding in found)
    return [f"{each.status}{str(each).removeprefix(where)}" for each in found]


def test_a_right_file_has_no_finding(tmp_path):
    assert findings(tmp_path, "Few", "Few") == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("train:", "Train:", "error, line 8: unknown key `Train` .* mean `train`"),
        ("train:", "dev:", "error, line 8: unknown key `dev` .* mean `development`"),
        ("train:", "trian:", "error, line 8: unknown key `trian` .* mean `train`"),
        ("train:", "notes: a\n        train:", "warning, line 8: unknown key `notes`"),
        ("Databases", "Database", "error, line 1: unknown key .* mean `Databases`"),
        ("scope: file", "scope: files", "error, line 7: `scope` .* 'files': use file"),
        ("        scope: file\n", "", "warning: .* lacks `scope`"),
        ("uri: a", "uris: a", "warning, line 8: `uris` .* old spelling: write `uri`"),
        ("uri: a.lst, ", "", "error, line 8: train of .* lacks `uri`"),
        (", annotation: a.rttm", "", "error, line 8: .* lacks `annotation`"),
        ("annotation: a.rttm", "annotation: yes", "error, line 8: .* a file, got True"),
        ("annotation:", "anotation:", "error, line 8: .* mean `annotation`"),
        ("a.rttm", "a.rttm, uem: a.uem", "error, line 8: .* mean `annotated`"),
        ("a.rttm", "a.docx", "error, line 8: .* 'a.docx', and no loader reads .docx"),
        ("a.rttm", "[a.rttm]", r"error, line 8: .* path of a file, got \['a.rttm'\]"),
        ("a.lst", "2024", "error, line 8: `uri` .* path of a file, got 2024"),
        ("{uri: a.lst, annotation: a.rttm}", "", "error, line 8: train .* got None"),
        ("{uri: a.lst", "{A.B.C: [train], uri: a.lst", "move it to the database X"),
        ("scope: file", "scope: file\n        scope: file", "line 8: `scope` .* twice"),
        ("annotation:", "uri: b.lst, annotation:", "line 8: `uri` is there twice"),
    ],
)
def test_wrong_keys(tmp_path, old, new, expected):
    found = findings(tmp_path, old, new)
    assert any(re.search(expected, finding) for finding in found), found


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("        scope: file\n", "        {}\n", "not YAML"),
        ("Few:", "Few: &a *a", "not YAML"),
        ("scope: file", "scope: 2024-02-31", "not YAML: day"),
        (YML, "a: " + "[" * 5000, "not YAML: maximum recursion"),
        (YML, "", "not a `database.yml`"),
        (YML, "- a", "not a `database.yml`"),
        (YML, "Protocols: [a, b]", "line 1: `Protocols` should hold names"),
        (YML, "Protocols:\n  Talks: Few", "line 2: `Talks` should .* got 'Few'"),
        ('"{uri}.wav"', "{a: b}", "line 2: `Talks` should hold a path, or a list"),
        (YML, "Requirements: 7", "line 1: `Requirements` should hold a path"),
    ],
)
def test_values_of_a_wrong_type_name_the_file_and_the_key(tmp_path, old, new, expected):
    path = write(tmp_path, YML.replace(old, new))
    with pytest.raises(ValueError, match=f"^'{path}'.*{expected}"):
        DatabaseFile(path)


def test_a_protocol_without_anything_defines_no_subset(tmp_path):
    path = write(tmp_path, "Protocols: {A: {SpeakerDiarization: {B: , v1.0: }}}")
    (_, finding) = DatabaseFile(path).check_entries("A.SpeakerDiarization.B")
    assert "defines no subset: add train" in str(finding)
    (dotted, *_) = DatabaseFile(path).check_entries("A.SpeakerDiarization.v1.0")
    assert "has a dot in a name" in str(dotted)


def test_unknown_tasks(tmp_path):
    found = findings(
        tmp_path, "SpeakerDiarization", "Diarization", "Talks.Diarization.Few"
    )
    assert "no task `Diarization`: use `SpeakerDiarization`" in found[0]


def test_merged_keys_are_not_there_twice(tmp_path):
    merged = "&all\n          {uri: a.lst, annotation: a.rttm}\n"
    merged += "        test: {<<: *all, uri: b.lst}"
    assert findings(tmp_path, "{uri: a.lst, annotation: a.rttm}", merged) == []


def test_numbers_are_names(tmp_path):
    (tmp_path / "a.lst").write_text("monday\n")
    (tmp_path / "monday.wav").touch()
    path = write(tmp_path, YML.replace("Talks", "2024").replace("Few", "7"))
    train = Database(path).subsets("2024.SpeakerDiarization.7")["train"]
    assert train.audio == {"monday": tmp_path / "monday.wav"}


def test_wrong_templates_are_findings(tmp_path):
    (tmp_path / "a.lst").write_text("monday\n")
    text = YML.replace("{uri}.wav", "{name}.wav").replace("a.rttm", "'{file}.rttm'")
    train = Database(write(tmp_path, text)).subsets(NAME)["train"]
    rttm, audio = map(str, train.findings)
    assert "`annotation` of train: '{file}.rttm' may hold {uri}, " in rttm
    assert "audio of Talks: '{name}.wav' may hold {uri}, {database}, no other" in audio


def test_files_that_are_required_exist(tmp_path):
    path = write(tmp_path, f"Requirements: gone.yml\n{YML}")
    with pytest.raises(FileNotFoundError, match=r"database.yml' requires '.*gone.yml'"):
        find_protocol(NAME, path)


def test_the_last_file_that_defines_a_protocol_is_the_one_of_the_host(tmp_path):
    required = "Requirements: [c.yml, b.yml]\n"
    for name, text in {"a": required + YML, "b": YML, "c": YML}.items():
        (tmp_path / f"{name}.yml").write_text(text)
    assert find_protocol(NAME, tmp_path / "a.yml").path == tmp_path / "a.yml"
    (tmp_path / "a.yml").write_text(required)
    assert find_protocol(NAME, tmp_path / "a.yml").path == tmp_path / "b.yml"


@pytest.mark.parametrize(
    ("databases", "message"),
    [
        ("{P: *a8}", "`P` should hold a path"),
        ("{P: [{name: *a8}]}", "`P` should hold a path"),
        ("{P: {name: {name: *a8}}}", "`P` should hold a path"),
        ("{? [*a8] : P}", "unhashable key"),
    ],
)
def test_aliases_of_aliases_are_not_written_out(tmp_path, databases, message):
    """Nine levels of nine aliases would be a billion words."""
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join(9 * [f'*a{n - 1}'])}]" for n in range(1, 9)]
    path = tmp_path / "database.yml"
    path.write_text("\n".join([*levels, f"Databases: {databases}", "Protocols: {}"]))
    with pytest.raises(ValueError, match=message) as caught:
        DatabaseFile(path)
    assert len(str(caught.value)) < 1000
