# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Many files, one after the other."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from pyannote.core import Annotation, Segment

from pyannote_diarizen.pipelines.batch import diarize_files, find_audio, name_files


def one_turn(file: dict, **options: int) -> Annotation:
    annotation = Annotation(uri=file["uri"])
    annotation[Segment(0, 1)] = "A"
    return annotation


def test_folders_are_expanded_and_no_file_comes_twice(tmp_path):
    audio = tmp_path / "calls" / "a.wav"
    audio.parent.mkdir()
    audio.touch()
    around = tmp_path / "calls" / ".." / "calls" / "a.wav"
    files, missing = find_audio([around, audio, tmp_path / "calls"])
    assert files == {"a": around}
    assert missing == []


def test_what_is_missing_is_kept_apart(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.wav").touch()
    files, missing = find_audio(
        [tmp_path / "gone.wav", tmp_path / "a.wav", tmp_path / "empty"]
    )
    assert files == {"a": tmp_path / "a.wav"}
    assert [outcome.file.name for outcome in missing] == ["gone.wav", "empty"]
    assert all(outcome.file.name in outcome.error for outcome in missing)


def test_lists_name_their_files(tmp_path):
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).touch()
    recordings = tmp_path / "wav.scp"
    recordings.write_text("monday a.wav\nlost gone.wav\n")
    (tmp_path / "empty.scp").write_text("monday\n")
    files, missing = find_audio([tmp_path, recordings, tmp_path / "empty.scp"])
    assert files == {
        "monday": tmp_path / "a.wav",
        "lost": Path("gone.wav"),
        "b": tmp_path / "b.wav",
    }
    (outcome,) = missing
    assert "empty.scp', line 1" in outcome.error


def test_names_of_lists_and_files_differ(tmp_path):
    (tmp_path / "a.wav").touch()
    recordings = tmp_path / "wav.scp"
    recordings.write_text("a other.wav\n")
    with pytest.raises(ValueError, match=r"other\.wav' and .*a\.wav' would both"):
        find_audio([recordings, tmp_path / "a.wav"])


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["/a/x.wav", "/a/y.2.wav"], ["x", "y.2"]),
        (["/a/x.wav", "/b/x.wav", "/b/y.wav"], ["a_x", "b_x", "b_y"]),
        (["/x.wav", "/b/x.wav"], ["x", "b_x"]),
        (["/a/x.wav", "/a/x.flac"], ["x.wav", "x.flac"]),
        (["/a/my call.wav"], ["my_call"]),
        (["/a/b c.wav", "/d/b_c.wav"], ["a_b_c", "d_b_c"]),
        ([], []),
    ],
)
def test_names_are_short_and_different(paths, names):
    files = [Path(path) for path in paths]
    assert name_files(files) == dict(zip(names, files, strict=True))


def test_names_that_cannot_differ_are_refused():
    with pytest.raises(ValueError, match=r"rename one of /a b\.wav, /a_b\.wav"):
        name_files([Path("/a b.wav"), Path("/a_b.wav")])


def test_results_are_written_as_they_come(tmp_path):
    files = {"a": Path("a.wav"), "b": Path("b.wav")}
    outcomes = diarize_files(one_turn, files, into=tmp_path / "out")
    assert next(outcomes).file == Path("a.wav")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.rttm"]
    assert next(outcomes).diarization == one_turn({"uri": "b"})


def test_an_error_names_its_file_and_stops_no_other():
    def pipeline(file: dict) -> SimpleNamespace:
        if file["uri"] == "a":
            raise RuntimeError("CUDA out of memory")
        return SimpleNamespace(speaker_diarization=one_turn(file))

    bad, good = diarize_files(pipeline, {"a": Path("a.wav"), "b": Path("b.wav")})
    assert bad.error == "'a.wav' cannot be diarized: CUDA out of memory"
    assert bad.diarization is None
    assert good.diarization == one_turn({"uri": "b"})


def test_options_and_channel_reach_the_pipeline():
    seen = []

    def pipeline(file: dict, **options: int) -> Annotation:
        seen.append((file, options))
        return one_turn(file)

    list(diarize_files(pipeline, {"a": Path("a.wav")}, channel=1, num_speakers=2))
    file = {"uri": "a", "audio": Path("a.wav"), "channel": 1}
    assert seen == [(file, {"num_speakers": 2})]


def test_names_that_lead_out_of_the_folder_are_refused_before_anything_runs(tmp_path):
    called = []

    def pipeline(file: dict) -> Annotation:
        called.append(file["uri"])
        return one_turn(file)

    out = tmp_path / "out"
    names = ["../up", str(tmp_path / "absolute"), "./m", "m", "x" * 300]
    outcomes = list(diarize_files(pipeline, dict.fromkeys(names, Path("a")), out))
    assert called == ["m"]
    assert [outcome.error is None for outcome in outcomes] == [
        name == "m" for name in names
    ]
    assert [path.name for path in tmp_path.rglob("*.*")] == ["m.rttm"]


def test_folders_of_results_are_made_together_or_not_at_all(tmp_path):
    (tmp_path / "file").touch()
    into, folders = tmp_path / "new" / "out", {".npz": tmp_path / "file" / "kept"}
    with pytest.raises(OSError, match="kept"):
        list(diarize_files(None, {}, into, folders))
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_names_of_a_list_that_cannot_be_written(tmp_path):
    recordings = tmp_path / "wav.scp"
    recordings.write_text("../up a.wav\n./m b.wav\nm c.wav\n")
    files, failed = find_audio([recordings], tmp_path / "out")
    assert files == {"m": Path("c.wav")}
    assert [outcome.file.name for outcome in failed] == ["a.wav", "b.wav"]
    assert len(find_audio([recordings])[0]) == 3


def test_names_that_rttm_loses_are_replaced_with_a_warning(tmp_path):
    recordings = tmp_path / "wav.scp"
    recordings.write_text("NA a.wav\n")
    with pytest.warns(UserWarning, match="'NA' is written as 'NA_'"):
        files, _ = find_audio([recordings])
    assert list(files) == ["NA_"]
    with pytest.warns(UserWarning, match="'null' is written as 'null_'"):
        assert list(name_files([Path("/null.wav")])) == ["null_"]
    recordings.write_text("NA a.wav\nNA_ b.wav\n")
    with (
        pytest.warns(UserWarning, match="'NA' is written as 'NA_'"),
        pytest.raises(ValueError, match="would both be called 'NA_'"),
    ):
        find_audio([recordings])
