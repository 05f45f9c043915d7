# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Files, folders and protocols are recognised and checked."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import yaml
from pyannote.core import Annotation, Segment
from pyannote.database import ProtocolFile
from pyannote.database.custom import LOADERS

from pyannote_diarizen.corpora.validation import validate

TURN = "SPEAKER monday 1 0.5 1 <NA> <NA> A <NA> <NA>\n"
YML = """
Databases:
  Chats: "*.wav"
Protocols:
  Chats: {SpeakerDiarization: {Few: {scope: file, train: &train
    {uri: few.lst, annotation: few.rttm, annotated: few.uem}, test: *train}}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "monday.wav", np.zeros(16000), 8000)
    (tmp_path / "few.rttm").write_text(TURN)
    (tmp_path / "few.uem").write_text("monday 1 0 2\n")
    (tmp_path / "few.lst").write_text("monday\n")
    (tmp_path / "wav.scp").write_text("monday monday.wav\nsunday gone.wav\n")
    (tmp_path / "mine.yml").write_text(YML)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "content", "num_findings"),
    [
        ("few.rttm", "1 lines", 0),
        ("few.uem", "1 lines", 0),
        ("few.lst", "1 lines", 0),
        ("wav.scp", "2 recordings", 1),
        ("", "2 recordings, 1 turns", 3),
        ("monday.wav", "2.00 s", 0),
        (".", "2.00 s", 0),
    ],
)
def test_files_and_folders(folder, name, content, num_findings):
    if name == ".":  # without lists, audio
        (folder / "wav.scp").unlink()
    (checked,) = validate(str(folder / name))
    assert (checked.content, len(checked.findings)) == (content, num_findings)


@pytest.mark.parametrize("by_name", [True, False])
def test_protocols(folder, by_name):
    path = folder / "mine.yml"
    if by_name:
        found = validate("Chats.SpeakerDiarization.Few", database=path)
    else:
        found = validate(str(path))
    train, test, shared = found
    assert train.name == "Chats.SpeakerDiarization.Few, train"
    assert (train.content, train.findings) == ("1 recordings, 1 turns", [])
    assert test.findings == []
    (finding,) = shared.findings
    assert "'monday' is also in train" in finding.text


def test_a_root_elsewhere(folder):
    moved = folder / "elsewhere" / "mine.yml"
    moved.parent.mkdir()
    (folder / "mine.yml").rename(moved)
    train, *_ = validate(str(moved), root=folder)
    assert train.findings == []
    train, *_ = validate(str(moved))
    assert "`uri` of train: missing 'few.lst'" in train.findings[0].text


def test_audio_and_protocols_of_several_files(folder):
    # as in the setups of AMI: who speaks in one file, where audio is in another
    content = yaml.safe_load(YML)
    audio = {"Databases": content.pop("Databases"), "Requirements": "mine.yml"}
    (folder / "mine.yml").write_text(yaml.safe_dump(content))
    (folder / "audio.yml").write_text(yaml.safe_dump(audio))
    name = "Chats.SpeakerDiarization.Few"
    train, *_ = validate(name, database=folder / "audio.yml")
    assert (train.content, train.findings) == ("1 recordings, 1 turns", [])
    train, *_ = validate(name, database=folder / "mine.yml")
    assert "audio of train: missing 'no template in" in train.findings[0].text


class SPKLoader:
    """Lines of start, end and speaker."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, file: ProtocolFile) -> Annotation:
        annotation = Annotation(uri=file["uri"])
        for line in self.path.read_text().splitlines():
            start, end, speaker = line.split()
            annotation[Segment(float(start), float(end))] = speaker
        return annotation


def test_annotations_of_another_format_are_checked_too(folder, monkeypatch):
    monkeypatch.setitem(LOADERS, ".spk", SimpleNamespace(load=lambda: SPKLoader))
    (folder / "mine.yml").write_text(YML.replace("few.rttm", "'{uri}.spk'"))
    (folder / "monday.spk").write_text("0.5 1.5 A\n1 2.05 B\n")
    train, *_ = validate(str(folder / "mine.yml"))
    assert (train.content, train.findings) == ("1 recordings, 2 turns", [])
    (folder / "monday.spk").write_text("0.5 1.5 A\n1 9 B\n")
    train, *_ = validate(str(folder / "mine.yml"))
    (finding,) = train.findings
    assert "{uri}.spk': the turn ends at 9 s" in str(finding)
    (folder / "monday.spk").write_text("A\n")
    train, *_ = validate(str(folder / "mine.yml"))
    assert "`annotation`: ValueError: not enough values" in train.findings[0].text


def test_old_spellings(folder):
    old = YML.replace("uri:", "uris:").replace("few.rttm", "'_{uri}.rttm'")
    (folder / "few.rttm").rename(folder / "monday.rttm")
    (folder / "mine.yml").write_text(old)
    keys, train, *_ = validate(str(folder / "mine.yml"))
    assert (train.content, train.findings) == ("1 recordings, 1 turns", [])
    assert "write `uri`" in str(keys.findings[0])


def test_unknown_data(folder):
    with pytest.raises(FileNotFoundError, match="nor the name of a protocol"):
        list(validate(str(folder / "gone.rttm")))
    (folder / "notes").touch()
    with pytest.raises(ValueError, match="end in one of rttm, uem"):
        list(validate(str(folder / "notes")))
    (folder / "wrong.yml").write_text("Databases: {}")
    with pytest.raises(ValueError, match="lacks `Protocols`"):
        list(validate(str(folder / "wrong.yml")))
