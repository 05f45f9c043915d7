# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import argparse
import os
import signal
import tracemalloc
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from pyannote_diarizen.errors import CheckpointMismatchError
from pyannote_diarizen.weights import load_weights, read_weights, save_weights


class Harmful:
    def __reduce__(self):
        return os.mkdir, ("harm",)


def test_both_formats_are_read(tmp_path):
    weights = {"a": torch.arange(3.0)}
    torch.save({"config": {"b": [1, "c"]}, "state_dict": weights}, tmp_path / "a.bin")
    save_file(weights, tmp_path / "a.safetensors")
    content = read_weights(tmp_path / "a.bin")
    assert content["config"] == {"b": [1, "c"]}
    assert torch.equal(content["state_dict"]["a"], weights["a"])
    assert torch.equal(read_weights(str(tmp_path / "a.safetensors"))["a"], weights["a"])


@pytest.mark.parametrize("zipped", [True, False])
def test_code_is_refused_with_the_way_to_allow_it(tmp_path, monkeypatch, zipped):
    monkeypatch.chdir(tmp_path)
    torch.save({"a": Harmful()}, "a.pt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(ValueError, match=r"'a.pt'.*mkdir.*`weights_only=False`"):
        read_weights("a.pt")
    assert not Path("harm").exists()


def test_a_file_that_is_trusted_may_hold_anything(tmp_path):
    torch.save({"args": argparse.Namespace(a=1)}, tmp_path / "a.pt")
    with pytest.raises(ValueError, match=r"argparse\.Namespace"):
        read_weights(tmp_path / "a.pt")
    assert read_weights(tmp_path / "a.pt", weights_only=False)["args"].a == 1


@pytest.mark.parametrize("name", ["a.pt", "a.safetensors"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<!DOCTYPE html>",
        b"version https://git-lfs.github.com/spec/v1\n",
        # opcodes of pickle: R takes what is not there, } and t make a key of a tuple
        b"RIFF0000WAVE",
        b"\x80\x02}(]Nu.",
    ],
    ids=["empty", "page", "pointer", "recording", "list as key"],
)
def test_another_file_is_an_error_that_names_it(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"{name}' is damaged or no file of weights"):
        read_weights(tmp_path / name)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
@pytest.mark.parametrize("name", ["a.pt", "old.pt", "a.safetensors"])
def test_a_truncated_file_is_an_error(tmp_path, name, share):
    weights = {"a": torch.arange(1000.0), "b": torch.arange(1000.0)}
    path = tmp_path / name
    if name == "a.safetensors":
        save_file(weights, path)
    else:
        torch.save(weights, path, _use_new_zipfile_serialization=name == "a.pt")
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match="damaged"):
        read_weights(path)


@pytest.mark.parametrize("name", ["a.pt", "a.safetensors"])
def test_a_path_that_does_not_exist_is_an_error(tmp_path, name):
    with pytest.raises(FileNotFoundError, match=name):
        read_weights(tmp_path / name)


def test_what_is_saved_is_read(tmp_path):
    save_weights({"a": torch.arange(3.0), "b": "c"}, tmp_path / "a.bin")
    content = read_weights(tmp_path / "a.bin")
    assert torch.equal(content["a"], torch.arange(3.0))
    assert content["b"] == "c"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is full")
def test_a_full_disk_is_an_error_of_the_system():
    with pytest.raises(OSError, match="No space left"):
        save_weights({"a": torch.arange(3.0)}, Path("/dev/full"))


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="files have no limit")
@pytest.mark.parametrize("limit", [1000, 300_000])
def test_a_file_that_cannot_grow_is_an_error_of_the_system(tmp_path, limit):
    import resource

    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, former[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            save_weights({k: torch.zeros(50_000) for k in "abc"}, tmp_path / "a")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)


def test_a_file_is_written_without_a_copy_in_memory(tmp_path):
    weights = {str(number): torch.zeros(100_000) for number in range(20)}
    tracemalloc.start()
    save_weights(weights, tmp_path / "a")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "a").stat().st_size > 8e6
    assert peak < 2e6


def test_weights_that_fit_are_loaded():
    module, other = nn.Linear(2, 3), nn.Linear(2, 3)
    load_weights(module, other.state_dict(), "a.pt")
    assert torch.equal(module.weight, other.weight)


def test_all_that_differs_is_listed():
    state = {"weight": torch.zeros(3, 4), "scale": torch.zeros(3)}
    with pytest.raises(CheckpointMismatchError) as caught:
        load_weights(nn.Linear(2, 3), state, "a.pt")
    message = str(caught.value)
    assert message.startswith("'a.pt' does not hold the weights of a Linear")
    assert 'Missing key(s) in state_dict: "bias"' in message
    assert 'Unexpected key(s) in state_dict: "scale"' in message
    assert "size mismatch for weight" in message


def test_the_list_stays_readable():
    layers = nn.Sequential(*(nn.Linear(1, 1) for _ in range(200)))
    state = {key: torch.zeros(9) for key in layers.state_dict()}
    with pytest.raises(CheckpointMismatchError, match=r"and 388 more$") as caught:
        load_weights(layers, state, "a.pt")
    assert len(str(caught.value)) < 6000
    with pytest.raises(CheckpointMismatchError, match=r"Missing.*\[...\]$") as caught:
        load_weights(layers, {}, "a.pt")
    assert len(str(caught.value)) < 1000
