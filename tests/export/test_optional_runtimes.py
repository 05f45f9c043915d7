# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Runtimes that few machines have: they run, or the message has the remedy."""

import pytest
import torch
from torch.testing import assert_close

from pyannote_diarizen import installation
from pyannote_diarizen.errors import MissingPackagesError
from pyannote_diarizen.export.exporter import find_exporter
from pyannote_diarizen.export.network import load_exported, write_network


def test_openvino_that_is_missing_is_an_error_with_the_pip_line(monkeypatch):
    monkeypatch.setattr(installation, "_is_found", lambda module: module != "openvino")
    with pytest.raises(MissingPackagesError, match=r"pip install openvino$"):
        find_exporter("openvino").check()


@pytest.mark.parametrize(
    "name",
    [
        "fbank",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("segmentation", "wavlm", "wavlm-pruned", "wespeaker")
        ),
    ],
)
@torch.inference_mode()
def test_openvino_gives_the_output_of_torch(build, tmp_path, name):
    pytest.importorskip("openvino", reason="pip install openvino")
    model = build(name)
    write_network(model, tmp_path, "openvino")
    waveforms = 0.1 * torch.randn(3, 1, 12345)
    exported = load_exported(tmp_path)
    assert_close(exported(waveforms), model(waveforms), atol=1e-3, rtol=1e-3)
    (tmp_path / "network.bin").unlink()
    with pytest.raises(FileNotFoundError, match=r"no network.bin"):
        load_exported(tmp_path)


def test_tensorrt_that_is_missing_is_an_error_with_the_remedy():
    onnxruntime = pytest.importorskip("onnxruntime", reason="pip install onnxruntime")
    if "TensorrtExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("TensorRT is installed")
    with pytest.raises(ValueError, match=r"only, not by Tensorrt.* onnxruntime-gpu"):
        find_exporter("tensorrt").check()
