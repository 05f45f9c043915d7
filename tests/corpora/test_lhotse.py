# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Manifests of Lhotse, in and out; Lhotse itself writes and reads them."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pyannote_diarizen import installation
from pyannote_diarizen.corpora.importing import (
    check_recordings,
    earlier_subsets,
    import_subsets,
)
from pyannote_diarizen.corpora.lhotse import export_lhotse, read_lhotse
from pyannote_diarizen.corpora.protocols import load_protocol, subset_files
from pyannote_diarizen.corpora.subset import Subset, iter_items
from pyannote_diarizen.corpora.subset_checks import check_subset
from pyannote_diarizen.errors import MissingPackagesError

lhotse = pytest.importorskip("lhotse", reason="extra lhotse")
# the registry, which all tests share, warns of databases that replace others
pytestmark = pytest.mark.filterwarnings("ignore:Replacing existing")

CALLED = "talks.SpeakerDiarization.Lhotse"


def recording(uri: str, *files: tuple[str, list[int]], **options):
    """Recording of four seconds, with some channels in each file."""
    sources = [lhotse.AudioSource("file", channels, path) for path, channels in files]
    return lhotse.Recording(uri, sources, 8000, 32000, 4.0, **options)


def turn(uri: str, start: float, speaker: str | None, channel=0, number: int = 0):
    """Supervision of one second."""
    name = f"{uri}-{number}"
    return lhotse.SupervisionSegment(name, uri, start, 1.0, channel, speaker=speaker)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Mono and stereo recordings, and one with a file per channel."""
    (tmp_path / "audio").mkdir()
    for name, channels in {"mono": 1, "stereo": 2, "near": 1, "far": 1}.items():
        noise = np.random.default_rng(0).uniform(-0.5, 0.5, (32000, channels))
        soundfile.write(tmp_path / f"audio/{name}.wav", noise, 8000)
    recordings = [
        recording("mono", ("audio/mono.wav", [0])),
        recording("stereo", ("audio/stereo.wav", [0, 1])),
    ]
    turns = [
        *[turn("mono", 0.5, "Ann"), turn("mono", 1.25, "Bob", number=1)],
        *[turn("stereo", 0.5, "Ann"), turn("stereo", 2.0, "Cid", [1], number=1)],
    ]
    write(tmp_path, recordings, turns)
    return tmp_path


def write(folder: Path, recordings: list, supervisions: list, suffix="jsonl.gz"):
    lhotse.RecordingSet.from_recordings(recordings).to_file(
        folder / f"recordings.{suffix}"
    )
    lhotse.SupervisionSet.from_segments(supervisions).to_file(
        folder / f"supervisions.{suffix}"
    )


def read(folder: Path, suffix: str = "jsonl.gz", channel: int | None = None) -> Subset:
    manifests = folder / f"recordings.{suffix}", folder / f"supervisions.{suffix}"
    return read_lhotse(*manifests, channel)


def turns_of(subset: Subset) -> list[tuple]:
    return [item[1:] for _, item in iter_items(subset.turns)]


def errors(subset: Subset) -> str:
    return "\n".join(str(found) for found in check_subset(subset))


def test_round_trip(folder):
    subset = read(folder)
    assert check_subset(subset) == []
    path = import_subsets({"train": subset}, folder / "in", "talks", add=True)
    protocol = load_protocol("talks.SpeakerDiarization.Kaldi", path)
    files = subset_files(protocol, "train")
    assert [Path(file["audio"]).resolve().stem for file in files] == ["mono", "stereo"]
    paths = export_lhotse(files, folder / "out", "train")
    assert {path.name for path in paths} == {p.name for p in (folder / "out").iterdir()}
    again = read_lhotse(*paths)
    assert turns_of(again) == turns_of(subset)
    assert again.uris == subset.uris


def test_lhotse_reads_what_is_exported(folder):
    path = import_subsets({"test": read(folder)}, folder / "in", "talks")
    protocol = load_protocol("talks.SpeakerDiarization.Kaldi", path)
    export_lhotse(subset_files(protocol, "test"), folder / "out", "test")
    from lhotse.qa import validate_recordings_and_supervisions
    from lhotse.recipes.utils import read_manifests_if_cached

    manifests = read_manifests_if_cached(["test"], folder / "out")["test"]
    recordings, supervisions = manifests["recordings"], manifests["supervisions"]
    validate_recordings_and_supervisions(recordings, supervisions)
    assert recordings["stereo"].load_audio().shape == (2, 32000)
    assert [(s.recording_id, s.start, s.speaker) for s in supervisions] == [
        *[("mono", 0.5, "Ann"), ("mono", 1.25, "Bob")],
        *[("stereo", 0.5, "Ann"), ("stereo", 2.0, "Cid")],
    ]


def test_other_subsets_of_an_earlier_import_are_kept(folder):
    subset, into = read(folder), folder / "in"
    import_subsets({"train": subset}, into, "talks", protocol="Lhotse", add=True)
    write(folder, [recording("near", ("audio/near.wav", [0]))], [turn("near", 0, "D")])
    other = {"test": read(folder)}
    with pytest.raises(ValueError, match="train, which would be lost"):
        import_subsets(other, into, "talks", protocol="Lhotse")
    import_subsets(other, into, "talks", protocol="Lhotse", add=True)
    protocol = load_protocol(CALLED, into / "database.yml")
    assert [file["uri"] for file in subset_files(protocol, "train")] == subset.uris
    (near,) = subset_files(protocol, "test")
    assert near["annotation"].labels() == ["D"]
    kept = earlier_subsets(into, CALLED)
    assert {name: one.uris for name, one in kept.items()} == {
        "train": ["mono", "stereo"],
        "test": ["near"],
    }


@pytest.mark.parametrize("suffix", ["json", "yaml", "jsonl"])
def test_formats_of_lhotse(folder, suffix):
    items = [recording("mono", ("audio/mono.wav", [0]))], [turn("mono", 0, "A")]
    write(folder, *items, suffix=suffix)
    subset = read(folder, suffix)
    assert check_subset(subset) == []
    assert turns_of(subset) == [("mono", 0, 1, "A")]


def test_one_file_per_channel(folder):
    files = ("audio/near.wav", [0]), ("audio/far.wav", [3])
    turns = [turn("meeting", 0, "A", 0), turn("meeting", 1, "B", [0, 3], 1)]
    write(folder, [recording("meeting", *files)], turns)
    assert "2 files, one per channel; select one by --channel" in errors(read(folder))
    subset = read(folder, channel=3)
    assert check_subset(subset) == []
    assert subset.audio["meeting"].name == "far.wav"
    assert turns_of(subset) == [("meeting", 1, 2, "B")]
    assert "'meeting': no file" in errors(read(folder, channel=7))


def test_relative_paths_start_here_or_beside_the_manifest(folder, monkeypatch):
    assert read(folder).audio["mono"] == folder / "audio/mono.wav"
    monkeypatch.chdir(folder)
    assert read(folder).audio["mono"] == Path("audio/mono.wav")


def test_names_of_speakers_are_those_of_rttm_files(folder):
    names = ["Ann B", "Ann_B", "NA", 'J "x"']
    turns = [turn("mono", 0.5 * n, name, number=n) for n, name in enumerate(names)]
    write(folder, [recording("mono", ("audio/mono.wav", [0]))], turns)
    with pytest.warns(UserWarning, match="is written as"):
        subset = read(folder)
    speakers = [one[-1] for one in turns_of(subset)]
    assert speakers == ["Ann_B_", "Ann_B", "NA_", "J_'x'"]


SOURCE = {"type": "file", "channels": [0], "source": "audio/mono.wav"}
GOOD = {
    "recordings": {
        "id": "mono",
        "sources": [SOURCE],
        **{"sampling_rate": 8000, "num_samples": 32000, "duration": 4.0},
    },
    "supervisions": {
        **{"id": "s", "recording_id": "mono", "start": 0.5, "duration": 1.0},
        **{"channel": 0, "speaker": "A"},
    },
}


@pytest.mark.parametrize(
    ("manifest", "change", "message"),
    [
        ("recordings", {"id": "../up"}, "cannot be the name of a file"),
        ("recordings", {"id": "a\nb"}, r"'a\\nb' cannot be a name"),
        ("recordings", {"id": 7}, "7 cannot be a name"),
        ("recordings", {"sources": []}, "audio of 'mono': no file"),
        ("recordings", {"sources": [SOURCE | {"source": "gone.wav"}]}, "not exist"),
        ("recordings", {"sources": [SOURCE | {"source": "a\0b"}]}, "is no path"),
        ("recordings", {"sources": [SOURCE | {"source": "x" * 5000}]}, "too long"),
        ("recordings", {"sources": [SOURCE | {"type": "command"}]}, "type 'command'"),
        ("recordings", {"sources": "x"}, "expected a recording of Lhotse"),
        (
            "recordings",
            {"transforms": [{"name": "Speed", "kwargs": {"factor": 2}}]},
            r"changes it while reading \(Speed\)",
        ),
        ("supervisions", {"recording_id": "other"}, "'other' is in no manifest"),
        ("supervisions", {"recording_id": []}, r"\[\] is in no manifest"),
        ("supervisions", {"start": float("nan")}, "expected start and duration"),
        ("supervisions", {"duration": -1}, "expected start and duration"),
        ("supervisions", {"start": "0"}, "expected start and duration"),
        ("supervisions", {"start": 500}, "times are in seconds"),
        ("supervisions", {"channel": 5}, "'mono' has no channel 5"),
        ("supervisions", {"channel": [[0]]}, "has no channel"),
        ("supervisions", {"speaker": None}, "name of a speaker, got None"),
        ("supervisions", {"speed": 2}, "expected a supervision of Lhotse: TypeError"),
    ],
)
def test_hostile_manifests(folder, manifest, change, message):
    for name, good in GOOD.items():
        row = good | change if name == manifest else good
        (folder / f"{name}.jsonl").write_text(json.dumps(row) + "\n")
    subset = read(folder, "jsonl")
    findings = [*check_subset(subset), *check_recordings({"train": subset})]
    found = next(one for one in findings if re.search(message, str(one)))
    assert (found.status, found.line) == ("error", 1)
    assert found.path == folder / f"{manifest}.jsonl"
    assert len(str(found).splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (json.dumps(GOOD["recordings"]).encode() + b"\n\n", 2),
        (b"{", 1),
        (b"[1]\n", 1),
        (b"\xff\xfe\n", 1),
        (b"[" * 100_000, 1),
    ],
)
def test_damaged_lines(folder, content, line):
    (folder / "recordings.jsonl").write_bytes(content)
    subset = read_lhotse(folder / "recordings.jsonl", folder / "supervisions.jsonl.gz")
    (found,) = subset.recordings[0].findings
    assert found.line == line
    assert "expected a recording of Lhotse" in found.text


def test_a_manifest_is_a_file(folder):
    for path in ("gone.jsonl", "pipe:touch gone.jsonl"):
        with pytest.raises(FileNotFoundError, match="no manifest"):
            read_lhotse(Path(path), folder / "supervisions.jsonl.gz")


def test_without_lhotse(folder, monkeypatch):
    monkeypatch.setattr(installation, "find_spec", lambda module: None)
    with pytest.raises(MissingPackagesError, match=r"pip install .*\[lhotse\]"):
        read(folder)
