# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The real client of the hub, against a hub on this machine."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from pyannote_diarizen.repository import Repository

sys.path.append(str(Path(__file__).parent / "hub"))

from fake_hub import COMMIT, FakeHub, serve


@pytest.fixture
def hub(tmp_path, monkeypatch) -> Iterator[FakeHub]:
    """Hub with one repository, me/model."""
    for hub in serve(tmp_path, monkeypatch):
        write(hub.root / "me" / "model")
        yield hub


def write(folder: Path) -> None:
    (folder / "plda").mkdir(parents=True)
    (folder / "config.toml").write_text("config")
    (folder / "plda" / "plda.npz").write_text("plda")


def test_files_of_a_folder_are_found(tmp_path):
    write(tmp_path / "model")
    model = Repository(tmp_path / "model")
    assert model.file("config.toml") == tmp_path / "model" / "config.toml"
    assert model.find("README.md") is None
    plda = Repository(str(tmp_path / "model"), subfolder="plda")
    assert plda.file("plda.npz").read_text() == "plda"
    with pytest.raises(
        FileNotFoundError, match=r"model/plda' holds no a or b: is it complete\?$"
    ):
        plda.file("a", "b")


def test_a_folder_has_no_revision(tmp_path):
    with pytest.raises(ValueError, match=r"`revision` is for .* hub.*got 'v2'"):
        Repository(tmp_path, revision="v2")


@pytest.mark.parametrize(
    "name",
    ["/nowhere", "./a", "../a", "a/b/c", "a", "me/config.yaml", Path("me/model")],
    ids=repr,
)
def test_other_names_are_not_looked_up_on_the_hub(hub, name):
    with pytest.raises(FileNotFoundError, match="neither a folder that exists nor"):
        Repository(name)
    assert hub.requests == []


def test_files_of_the_hub_are_fetched_once(hub, tmp_path):
    model = Repository("me/model", cache_dir=tmp_path / "mine")
    assert model.file("config.toml").read_text() == "config"
    assert model.file("config.toml").is_relative_to(tmp_path / "mine")
    assert model.find("README.md") is None
    assert Repository("me/model", subfolder="plda").file("plda.npz").is_file()
    gets = [path for path in hub.requests if path.startswith("GET /me")]
    assert len(gets) == 2


def test_the_first_file_that_exists_is_taken(hub):
    model = Repository("me/model")
    assert model.file("config.yaml", "config.toml").name == "config.toml"
    with pytest.raises(
        FileNotFoundError, match=r"'me/model' holds no a or b: is it complete\?$"
    ):
        model.file("a", "b")


def test_a_revision_may_be_chosen(hub):
    assert Repository("me/model", revision=COMMIT).file("config.toml").is_file()
    with pytest.raises(FileNotFoundError, match=r"'me/model' .* no revision 'v9'"):
        Repository("me/model", revision="v9").file("config.toml")


def test_the_cache_is_enough_without_network(hub, monkeypatch):
    model = Repository("me/model")
    model.file("config.toml")
    hub.stop()
    assert model.file("config.toml").read_text() == "config"
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert model.file("config.yaml", "config.toml").read_text() == "config"
    assert model.find("README.md") is None
    with pytest.raises(
        FileNotFoundError, match=r"a or b .* cannot be reached.*OFFLINE"
    ):
        model.file("a", "b")


def test_a_repository_that_is_not_there_is_an_error(hub):
    for look_up in (Repository("me/other").find, Repository("me/other").file):
        with pytest.raises(FileNotFoundError, match="no 'me/other' on disk, nor"):
            look_up("config.toml")


def test_a_gated_repository_needs_a_token(hub):
    hub.gated.add("me/model")
    with pytest.raises(PermissionError, match=r"gated: accept .*hf\.co/me/model"):
        Repository("me/model").file("config.toml")
    model = Repository("me/model", token=hub.token)
    assert model.file("config.toml").read_text() == "config"


def test_what_the_hub_says_else_is_told(hub):
    model = Repository("me/model", token="hf_expired")
    with pytest.raises(
        ConnectionError, match=r"config\.toml of 'me/model'.*: Invalid cred"
    ):
        model.file("config.toml")


def test_a_revision_may_follow_the_name():
    model = Repository("me/model@v2/a")
    assert (model.checkpoint, model.revision) == ("me/model", "v2/a")
    assert Repository("me/model@v2", revision="v2") == Repository("me/model@v2")
    with pytest.raises(ValueError, match="should be that of 'me/model@v2', got 'v1'"):
        Repository("me/model@v2", revision="v1")


def test_a_hub_that_is_away_is_not_waited_for(hub, monkeypatch):
    hub.stop()
    monkeypatch.setattr("time.sleep", lambda seconds: pytest.fail("waits"))
    with pytest.raises(FileNotFoundError, match="cannot be reached"):
        Repository("me/model").file("config.toml")
