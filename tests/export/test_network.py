# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import json
import pickle

import pytest
import torch
from torch.testing import assert_close

from pyannote_diarizen.export.exporter import Exporter
from pyannote_diarizen.export.network import (
    DESCRIPTION,
    ExportedModel,
    _describe,
    load_exported,
    write_network,
)
from pyannote_diarizen.models.checkpoint import fingerprint


class UnitExporter(Exporter):
    """Runtime whose output has the value of its input."""

    suffix = ".unit"

    def write(self, model, path, precision):
        path.touch()

    def open(self, path, device):
        return lambda waveforms: waveforms


@pytest.mark.parametrize(
    "name", ["segmentation", "embedding", "wavlm", "fbank", "wespeaker"]
)
def test_frames_are_those_of_the_model(build, tmp_path, name):
    model = build(name)
    description = json.loads(json.dumps(_describe(model), default=str))
    description["specifications"] = None
    exported = ExportedModel(description, UnitExporter(), tmp_path)
    assert exported.dimension == model.dimension
    assert vars(exported.receptive_field) == vars(model.receptive_field)
    for num_samples in (100, 399, 400, 991, 1599, 16000, 16001, 80123, 160000):
        expected = max(0, model.num_frames(num_samples))
        assert exported.num_frames(num_samples) == expected, num_samples


@pytest.fixture(scope="session")
def traced(build, tmp_path_factory):
    """Bundled embedding as TorchScript, which takes the least time to write."""
    folder = tmp_path_factory.mktemp("embedding")
    write_network(build("embedding"), folder, "torchscript")
    return folder


@torch.inference_mode()
def test_masks_may_be_of_one_speaker_or_of_several_or_absent(build, traced):
    model, exported = build("embedding"), load_exported(traced)
    waveforms = 0.1 * torch.randn(2, 1, 20000)
    masks = (torch.rand(2, 3, 40) > 0.5).float()
    for weights in (masks, masks[:, 0], None):
        expected = model(waveforms, weights=weights)
        computed = exported(waveforms, weights=weights)
        assert_close(computed, expected, atol=1e-3, rtol=1e-3)


def test_the_fingerprint_is_that_of_the_model(build, traced):
    assert fingerprint(load_exported(traced)) == fingerprint(build("embedding"))


@torch.inference_mode()
def test_copies_run(traced):
    exported = load_exported(traced)
    waveforms = 0.1 * torch.randn(1, 1, 20000)
    copied = pickle.loads(pickle.dumps(exported))
    assert_close(copied(waveforms), exported(waveforms))


@pytest.mark.parametrize(
    ("shape", "message"),
    [((1, 2, 8000), "with one channel, got"), ((1, 1, 399), "at least 400 samples")],
)
def test_waveforms_of_another_shape_are_an_error(traced, shape, message):
    with pytest.raises(ValueError, match=message):
        load_exported(traced)(torch.zeros(shape))


@torch.inference_mode()
def test_safetensors_give_the_model_back(build, tmp_path):
    model = build("wavlm-pruned")
    write_network(model, tmp_path, "safetensors")
    loaded = load_exported(tmp_path)
    assert type(loaded) is type(model)
    assert loaded.specifications == model.specifications
    assert fingerprint(loaded) == fingerprint(model)


def test_no_network_is_none(tmp_path):
    assert load_exported(tmp_path) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "onxx"}, "in exporters: onxx. Did you mean onnx"),
        ({"file": "absent.pt"}, "holds no absent.pt"),
        ({"frames": None}, "network.json' does not describe a network"),
        ({"specifications": {"problem": "x"}}, "network.json' does not describe"),
    ],
)
def test_a_damaged_description_is_an_error(traced, tmp_path, change, message):
    description = json.loads((traced / DESCRIPTION).read_text())
    (tmp_path / description["file"]).symlink_to(traced / description["file"])
    (tmp_path / DESCRIPTION).write_text(json.dumps({**description, **change}))
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        load_exported(tmp_path)
