# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Shipped protocols describe their corpus; the host finds the files they need."""

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from pyannote.database import registry

from pyannote_diarizen.corpora.database import Database, find_protocol
from pyannote_diarizen.corpora.database_yml import SUBSETS
from pyannote_diarizen.corpora.protocols import load_protocol, subset_files
from pyannote_diarizen.corpora.subset_checks import check_subset
from pyannote_diarizen.resources import resource_folder

FILES = sorted(resource_folder("protocols").glob("*.yml"))
NAMES = [(path, name) for path in FILES for name in Database(path).protocols]

# the registry, which all tests share, warns of databases that replace others
pytestmark = pytest.mark.filterwarnings("ignore:Replacing existing")


def test_all_corpora_are_there():
    assert {path.stem for path in FILES} == {
        *("AMI", "AISHELL-4", "AliMeeting", "NOTSOFAR-1", "MSDWild", "DIHARD-III"),
        *("RAMC", "VoxConverse"),
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_opens_with_its_description(path):
    header = path.read_text(encoding="utf-8").partition("Databases:")[0]
    known = re.findall(r"^# ([A-Z][\w]+)(?::|, in)", header, flags=re.MULTILINE)
    assert known[-7:] == [
        *("Source", "Licence", "Split", "Microphone", "References", "UEM"),
        "Preparation",
    ]
    names = re.findall(r"pyannote-diarizen validate (\S+)\n", header)
    assert set(names) <= set(Database(path).protocols)
    assert names


def make(folder: Path, database: Path, protocol: str) -> Path:
    """Write the files of a protocol: one recording in each subset."""
    content = yaml.safe_load(database.read_text())
    name, task, _ = protocol.split(".")
    entries = content["Protocols"][name][task][protocol.split(".")[2]]
    for number, subset in enumerate(SUBSETS):
        uri, files = f"recording{number}", entries.get(subset)
        if files is None:
            continue
        for key, line in (
            ("uri", uri),
            ("annotation", f"SPEAKER {uri} 1 0.5 1 <NA> <NA> A <NA> <NA>"),
            ("annotated", f"{uri} 1 0 2"),
        ):
            if key in files:
                path = folder / files[key].format(uri=uri)
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("a") as file:
                    file.write(f"{line}\n")
        audio = folder / content["Databases"][name][0].format(uri=uri)
        audio.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(audio, np.zeros(16000), 8000)
    copied = folder / "database.yml"
    copied.write_text(database.read_text())
    return copied


@pytest.mark.parametrize(("path", "name"), NAMES, ids=lambda value: str(value)[-30:])
def test_the_host_finds_a_complete_corpus(tmp_path, path, name):
    database = Database(make(tmp_path, path, name))
    subsets = database.subsets(name)
    protocol = load_protocol(name, database.path)
    for subset, lists in subsets.items():
        assert not any(found.status == "error" for found in check_subset(lists))
        (file,) = subset_files(protocol, subset)
        assert file["annotation"].labels() == ["A"]
        assert Path(file["audio"]).is_file()
        assert file["scope"] in ("file", "database", "global")


def test_missing_files_are_counted_and_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(registry, "configs", {})  # of other tests
    path, name = next(item for item in NAMES if item[1].startswith("AMI-SDM"))
    train = find_protocol(name).subsets(name)["train"]
    assert train.findings[0].text.startswith(
        "`uri` of train: missing 'AMI-diarization-"
    )

    make(tmp_path, path, name)
    lists = tmp_path / "AMI-diarization-setup/lists/train.meetings.txt"
    lists.write_text("a\nb\nc\nd\nrecording0\n")
    train = find_protocol(name, root=tmp_path).subsets(name)["train"]
    rttm, uem, audio = [str(finding) for finding in train.findings]
    assert "AMI.yml': `annotation` of train: 4 of 5 missing 'AMI-" in rttm
    assert rttm.endswith(
        f"c.rttm' and 1 more: prepare '{tmp_path}' as the head of 'AMI.yml' describes."
    )
    assert "`annotated` of train: 4 of 5 missing" in uem
    missing = tmp_path / "amicorpus/a/audio/a.Array1-01.wav"
    assert f"audio of train: 4 of 5 missing '{missing}', " in audio


def test_an_unknown_name(tmp_path):
    with pytest.raises(ValueError, match=r"called 'A\.B\.C', only .*RAMC\.Speaker"):
        find_protocol("A.B.C")
