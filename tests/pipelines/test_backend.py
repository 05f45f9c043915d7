# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Pipelines whose networks run outside of torch."""

from copy import deepcopy

import pytest
import torch
from pyannote.audio.core.model import Model
from torch.testing import assert_close

from pyannote_diarizen.audio.sample import sample_file
from pyannote_diarizen.export import cache, onnx_format
from pyannote_diarizen.export.network import ExportedModel
from pyannote_diarizen.export.onnx_format import ONNXExporter
from pyannote_diarizen.hub.bundled import bundled_folder
from pyannote_diarizen.pipelines import DiariZen
from pyannote_diarizen.pipelines.components import load_network

FILE = {key: sample_file()[key] for key in ("uri", "audio")}


def networks(pipeline: DiariZen) -> tuple[Model, Model]:
    """Segmentation and embedding."""
    return pipeline._segmentation.model, pipeline._embedding.model_


def rttm(pipeline: DiariZen) -> str:
    return pipeline(FILE).speaker_diarization.to_rttm()


@pytest.fixture
def caches(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "pyannote-diarizen"


@pytest.fixture(scope="module")
def captured_once():
    """Capture each model once, which takes seconds."""
    pytest.importorskip("onnxruntime", reason="pip install onnx onnxscript onnxruntime")
    capture, captured = onnx_format._capture, {}

    def capture_once(graph):
        name = str(graph.model)
        if name not in captured:
            captured[name] = capture(graph)
        return deepcopy(captured[name])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnx_format, "_capture", capture_once)
        yield


@pytest.mark.usefixtures("captured_once")
@torch.inference_mode()
def test_onnx_gives_the_output_of_torch_and_is_exported_once(caches, monkeypatch):
    torch_pipeline = DiariZen.from_pretrained(bundled_folder())
    DiariZen.from_pretrained(bundled_folder(), backend="onnx")
    monkeypatch.setattr(cache, "write_network", None)  # would be a TypeError
    pipeline = DiariZen.from_pretrained(bundled_folder(), backend="onnx")
    assert len([*caches.glob("*/network.onnx")]) == 2
    segmentation, embedding = networks(pipeline)
    assert isinstance(segmentation, ExportedModel)
    assert isinstance(embedding, ExportedModel)
    # any batch, length and number of speakers
    for batch, num_samples, num_speakers in [(1, 20000, 4), (3, 12345, 1)]:
        waveforms = 0.1 * torch.randn(batch, 1, num_samples)
        waveforms[..., num_samples // 2 :] = 0  # small constants show in silence only
        weights = (torch.rand(batch, num_speakers, 50) > 0.3).float()
        for of_onnx, of_torch, inputs in zip(
            networks(pipeline),
            networks(torch_pipeline),
            [(waveforms,), (waveforms, weights)],
            strict=True,
        ):
            expected = of_torch(*inputs)
            assert_close(of_onnx(*inputs), expected, atol=1e-3, rtol=1e-3)
    assert rttm(pipeline) == rttm(torch_pipeline)


@pytest.mark.usefixtures("captured_once")
@pytest.mark.parametrize(
    "precision", ["float16", pytest.param("int8", marks=pytest.mark.slow)]
)
@torch.inference_mode()
def test_lower_precisions_of_onnx_are_smaller_and_close(tmp_path, precision):
    model = load_network(bundled_folder() / "embedding", "embedding")
    path = tmp_path / "network.onnx"
    ONNXExporter().write(model, path, precision)
    num_bytes = 4 * sum(weight.numel() for weight in model.parameters())
    assert path.stat().st_size < 0.75 * num_bytes
    waveforms = 0.1 * torch.randn(2, 1, 32000)
    waveforms[..., 16000:] = 0  # small constants show in silence only
    inputs = waveforms, (torch.rand(2, 2, 50) > 0.3).float()
    expected = model(*inputs)
    computed = ONNXExporter().open(path, torch.device("cpu"))(*inputs)
    assert not torch.equal(expected, computed)
    cosine = torch.cosine_similarity(expected, computed, dim=-1)
    assert cosine.min() > 0.95


@pytest.mark.slow
@torch.inference_mode()
def test_openvino_finds_the_turns_of_torch(caches):
    pytest.importorskip("openvino", reason="pip install openvino")
    pipeline = DiariZen.from_pretrained(bundled_folder(), backend="openvino")
    assert len([*caches.glob("*/network.xml")]) == 2
    assert rttm(pipeline) == rttm(DiariZen.from_pretrained(bundled_folder()))


def test_an_exported_model_runs_by_its_own_format_only(caches):
    pipeline = DiariZen.from_pretrained(bundled_folder(), backend="torchscript")
    exported = pipeline._segmentation.model
    assert cache.run_by("torchscript", exported) is exported
    with pytest.raises(ValueError, match="has the format torchscript: give the model"):
        cache.run_by("onnx", exported)


def test_unknown_backends_are_errors(build, caches):
    with pytest.raises(ValueError, match=r"in exporters: onxx. Did you mean onnx"):
        build(backend="onxx")


def test_embeddings_of_other_toolkits_have_no_backend():
    with pytest.raises(ValueError, match=r"needs a model of pyannote.audio, got 'sp"):
        cache.run_by("torchscript", "speechbrain/spkrec-ecapa-voxceleb")
