# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Kaldi folders become protocols; audio is linked."""

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from pyannote.core import Segment

from pyannote_diarizen.corpora.database import Database
from pyannote_diarizen.corpora.importing import check_recordings, import_subsets
from pyannote_diarizen.corpora.kaldi import read_kaldi_folder
from pyannote_diarizen.corpora.protocols import load_protocol, subset_files
from pyannote_diarizen.corpora.subset import Subset
from pyannote_diarizen.corpora.subset_checks import check_disjoint, check_subset

# the registry, which all tests share, warns of databases that replace others
pytestmark = pytest.mark.filterwarnings("ignore:Replacing existing")

RTTM = "SPEAKER {uri} 1 {start} {duration} <NA> <NA> {speaker} <NA> <NA>\n"


def write_subset(folder: Path, *uris: str, duration: float = 4.0) -> Path:
    """Write recordings with a turn of one second by A, then by B."""
    folder.mkdir(parents=True)
    (folder / "of other names").mkdir()
    scp, rttm, uem = [], [], []
    for number, uri in enumerate(uris):
        audio = folder / f"of other names/{number}.wav"
        soundfile.write(audio, np.ones(round(8000 * duration)), 8000)
        scp.append(f"{uri} {audio}\n")
        rttm += [
            RTTM.format(uri=uri, start=start, duration=1.0, speaker=speaker)
            for start, speaker in ((0.5, "A"), (1.25, "B"))
        ]
        uem.append(f"{uri} 1 0.25 3.75\n")
    for name, lines in {"wav.scp": scp, "rttm": rttm, "all.uem": uem}.items():
        (folder / name).write_text("".join(lines))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_subset(tmp_path / "train", "monday", "tuesday")
    write_subset(tmp_path / "dev", "friday")
    return tmp_path


def test_the_host_finds_everything(folder):
    subsets = read_kaldi_folder(folder)
    path = import_subsets(subsets, folder / "protocol", "Talks")
    protocol = load_protocol("Talks.SpeakerDiarization.Kaldi", path)

    monday, tuesday = subset_files(protocol, "train")
    (friday,) = subset_files(protocol, "development")
    assert [monday["uri"], tuesday["uri"], friday["uri"]] == [
        *("monday", "tuesday", "friday")
    ]
    assert monday["scope"] == "file"
    assert [*tuesday["annotated"]] == [Segment(0.25, 3.75)]
    turns = [(*turn, who) for turn, _, who in friday["annotation"].itertracks(True)]
    assert turns == [(0.5, 1.5, "A"), (1.25, 2.25, "B")]
    assert Path(monday["audio"]).resolve() == folder / "train/of other names/0.wav"


def test_audio_is_linked_and_a_second_import_changes_nothing(folder):
    def contents() -> dict[str, str]:
        return {
            path.name: path.readlink() if path.is_symlink() else path.read_text()
            for path in (folder / "protocol").rglob("*")
            if not path.is_dir()
        }

    import_subsets(read_kaldi_folder(folder), folder / "protocol", "Talks")
    first = contents()
    assert (folder / "protocol/audio/train/monday.wav").is_symlink()
    import_subsets(read_kaldi_folder(folder), folder / "protocol", "Talks")
    assert contents() == first


def test_recordings_without_uem_are_annotated_as_a_whole(folder):
    (folder / "dev/all.uem").unlink()
    path = import_subsets(read_kaldi_folder(folder), folder, "Talks")
    assert path == folder / "database.yml"
    assert (folder / "development.uem").read_text() == "friday 1 0.000 4.000\n"


def test_folders_inside_a_subset_are_joined(folder):
    write_subset(folder / "test/AMI", "saturday")
    write_subset(folder / "test/AliMeeting", "sunday")
    assert read_kaldi_folder(folder)["test"].uris == ["saturday", "sunday"]


@pytest.mark.parametrize(
    ("subset", "names"), [("test", ("test", "eval")), ("development", ("val", "dev"))]
)
def test_folders_of_one_subset_are_joined(folder, subset, names):
    for name in names:
        if name != "dev":
            write_subset(folder / name, f"{name} day".replace(" ", "_"))
    expected = {"test": ["test_day", "eval_day"], "development": ["friday", "val_day"]}
    assert read_kaldi_folder(folder)[subset].uris == expected[subset]


def test_another_protocol_is_not_replaced(folder, tmp_path):
    into = folder / "into"
    import_subsets(read_kaldi_folder(folder), into, "Talks")
    before = (into / "database.yml").read_text()
    write_subset(folder / "other/test", "sunday")
    for name in ("Talks", "Others"):
        with pytest.raises(ValueError, match=r"Talks.*, train.* would be lost"):
            import_subsets(read_kaldi_folder(folder / "other"), into, name)
    assert (into / "database.yml").read_text() == before


def test_the_protocol_is_valid(folder):
    path = import_subsets(read_kaldi_folder(folder), folder, "Talks")
    subsets = Database(path).subsets("Talks.SpeakerDiarization.Kaldi")
    assert list(subsets) == ["train", "development"]
    assert [check_subset(subset, decode=True) for subset in subsets.values()] == [
        [],
        [],
    ]


