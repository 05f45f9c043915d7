# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen average` and `package`."""

from pathlib import Path

import pytest
from pyannote.audio import Model, Pipeline

from pyannote_diarizen.hub.bundled import bundled_folder
from pyannote_diarizen.models.checkpoint import load_model, save_model


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """Run whose epochs have the weights of the bundled segmentation."""
    model = load_model(bundled_folder() / "segmentation")
    for epoch in range(3):
        save_model(model, tmp_path / f"run/checkpoints/{epoch:04d}.ckpt")
    (tmp_path / "run/metrics.csv").write_text("epoch,loss/val\n0,0.5\n1,0.1\n2,0.2\n")
    return tmp_path / "run"


def test_from_epochs_to_a_pipeline(run, trained, tmp_path):
    averaged = run("average", str(trained), "--best", "2", "--metric", "loss")
    assert averaged.stdout == (
        "epoch 1: loss 0.1000\nepoch 2: loss 0.2000\n"
        f"Written: {trained}/average/pytorch_model.bin\n"
    )
    Model.from_pretrained(trained / "average")
    again = ("average", str(trained), "--last", "1")
    refused = run(*again)
    assert refused.exit_code == 2
    assert "exists: replace it by --overwrite" in refused.stderr
    assert run(*again, "--overwrite").exit_code == 0
    packaged = run("package", str(trained), str(tmp_path / "mine"))
    assert packaged.exit_code == 0
    assert f"apply AUDIO --pipeline {tmp_path / 'mine'}" in packaged.stdout
    Pipeline.from_pretrained(tmp_path / "mine")
    assert run("package", str(trained), str(tmp_path / "mine")).exit_code == 2


def test_what_cannot_be_averaged(run, trained):
    few = run("average", str(trained))
    assert few.exit_code == 2
    assert "3 epochs to choose from, not 5" in few.stderr
    both = run("average", str(trained), "--best", "2", "--last", "2")
    assert both.exit_code == 2
    assert not (trained / "average").exists()
