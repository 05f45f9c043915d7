# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Voiceprints: written, read, put together, and refused."""

from pathlib import Path

import numpy as np
import numpy.testing as npt
import pytest

from pyannote_diarizen.clustering.voiceprints import EmbeddingIdentity, Voiceprints
from pyannote_diarizen.errors import VoiceprintMismatchError

IDENTITY = EmbeddingIdentity("a.Model, 2 dimensions", "0123456789abcdef")
EMBEDDINGS = np.array([[1.0, 2], [5, 0], [3, 4]])


@pytest.fixture
def voiceprints() -> Voiceprints:
    return Voiceprints(IDENTITY, ("Ann Lee", "Žofie", "Ann Lee"), EMBEDDINGS)


def test_speakers_and_their_means(voiceprints):
    assert voiceprints.speakers == ["Ann Lee", "Žofie"]
    assert voiceprints.num_clips("Ann Lee") == 2
    npt.assert_array_equal(voiceprints.means(), [[2, 3], [5, 0]])


def test_round_trip(voiceprints, tmp_path: Path):
    path = tmp_path / "new" / "team.voices"
    voiceprints.save(path)
    loaded = Voiceprints.load(path)
    assert (loaded.identity, loaded.names) == (IDENTITY, voiceprints.names)
    npt.assert_array_equal(loaded.embeddings, EMBEDDINGS)
    assert [file.name for file in path.parent.iterdir()] == ["team.voices"]


def test_empty_makes_a_round_trip_too(voiceprints, tmp_path: Path):
    empty = voiceprints.without(["Ann Lee", "Žofie"])
    empty.save(tmp_path / "empty.npz")
    loaded = Voiceprints.load(tmp_path / "empty.npz")
    assert loaded.speakers == []
    assert loaded.means().shape == (0, 2)


def test_failed_save_leaves_the_old_file(voiceprints, tmp_path: Path, monkeypatch):
    path = tmp_path / "team.npz"
    voiceprints.save(path)
    before = path.read_bytes()

    def full_disk(file, **arrays):
        file.write(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full_disk)
    with pytest.raises(OSError, match="No space"):
        voiceprints.without(["Žofie"]).save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_put_together_and_forgotten(voiceprints):
    more = Voiceprints(IDENTITY, ("Bob", "Žofie"), EMBEDDINGS[:2])
    both = voiceprints + more
    assert both.speakers == ["Ann Lee", "Žofie", "Bob"]
    npt.assert_array_equal(both.means(), [[2, 3], [5, 0], [1, 2]])
    assert both.without(["Ann Lee", "Žofie"]).names == ("Bob",)
    with pytest.raises(
        ValueError, match="No enrolled speaker is called Eve; enrolled are: Ann Lee"
    ):
        voiceprints.without(["Eve", "Žofie"])


def test_another_model_is_refused_by_name(voiceprints):
    other = EmbeddingIdentity("another.Model", "fedcba9876543210")
    with pytest.raises(VoiceprintMismatchError) as caught:
        voiceprints + Voiceprints(other, ("Bob",), EMBEDDINGS[:1])
    assert "another.Model (fedcba987654)" in str(caught.value)
    assert "a.Model, 2 dimensions (0123456789ab)" in str(caught.value)


def test_missing_file(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="No file of voiceprints at"):
        Voiceprints.load(tmp_path / "team.npz")


@pytest.mark.parametrize("share", [0, 0.3, 0.99])
def test_truncated_file(voiceprints, tmp_path: Path, share: float):
    path = tmp_path / "team.npz"
    voiceprints.save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    message = (
        r"team\.npz' is not a file of voiceprints: it is not a complete npz archive"
    )
    with pytest.raises(ValueError, match=message):
        Voiceprints.load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "its format is 2, this version reads 1"),
        ({"names": np.array([{}, "Bob", "Eve"])}, "allow_pickle"),
        ({"names": np.array(["Bob"])}, "1 names"),
        ({"names": np.arange(3)}, "its names are not text"),
        ({"embeddings": np.full((3, 2), np.nan)}, "not finite"),
        ({"model": None}, "lacks model"),
    ],
)
def test_file_of_something_else(tmp_path: Path, change: dict, message: str):
    arrays = {
        "format": 1,
        "model": "a.Model",
        "fingerprint": "0123",
        "names": np.array(["Bob", "Eve", "Ann"]),
        "embeddings": EMBEDDINGS,
    }
    changed = {k: v for k, v in (arrays | change).items() if v is not None}
    np.savez(tmp_path / "team.npz", **changed)
    with pytest.raises(ValueError, match=rf"{message}[^.]*\.$"):
        Voiceprints.load(tmp_path / "team.npz")


@pytest.mark.parametrize("name", ["", "  ", "unknown_00"])
def test_names_that_would_mislead(name: str):
    with pytest.raises(ValueError, match="cannot be called"):
        Voiceprints(IDENTITY, (name,), EMBEDDINGS[:1])
