# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
from collections.abc import Iterator

import pytest
from fake_hub import FakeHub, serve
from huggingface_hub import constants
from published import write_embedding, write_original

NAME = "diarizen-wavlm-base-s80-md"


@pytest.fixture
def hub(tmp_path, monkeypatch) -> Iterator[FakeHub]:
    """Hub with a small pipeline of the name of a published one."""
    for hub in serve(tmp_path, monkeypatch):
        write_original(hub.root / "BUT-FIT" / NAME)
        write_embedding(hub.root / "pyannote" / "wespeaker-voxceleb-resnet34-LM")
        yield hub


@pytest.mark.parametrize("name", [NAME, f"BUT-FIT/{NAME}"])
def test_what_is_downloaded_needs_no_network(
    run, here, hub, name, write_audio, monkeypatch
):
    result = run("download", name, "mine")
    assert (result.exit_code, result.stdout) == (0, "Written: mine\n")
    assert "cc-by-nc-4.0" in (here / "mine" / "README.md").read_text()
    hub.stop()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    write_audio("a.wav")
    result = run("apply", "a.wav", "--pipeline", "mine")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("SPEAKER a 1 ")


def test_a_token_is_taken_from_the_environment(run, here, hub, monkeypatch):
    hub.gated.add(f"BUT-FIT/{NAME}")
    result = run("download", NAME, "mine")
    assert result.exit_code == 2
    assert "gated" in result.stderr
    monkeypatch.setenv("HF_TOKEN", hub.token)
    assert run("download", NAME, "mine", "--cache-dir", "cache").exit_code == 0
    assert (here / "cache").is_dir()


def test_a_missing_pipeline_is_an_error_in_one_line(run, here, hub):
    result = run("download", "BUT-FIT/diarizen", "mine")
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert "There is no 'BUT-FIT/diarizen' on disk, nor on the Hugging Face Hub" in line
    assert not list(here.iterdir())
