# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""From the name of a pipeline to a pipeline that can be called."""

from pathlib import Path

import pytest
import torch

from pyannote_diarizen.hub.loading import choose_device, load_pipeline


@pytest.mark.parametrize(
    ("cuda", "mps", "chosen"),
    [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_auto_is_the_first_of_cuda_mps_and_cpu(cuda, mps, chosen, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert choose_device("auto").type == chosen


def test_a_device_may_have_a_number():
    assert choose_device("cpu:0") == torch.device("cpu", 0)


@pytest.mark.parametrize("device", ["abacus", "cuda:63", "hpu", "meta"])
def test_a_device_that_is_not_there_is_an_error(device):
    with pytest.raises(ValueError, match=f"Device '{device}' cannot be used here"):
        choose_device(device)


@pytest.mark.parametrize(
    "config",
    [
        "pipeline: [",
        "params: {}",
        "pipeline: {name: nowhere.Pipeline}",
        "pipeline: {name: pyannote_diarizen.pipelines.DiariZen, params: {a: 1}}",
        "dependencies: {not-installed: 1.0.0}\npipeline: {name: x}",
    ],
)
def test_a_broken_config_is_an_error_that_names_it(tmp_path, config):
    Path(tmp_path, "config.yaml").write_text(config)
    with pytest.raises(ValueError, match=f"^'{tmp_path}"):
        load_pipeline(tmp_path, device="cpu")


def test_a_missing_package_is_an_error_with_the_line_to_type(monkeypatch):
    monkeypatch.setattr("pyannote_diarizen.models.campplus._PACKAGE", "not_installed")
    with pytest.raises(ValueError, match=r"campplus': 'campplus' needs .* pip install"):
        load_pipeline("diarizen-campplus", "cpu")


def test_a_folder_that_is_not_there_is_an_error():
    with pytest.raises(FileNotFoundError, match="'/no/such/folder' is neither"):
        load_pipeline("/no/such/folder", device="cpu")


def test_a_pipeline_of_another_package_is_loaded_by_name(third_party):
    pipeline = load_pipeline("ToyPipeline", "cpu")
    file = {"uri": "a", "waveform": torch.zeros(1, 16000), "sample_rate": 16000}
    assert pipeline(file).labels() == ["toy"]


def test_a_file_that_does_not_exist_is_not_looked_up_on_the_hub():
    with pytest.raises(FileNotFoundError, match=r"no file 'nowhere/config\.yaml'"):
        load_pipeline("nowhere/config.yaml")
