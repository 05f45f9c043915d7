# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Features in a file: another pipeline reads them, if it is of the same networks."""

import json

import numpy as np
import numpy.testing as npt
import pytest
import torch
from test_features import assert_same
from tone_model import SAMPLE_RATE, ToneSegmentation

from pyannote_diarizen.arrays import write_arrays
from pyannote_diarizen.models.checkpoint import save_model
from pyannote_diarizen.pipelines import DiariZen
from pyannote_diarizen.pipelines.features import Features


@pytest.fixture(scope="session")
def saved(tmp_path_factory, segmentation_model, embedding_model, plda):
    """Path of a file of features, its output, and its pipeline."""
    from tone_model import DURATION, TURNS, tones

    options = {"plda": plda, "segmentation_step": 0.25}
    pipeline = DiariZen(segmentation_model, embedding_model, **options)
    pipeline.instantiate(pipeline.default_parameters())
    waveform = {"waveform": tones(TURNS, DURATION), "sample_rate": SAMPLE_RATE}
    output = pipeline({"uri": "tones", "expected_speakers": 3, **waveform})
    path = tmp_path_factory.mktemp("kept") / "new" / "tones.features.npz"
    pipeline.save_features(output, path)
    return path, output, pipeline


@pytest.mark.parametrize(
    "options", [{}, {"segmentation": ToneSegmentation(powerset=False).eval()}], ids=str
)
def test_round_trip(build, conversation, passes, tmp_path, options):
    pipeline = build(**options)
    output = pipeline(dict(conversation))
    pipeline.save_features(output, tmp_path / "a.npz")
    passes.clear()
    assert_same(build(**options).recluster(str(tmp_path / "a.npz")), output)
    expected = pipeline.recluster(output, num_speakers=2)
    assert_same(pipeline.recluster(tmp_path / "a.npz", num_speakers=2), expected)
    assert not passes
    read, made = Features.read(tmp_path / "a.npz"), output.features
    npt.assert_array_equal(read.segmentations.data, made.segmentations.data)
    npt.assert_array_equal(read.embeddings, made.embeddings)
    for name in ("start", "duration", "step"):
        assert getattr(read.chunks, name) == getattr(made.chunks, name)
        assert getattr(read.frames, name) == getattr(made.frames, name)


def test_content(saved):
    path, output, _ = saved
    assert [file.name for file in path.parent.iterdir()] == ["tones.features.npz"]
    with np.load(path, allow_pickle=False) as file:
        header = json.loads(str(file["header"]))
    assert header["format"] == "pyannote-diarizen features"
    assert header["uri"] == "tones"
    assert header["expected_speakers"] == 3
    assert header["duration"] == output.features.file["duration"]
    assert header["settings"]["median_filter"] == 11
    assert len(header["models"]["embedding"]) == 64


def test_evidence_of_a_file(saved):
    path, output, pipeline = saved
    expected = pipeline.evidence(output).log_evidence
    npt.assert_array_equal(pipeline.evidence(path).log_evidence, expected)


def test_silence(build, tmp_path):
    silence = {"waveform": torch.zeros(1, 3 * SAMPLE_RATE), "sample_rate": SAMPLE_RATE}
    pipeline = build()
    pipeline.save_features(pipeline(silence), tmp_path / "a.npz")
    assert not pipeline.recluster(tmp_path / "a.npz").speaker_diarization


def test_other_networks_and_settings_are_refused(build, saved, tmp_path):
    path, _, _ = saved
    other = ToneSegmentation().eval()
    other.basis *= 1.01
    with pytest.raises(ValueError, match=r"'tones'.*segmentation model \w{12}, and th"):
        build(segmentation=other).recluster(path)
    with pytest.raises(ValueError, match=r"median_filter 11.*has median_filter 3"):
        build(median_filter=3).recluster(path)
    # the same weights from another file are the same network
    save_model(ToneSegmentation(), tmp_path / "pytorch_model.bin")
    build(segmentation=tmp_path / "pytorch_model.bin").recluster(path)


@pytest.mark.parametrize("share", [0, 0.4, 0.99])
def test_truncated_file(saved, tmp_path, share):
    content = saved[0].read_bytes()
    path = tmp_path / "short.features.npz"
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=r"short\.features\.npz' is not .*complete.*k"):
        Features.read(path)


def test_damaged_byte(saved, tmp_path):
    content = bytearray(saved[0].read_bytes())
    content[len(content) // 2] ^= 0xFF
    path = tmp_path / "damaged.features.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"damaged\.features\.npz' is not a file"):
        Features.read(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "expected pyannote-diarizen features 1, got .* features 2"),
        ({"format": "other"}, "got other 1"),
        ({"settings": None}, "not a file of features"),
        ({"settings": {}}, r"lacks 'segmentation\.threshold'"),
        ({"shape": [4, 4, 4]}, r"expected activity of shape \(8,\)"),
        ({"shape": [10**9, 10**9, 10**9]}, "expected activity of shape"),
        ({"shape": [1]}, "not a file of features"),
        ({"uri": 3}, "expected the name of a recording, got 3"),
        ({"chunks": {"step": 1}, "uri": None}, "name of a recording, got None"),
        ({"chunks": {"steps": 1}}, "not a file of features"),
        ({"duration": float("nan")}, "expected a duration, got nan"),
        (
            {"chunks": {"start": 0.0, "duration": 1.0, "step": 1e308}},
            "expected a sliding window in seconds, got .*1e\\+308",
        ),
        ({"models": "none"}, "not a file of features"),
        ("activity", "expected activity of shape"),
        ("embedded", "expected embedded of shape"),
        ("embeddings", "expected embeddings of shape"),
        ("header", "not a file of features"),
    ],
    ids=str,
)
def test_file_of_something_else(saved, tmp_path, change, message):
    with np.load(saved[0]) as file:
        arrays = dict(file)
    if isinstance(change, str):
        arrays[change] = np.zeros(3)
    else:
        header = json.loads(str(arrays["header"]))
        arrays["header"] = json.dumps(header | change)
    write_arrays(tmp_path / "a.npz", arrays)
    with pytest.raises(ValueError, match=message):
        Features.read(tmp_path / "a.npz")


def test_number_instead_of_embeddings(saved, tmp_path):
    with np.load(saved[0]) as file:
        arrays = {**file, "embeddings": np.float32(1)}
    write_arrays(tmp_path / "a.npz", arrays)
    with pytest.raises(ValueError, match="expected embeddings of shape"):
        Features.read(tmp_path / "a.npz")


def test_missing_and_pickled_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="No file of features at"):
        Features.read(tmp_path / "a.npz")
    np.savez(tmp_path / "a.npz", header=np.array([{}]), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle"):
        Features.read(tmp_path / "a.npz")
