# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
from copy import deepcopy

import pytest
import torch
from torch.testing import assert_close

from pyannote_diarizen import installation
from pyannote_diarizen.errors import MissingPackagesError
from pyannote_diarizen.export.exporter import find_exporter
from pyannote_diarizen.export.onnx_format import ONNXExporter

pytest.importorskip("onnxruntime", reason="pip install onnx onnxscript onnxruntime")
CPU = torch.device("cpu")


def write(model, folder, precision="float32"):
    path = folder / "network.onnx"
    ONNXExporter().write(model, path, precision)
    return ONNXExporter().open(path, CPU)


def inputs_of(model, batch, num_samples, num_speakers=2):
    generator = torch.Generator().manual_seed(batch)
    waveforms = 0.1 * torch.randn(batch, 1, num_samples, generator=generator)
    waveforms[..., num_samples // 2 :] = 0  # small constants show in silence only
    if not hasattr(model, "forward_embedding"):
        return (waveforms,)
    weights = torch.rand(batch, num_speakers, 50, generator=generator) > 0.3
    return waveforms, weights.float()


@pytest.mark.parametrize(
    "name",
    [
        # of the bundled segmentation and embedding: tests/pipelines/test_backend.py
        pytest.param("wavlm", marks=pytest.mark.slow),
        "wavlm-pruned",
        "fbank",
        pytest.param("wespeaker", marks=pytest.mark.slow),
    ],
)
@torch.inference_mode()
def test_any_batch_and_length_gives_the_output_of_torch(build, tmp_path, name):
    model = build(name)
    run = write(model, tmp_path)
    for batch, num_samples, num_speakers in [(1, 20000, 4), (3, 12345, 1)]:
        inputs = inputs_of(model, batch, num_samples, num_speakers)
        assert_close(run(*inputs), model(*inputs), atol=1e-3, rtol=1e-3)


# of the bundled embedding: tests/pipelines/test_backend.py
@pytest.mark.slow
@torch.inference_mode()
def test_positions_of_wavlm_stay_in_float32_in_int8(build, tmp_path):
    model = build("wavlm")
    inputs = inputs_of(model, 2, 32000)
    assert write(model, tmp_path, "int8")(*inputs).isfinite().all()


@pytest.mark.slow
@torch.inference_mode()
def test_lstm_in_float16_is_half_as_large_and_close(build, tmp_path):
    model = build("segmentation")
    run = write(model, tmp_path, "float16")
    num_bytes = 4 * sum(weight.numel() for weight in model.parameters())
    assert (tmp_path / "network.onnx").stat().st_size < 0.75 * num_bytes
    (waveforms,) = inputs_of(model, 2, 32000)
    assert_close(run(waveforms), model(waveforms), atol=0.05, rtol=0)


def test_an_operator_that_cannot_leave_is_named(build, tmp_path):
    model = deepcopy(build("fbank"))

    def classify(features):
        return torch.linalg.eigvals(features @ features.mT).real

    model.classify = classify
    with pytest.raises(ValueError, match=r"FBankConformer cannot .*eig"):
        write(model, tmp_path)


def test_a_damaged_file_is_an_error(tmp_path):
    path = tmp_path / "network.onnx"
    path.write_bytes(b"no graph")
    with pytest.raises(ValueError, match=r"network.onnx' cannot be opened by ONNX"):
        ONNXExporter().open(path, CPU)


def test_a_device_without_runtime_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="not by this device: use the CPU"):
        ONNXExporter().open(tmp_path / "network.onnx", torch.device("mps"))


def test_missing_packages_are_an_error_with_the_pip_line(monkeypatch):
    monkeypatch.setattr(installation, "find_spec", lambda module: None)
    with pytest.raises(
        MissingPackagesError, match=r"pip install onnx onnxscript onnxruntime$"
    ):
        find_exporter("onnx").check()


def test_unknown_names_are_errors():
    with pytest.raises(ValueError, match="Did you mean onnx"):
        find_exporter("onxx")
    with pytest.raises(ValueError, match="one of float32, float16, int8, got 'int4'"):
        find_exporter("onnx").check("int4")
