# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Checkpoints of pyannote.audio, loaded without executing code; fingerprints."""

import os
from pathlib import Path

import pytest
import torch
from fake_hub import serve
from published import embedding_model, segmentation_model, write_original
from pyannote.audio import Model
from pyannote.audio.core.task import Problem, Resolution, Specifications
from pyannote.audio.models.embedding import WeSpeakerResNet34
from pyannote.audio.utils.hf_hub import AssetFileName

from pyannote_diarizen.errors import CheckpointMismatchError
from pyannote_diarizen.models import SpeakerResNet
from pyannote_diarizen.models.checkpoint import fingerprint, load_model, save_model


class Harmful:
    def __reduce__(self):
        return os.mkdir, ("harm",)


@pytest.fixture
def path(tmp_path, monkeypatch) -> Path:
    """Checkpoint in an empty folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "model" / "pytorch_model.bin"
    save_model(embedding_model(), path)
    return path


def change(path: Path, **entries: object) -> None:
    """Change entries of a checkpoint; None removes them."""
    content = torch.load(path, weights_only=False) | entries
    kept = {key: value for key, value in content.items() if value is not None}
    torch.save(kept, path)


@pytest.mark.parametrize("make", [segmentation_model, embedding_model])
@torch.inference_mode()
def test_a_model_is_the_same_once_saved_and_loaded(tmp_path, make):
    model = make()
    save_model(model, tmp_path / "a" / "pytorch_model.bin")
    waveforms = 0.1 * torch.randn(1, 1, 32000)
    for loaded in (
        load_model(tmp_path, subfolder="a"),
        load_model(tmp_path / "a" / "pytorch_model.bin"),
        Model.from_pretrained(tmp_path / "a").eval(),
    ):
        assert type(loaded) is type(model)
        assert not loaded.training
        assert loaded.specifications == model.specifications
        assert torch.equal(loaded(waveforms), model(waveforms))


def test_the_embedding_of_the_original_needs_no_trust(tmp_path):
    """Its checkpoint is old: it stores the version of torch as an object."""
    model = WeSpeakerResNet34(num_mel_bins=16)
    model.specifications = embedding_model().specifications
    save_model(model, tmp_path / "pytorch_model.bin")
    content = torch.load(tmp_path / "pytorch_model.bin", weights_only=False)
    versions = {"torch": torch.__version__, "pyannote.audio": "2.1.1"}
    content["pyannote.audio"]["versions"] = versions
    torch.save(content, tmp_path / "pytorch_model.bin")
    assert isinstance(load_model(tmp_path), WeSpeakerResNet34)


def test_weights_of_the_loss_are_left_out(path):
    state = embedding_model().state_dict() | {"loss_func.W": torch.zeros(3)}
    change(path, state_dict=state)
    assert load_model(path).dimension == 256


def test_code_is_refused_unless_it_is_allowed(path):
    change(path, hook=Harmful())
    with pytest.raises(ValueError, match=r"mkdir.*`weights_only=False`"):
        load_model(path)
    assert not Path("harm").exists()
    assert load_model(path, weights_only=False).dimension == 256
    assert Path("harm").exists()


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("state_dict", "KeyError: 'state_dict'"),
        ("hyper_parameters", "does not hold the weights of a SpeakerResNet"),
    ],
)
def test_an_incomplete_checkpoint_is_an_error(path, missing, message):
    change(path, **{missing: None})
    with pytest.raises(CheckpointMismatchError, match=message):
        load_model(path)


def test_a_model_of_a_package_that_is_not_there_is_an_error(path):
    content = torch.load(path, weights_only=False)["pyannote.audio"]
    content["architecture"]["module"] = "absent.models"
    change(path, **{"pyannote.audio": content})
    with pytest.raises(ValueError, match=r"not installed: No module named 'absent'"):
        load_model(path)


def test_a_class_that_is_not_there_is_an_error(path):
    content = torch.load(path, weights_only=False)["pyannote.audio"]
    content["architecture"]["class"] = "Absent"
    change(path, **{"pyannote.audio": content})
    with pytest.raises(CheckpointMismatchError, match="no attribute 'Absent'"):
        load_model(path)


@pytest.mark.parametrize("content", [torch.zeros(3), {"a": torch.zeros(3)}])
def test_weights_without_description_are_an_error(path, content):
    torch.save(content, path)
    with pytest.raises(
        ValueError, match=r"not a checkpoint of .* config\.toml beside it"
    ):
        load_model(path)


def test_models_of_the_hub_are_loaded(tmp_path, monkeypatch, path):
    for hub in serve(tmp_path, monkeypatch):
        write_original(hub.root / "me" / "original")
        save_model(embedding_model(), hub.root / "me" / "host" / "a" / path.name)
        hub.gated.add("me/host")
        assert load_model("me/original").dimension == 11
        loaded = load_model("me/host", "a", token=hub.token, cache_dir=tmp_path / "b")
        assert loaded.dimension == 256
        assert (tmp_path / "b" / "models--me--host").is_dir()


def test_pyannote_reads_no_safetensors():
    """Models are written to `pytorch_model.bin` until this fails."""
    assert AssetFileName.Model.value == "pytorch_model.bin"


def resnet(seed: int) -> SpeakerResNet:
    torch.manual_seed(seed)
    model = SpeakerResNet(channels=(4, 8), blocks=(1, 1), dimension=16)
    model.specifications = Specifications(
        problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=2.0
    )
    return model.eval()


def test_same_weights_same_fingerprint(tmp_path: Path):
    model = resnet(1)
    before = fingerprint(model)
    assert fingerprint(resnet(1)) == before
    model.double()
    assert fingerprint(model) == before
    model.float()
    model(torch.zeros(1, 1, 16000))
    assert fingerprint(model) == before
    save_model(model, tmp_path / "pytorch_model.bin")
    assert fingerprint(load_model(tmp_path)) == before


def test_other_weights_other_fingerprint():
    model = resnet(1)
    before = fingerprint(model)
    assert fingerprint(resnet(2)) != before
    next(model.parameters()).data.view(-1)[0] += 1e-3
    assert fingerprint(model) != before
