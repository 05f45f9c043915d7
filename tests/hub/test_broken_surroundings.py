# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Hubs, networks and disks that fail: one error with a remedy, and no file left."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fake_hub import FakeHub
from huggingface_hub import constants
from published import write_original
from refusals import refused
from restricted import full_disk, unprivileged

from pyannote_diarizen.hub.conversion import convert
from pyannote_diarizen.models.checkpoint import load_model
from pyannote_diarizen.pipelines.original_config import EMBEDDING


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"source": "nowhere"}, "'nowhere' is neither a folder with a config"),
        ({"source": "no/where"}, "There is no 'no/where' on disk, nor on the H"),
        (
            {"source": "me/gated"},
            r"gated: accept .*hf\.co/me/gated, then give a `token`",
        ),
        ({"source": "me/open", "revision": "v9"}, "'me/open' .* no revision 'v9'"),
        ({"source": "me/open", "token": "hf_old"}, "cannot be downloaded: Invalid cr"),
        (
            {"source": "me/open", "embedding": "no/where"},
            "`embedding`: There is no 'no",
        ),
        ({"source": "original", "embedding": "plda"}, "`embedding`: 'plda' is neither"),
        ({"source": "original", "revision": "v2"}, "`revision` is for .* got 'v2'"),
    ],
    ids=str,
)
def test_a_pipeline_that_is_not_to_be_had(hub: FakeHub, here, options, message):
    for owner_and_name in ("me/open", "me/gated"):
        write_original(hub.root / owner_and_name)
    hub.gated.add("me/gated")
    with refused(here, message):
        convert(destination=Path("new"), **options)


@pytest.mark.parametrize("offline", [True, False])
def test_a_hub_that_cannot_be_reached(hub: FakeHub, here, monkeypatch, offline):
    write_original(hub.root / "me" / "open")
    hub.stop()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", offline)
    with refused(here, "'me/open' is not in the cache, .* connect to a network"):
        convert("me/open", Path("new"))


def test_a_network_that_breaks_off(hub: FakeHub, here, monkeypatch):
    """The pipeline is in the cache, its embedding is not."""
    write_original(hub.root / "me" / "open")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with refused(here, f"`embedding`: There is no '{EMBEDDING}'"):
        convert("me/open", Path("new"))
    hub.stop()
    with refused(here, f"of '{EMBEDDING}' is not in the cache"):
        convert("me/open", Path("new"))


# -- the disk


@contextmanager
def permitted(path: Path, mode: int) -> Iterator[None]:
    """Set the permissions of `path`, and run as a user without rights."""
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        with unprivileged():
            yield
    finally:
        path.chmod(before)


@pytest.mark.parametrize("layout", ["pyannote", "diarizen"])
def test_a_full_disk(here, layout):
    pytest.importorskip("resource", reason="to limit the size of files")
    with (
        refused(here, "too large, make room or write to another disk: .*new"),
        full_disk(20_000),
    ):
        convert("original", Path("new"), layout=layout)


def test_a_folder_that_must_not_be_written_to(here):
    convert("original", Path("before"))  # what is imported late is imported as root
    with refused(here, "Permission denied: '.*new"), permitted(here, 0o555):
        convert("original", Path("new"))


def test_weights_that_must_not_be_read(here):
    here.chmod(0o755)
    weights = Path("original", "embedding", "pytorch_model.bin")
    with refused(here, rf"Permission denied: '{weights}'"), permitted(weights, 0o000):
        load_model(weights)


def test_what_exists_is_left_alone(here):
    with refused(here, "'.*converted' exists: delete it, or name another folder"):
        convert("original", Path("converted"))


def test_what_the_other_layout_lacks(here):
    with refused(
        here, "'diarizen-tiny': DiariZen cannot run this pipeline: it has no "
    ):
        convert("diarizen-tiny", Path("new"), layout="diarizen")