def test_folders_without_lists(tmp_path, folder):
    (folder / "train/rttm").unlink()
    with pytest.raises(FileNotFoundError, match=r"train' holds no `rttm`"):
        read_kaldi_folder(folder)
    with pytest.raises(FileNotFoundError, match=r"holds no train/wav\.scp"):
        read_kaldi_folder(folder / "dev")


@pytest.mark.parametrize(
    ("uri", "database", "message"),
    [
        ("a/b", "Talks", "'a/b' cannot be the name"),
        ("a", "My.Talks", "letters, digits"),
    ],
)
def test_wrong_names(tmp_path, uri, database, message):
    write_subset(tmp_path / "train", uri)
    with pytest.raises(ValueError, match=message):
        import_subsets(read_kaldi_folder(tmp_path), tmp_path, database)
    assert not (tmp_path / "database.yml").exists()


# -- checks between files


def edit(folder: Path, name: str, content: str) -> Subset:
    (folder / "dev" / name).write_text(content)
    return read_kaldi_folder(folder)["development"]


TURN = RTTM.format(uri="friday", start=0.5, duration=1.0, speaker="A")


@pytest.mark.parametrize(
    ("name", "content", "line", "status", "message"),
    [
        (
            "wav.scp",
            "friday gone.wav\n",
            1,
            "error",
            "'gone.wav' does not exist",
        ),
        ("rttm", TURN + TURN.replace("friday", "f"), 2, "warning", "'f' is in no list"),
        (
            "rttm",
            TURN.replace("0.5", "3.9"),
            1,
            "warning",
            "ends at 4.9 s, the audio",
        ),
        ("rttm", TURN.replace("0.5", "500"), 1, "error", "times are in seconds"),
        ("all.uem", "friday 1 0 5\n", 1, "error", "ends at 5 s, .* at 4.000 s: let"),
        ("rttm", "", 1, "error", "'friday' has no turn"),
        ("all.uem", "", 1, "error", "'friday' has no region in a UEM file"),
    ],
)
def test_files_that_contradict_each_other(folder, name, content, line, status, message):
    findings = check_subset(edit(folder, name, content))
    (finding,) = (found for found in findings if re.search(message, str(found)))
    assert (finding.line, finding.status) == (line, status)


def test_silence_is_possible_in_some_recordings(folder):
    (folder / "train" / "rttm").write_text(TURN.replace("friday", "monday"))
    (finding,) = check_subset(read_kaldi_folder(folder)["train"])
    assert (finding.line, finding.status) == (2, "warning")
    assert "'tuesday' has no turn" in finding.text


def test_audio_that_cannot_be_used(folder):
    audio = folder / "dev/of other names/0.wav"
    soundfile.write(audio, np.empty(0), 8000)
    (finding,) = check_subset(read_kaldi_folder(folder)["development"])
    assert "'friday' cannot be used: " in finding.text
    assert "has no sample" in finding.text
    soundfile.write(audio, np.full(32000, np.nan), 8000, "FLOAT")
    subset = read_kaldi_folder(folder)["development"]
    assert check_subset(subset) == []
    (finding,) = check_subset(subset, decode=True)
    assert "NaN" in finding.text


@pytest.mark.parametrize("num_channels", [1, 2])
@pytest.mark.parametrize("kind", ["wav", "mp3"])
def test_audio_is_decoded_once(folder, monkeypatch, num_channels, kind):
    audio = folder / f"friday.{kind}"
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (32000, num_channels))
    soundfile.write(audio, noise, 8000)
    subset = edit(folder, "wav.scp", f"friday {audio}\n")
    num_samples = 0

    def read(self, *args, **options):
        nonlocal num_samples
        block = original(self, *args, **options)
        num_samples += len(block)
        return block

    original = soundfile.SoundFile.read
    monkeypatch.setattr(soundfile.SoundFile, "read", read)
    assert check_subset(subset, decode=True) == []
    assert num_samples == pytest.approx(32000, abs=3000)


def test_recordings_of_two_subsets(folder):
    write_subset(folder / "test", "sunday", "tuesday")
    (finding,) = check_disjoint(read_kaldi_folder(folder))
    assert (finding.path, finding.line) == (folder / "test/wav.scp", 2)
    assert "'tuesday' is also in train" in finding.text


@pytest.mark.parametrize(
    ("names", "line", "message"),
    [
        (["monday", "a/b"], 2, "'a/b' cannot be the name of a file: rename it"),
        (["..", "monday"], 1, "no file inside"),
        (["x" * 300], 1, "at most 255"),
        (["NA"], 1, "'NA' cannot be a name in an RTTM file"),
    ],
)
def test_names_are_refused_before_anything_is_written(tmp_path, names, line, message):
    folder = write_subset(tmp_path / "train", *names)
    subsets = read_kaldi_folder(tmp_path)
    (finding,) = check_recordings(subsets)
    assert (finding.path, finding.line) == (folder / "wav.scp", line)
    with pytest.raises(ValueError, match=message):
        import_subsets(subsets, tmp_path / "into", "Talks")
    assert not (tmp_path / "into").exists()


def test_a_name_in_two_lists_of_a_subset(tmp_path):
    for name in ("a", "b"):
        write_subset(tmp_path / "test" / name, "monday")
    (finding,) = check_recordings(read_kaldi_folder(tmp_path))
    assert "'monday' is also in " in finding.text
    assert finding.path == tmp_path / "test/b/wav.scp"
