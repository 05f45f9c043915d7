# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Protocols whose references are in the formats of annotation tools."""

import pytest
from pyannote.database import registry
from pyannote.database.custom import LOADERS

from pyannote_diarizen.results.document import DiarizationDocument, Turn
from pyannote_diarizen.results.formats import FORMATS
from pyannote_diarizen.results.loaders import AnnotationLoader

DATABASE = """
Protocols:
  Mine:
    SpeakerDiarization:
      Here:
        test: {{uri: test.lst, annotation: "{annotation}"}}
"""
NAMES = [name for name in FORMATS if FORMATS[name].read and name != "rttm"]


def document(uri: str, speaker: str = "ann") -> DiarizationDocument:
    return DiarizationDocument(uri, [Turn(0.5, 2, speaker), Turn(1, 3, "bob")])


@pytest.mark.filterwarnings("ignore:Replacing existing")  # that of another test
@pytest.mark.parametrize("name", NAMES)
def test_a_protocol_reads_each_format(name, tmp_path):
    suffix = FORMATS[name].suffix
    (tmp_path / "test.lst").write_text("monday\ntuesday\n")
    yml = tmp_path / "database.yml"
    yml.write_text(DATABASE.format(annotation=f"{{uri}}-checked{suffix}"))
    for uri in ("monday", "tuesday"):
        text = FORMATS[name].render(document(uri, f"ann of {uri}"), False)
        (tmp_path / f"{uri}-checked{suffix}").write_text(text)
    registry.load_database(yml)
    files = list(registry.get_protocol("Mine.SpeakerDiarization.Here").test())
    assert [file["annotation"].uri for file in files] == ["monday", "tuesday"]
    assert files[1]["annotation"].labels() == ["ann of tuesday", "bob"]
    assert files[1]["annotation"].get_timeline().duration() == 2.5


def test_one_file_holds_several_recordings(tmp_path):
    path = tmp_path / "all.csv"
    path.write_text("uri,start,end,speaker\na,0,1,x\nb,0,2,y\n")
    loader = AnnotationLoader(path)
    assert loader({"uri": "b"}).labels() == ["y"]
    assert not loader({"uri": "c"})
    path.write_text("uri,start,end,speaker\na,0,1,x\n")
    assert not AnnotationLoader(path)({"uri": "b"})


def test_templates_can_be_given_to_the_loader(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.txt").write_text("0\t1\tann\n")
    loader = AnnotationLoader(str(tmp_path / "{database}" / "{uri}.txt"))
    assert loader({"uri": "a", "database": "sub"}).labels() == ["ann"]


def test_each_suffix_has_a_loader():
    suffixes = {f".{FORMATS[name].suffix.split('.')[-1]}" for name in NAMES}
    for suffix in suffixes | {suffix.lower() for suffix in suffixes}:
        assert LOADERS[suffix].load() is AnnotationLoader
