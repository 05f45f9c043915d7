# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import json
from copy import deepcopy

import pytest
import torch
from pyannote.audio.utils.powerset import Powerset

from pyannote_diarizen.export.comparison import compare, write_report

FACTS = {"file": "network.onnx", "precision": "int8", "num_bytes": 4000}


@pytest.fixture
def waveforms() -> torch.Tensor:
    generator = torch.Generator().manual_seed(4)
    return 0.1 * torch.randn(2, 1, 16000, generator=generator)


def noisy(model, scale):
    """Copy of a model whose last layer has other weights."""
    changed = deepcopy(model)
    torch.manual_seed(5)
    *_, weight, _ = changed.parameters()
    weight.data += scale * torch.randn_like(weight)
    return changed


@pytest.mark.parametrize("name", ["fbank", "embedding"])
def test_a_model_equals_itself(build, waveforms, name):
    comparison = compare(build(name), build(name), waveforms)
    assert comparison.largest_difference == 0
    assert comparison.warning is None
    if name == "fbank":
        assert (comparison.changed_frames, comparison.error_rate) == (0, 0)
    else:
        assert comparison.min_similarity == pytest.approx(1)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fbank", "speakers differ from those of torch: error rate"),
        ("embedding", "dow"),
    ],
)
def test_large_differences_are_a_warning(build, waveforms, tmp_path, name, message):
    comparison = compare(build(name), noisy(build(name), 1.0), waveforms)
    assert comparison.largest_difference > 0.1
    assert message in comparison.warning
    write_report(comparison, FACTS, tmp_path)
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["largest_difference"] == comparison.largest_difference
    page = (tmp_path / "report.md").read_text()
    assert page.startswith("# network.onnx, int8, against torch\n")
    assert "| size, bytes | 4,000 |" in page
    assert f"Warning: {comparison.warning}." in page


def test_the_order_of_speakers_in_a_chunk_does_not_count(build, waveforms):
    model = build("fbank")
    specifications = model.specifications
    mapping = Powerset(
        len(specifications.classes), specifications.powerset_max_classes
    ).mapping
    # class of the same speakers in the reverse order
    order = (mapping.flip(1)[:, None] == mapping).all(-1).int().argmax(-1)
    reverse = deepcopy(model)
    for weight in reverse.classifier.parameters():
        weight.data = weight.data[order]
    comparison = compare(model, reverse, waveforms)
    assert comparison.largest_difference > 0.1
    assert (comparison.changed_frames, comparison.error_rate) == (0, 0)


def test_output_that_is_not_finite_is_a_warning(build, waveforms):
    broken = deepcopy(build("fbank"))
    broken.classifier.bias.data += torch.nan
    comparison = compare(build("fbank"), broken, waveforms)
    assert comparison.warning == "some outputs are not finite"


def test_errors_without_speech_are_a_rate_of_one(build, waveforms):
    silent = deepcopy(build("fbank"))
    silent.classifier.bias.data[0] += 100
    assert compare(silent, build("fbank"), waveforms).error_rate == 1
    assert compare(silent, silent, waveforms).error_rate == 0
