# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen prune`."""

import pytest
import torch
from tiny_wavlm import CONFIG, SMALL, save_segmentation

from pyannote_diarizen.models import WavLMConformer
from pyannote_diarizen.models.checkpoint import load_model, save_model
from pyannote_diarizen.training.pruning_stages import PLAN, replace_wavlm
from pyannote_diarizen.wavlm import add_gates
from pyannote_diarizen.wavlm.pruning import is_pruned


@pytest.fixture
def model(here) -> str:
    """Checkpoint in the current folder."""
    torch.manual_seed(0)
    save_segmentation(
        WavLMConformer(wavlm=CONFIG.to_dict(), **SMALL), here / "model.bin"
    )
    return "model.bin"


def test_a_model_is_pruned_without_training(run, here, model):
    result = run(
        "prune",
        model,
        "--method",
        "magnitude",
        "--into",
        "small",
        "--sparsity",
        "0.5",
        "--backbone",
        "--report",
    )
    assert result.exit_code == 0, result.output
    assert "Written: small/model/pytorch_model.bin" in result.stdout
    assert is_pruned(load_model(here / "small" / "model").wavlm_model.config)
    assert (here / "small" / "backbone" / "pruned_config.json").is_file()
    assert "| parameters of WavLM |" in result.stdout
    assert (here / "small" / PLAN).is_file()
    again = run("prune", "small", "--method", "magnitude", "--into", "smaller")
    assert again.exit_code == 2
    assert "was pruned already" in again.stderr
    assert not (here / "smaller").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sparsity", "80"], "above 0 and below 1, got 80: is it in percent?"),
        ([], "Method 'l0' needs a protocol"),
        (["--method", "magnitude", "--sparsity", "0.99"], "can be removed, not 99.0%"),
        (["NoSuch.SpeakerDiarization.Protocol"], "NoSuch.SpeakerDiarization.Protocol"),
    ],
)
def test_errors_are_one_line(run, model, arguments, message):
    result = run("prune", model, *arguments)
    assert result.exit_code == 2
    (line,) = result.stderr.strip().splitlines()
    assert message in line


def test_a_model_without_wavlm_is_refused(run, here):
    result = run("prune", "diarizen-tiny", "--method", "magnitude")
    assert result.exit_code == 2
    assert "PyanNet without a WavLM" in result.stderr
    assert not list(here.iterdir())


@pytest.mark.parametrize(
    "typed", [["export", "gated.bin", "--into", "new"], ["package", "gated.bin", "new"]]
)
def test_a_model_with_gates_is_no_result(run, here, model, typed):
    gated = load_model(model)
    replace_wavlm(gated, add_gates(gated.wavlm_model, ["head"]))
    save_model(gated, here / "gated.bin")
    result = run(*typed)
    assert result.exit_code == 2
    (line,) = result.stderr.strip().splitlines()
    assert "'gated.bin'" in line
    assert "has gates" in line
    assert "average RUN --prune" in line
    assert not (here / "new").exists()
