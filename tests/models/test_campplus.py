# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import re
from pathlib import Path

import pytest
import torch
from batch_norms import draw_statistics
from torch import Tensor
from torch.testing import assert_close

from pyannote_diarizen.errors import MissingPackagesError
from pyannote_diarizen.models import campplus
from pyannote_diarizen.models.campplus import CAMPPlus, load_campplus


def published_name(name: str) -> str:
    """Name of a weight in the published file."""
    if name.startswith("head"):
        return re.sub(r"\bnorm(\d)", r"bn\1", name)
    name = re.sub(r"norm(\d?)\.", r"nonlinear\1.batchnorm.", name)
    return f"xvector.{name.removeprefix('layers.')}"


@pytest.fixture
def model() -> CAMPPlus:
    torch.manual_seed(1)
    model = CAMPPlus()
    draw_statistics(model)
    return model.eval()


@pytest.fixture
def waveforms() -> Tensor:
    torch.manual_seed(2)
    return 0.1 * torch.randn(2, 1, 50_000)


@pytest.fixture
def installed(model, tmp_path, monkeypatch) -> Path:
    """Install a package with random weights under the published names."""
    package = tmp_path / "installed_weights"
    path = package / campplus._WEIGHTS
    path.parent.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError")  # is not imported
    weights = model.resnet.state_dict()
    torch.save({published_name(name): weights[name] for name in weights}, path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(campplus, "_PACKAGE", package.name)
    return path


@torch.inference_mode()
def test_three_speakers_from_shared_frames_equal_three_passes(model, waveforms):
    weights = torch.rand(2, 3, 61).round()
    frames = model.forward_frames(waveforms)
    assert frames.shape[2] == model.num_frames(waveforms.shape[2])
    together = model.forward_embedding(frames, weights)
    assert together.shape == (2, 3, model.dimension)
    alone = [model(waveforms, weights[:, speaker]) for speaker in range(3)]
    assert_close(together, torch.stack(alone, dim=1), rtol=1e-4, atol=1e-5)


@torch.inference_mode()
def test_published_weights_are_found_by_name(installed, model, waveforms):
    loaded = load_campplus()
    assert isinstance(loaded, CAMPPlus)
    assert_close(loaded(waveforms), model(waveforms))


def test_other_weights_are_an_error(installed):
    torch.save({"head.conv1.weight": torch.zeros(32, 1, 3, 3)}, installed)
    with pytest.raises(ValueError, match="campplus_cn_en_common"):
        load_campplus()


def test_how_to_install_them(monkeypatch):
    monkeypatch.setattr(campplus, "_PACKAGE", "not_installed")
    with pytest.raises(MissingPackagesError, match="pip install not_installed"):
        load_campplus()
