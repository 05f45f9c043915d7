# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Selected epochs of a run are averaged to one model, which becomes a pipeline."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from pyannote.audio import Model, Pipeline
from pyannote.audio.core.task import Problem, Resolution, Specifications
from torch import nn

from pyannote_diarizen.errors import CheckpointMismatchError
from pyannote_diarizen.models import FBankConformer
from pyannote_diarizen.models.checkpoint import save_model
from pyannote_diarizen.training.averaging import (
    average_checkpoints,
    average_pruned,
    average_run,
    read_metric,
    select_epochs,
)
from pyannote_diarizen.training.checkpoints import find_checkpoints
from pyannote_diarizen.training.packaging import package, trained_model
from pyannote_diarizen.training.run import assemble

TINY = {"attention_in": 8, "ffn_hidden": 8, "num_head": 2, "num_layer": 1, "n_mels": 8}


def model(fill: float, **changes: int) -> Model:
    """Model whose weights are all the same."""
    built = FBankConformer(**TINY | changes, kernel_size=3)
    built.specifications = Specifications(
        problem=Problem.MONO_LABEL_CLASSIFICATION,
        resolution=Resolution.FRAME,
        duration=1.0,
        classes=["speaker#1", "speaker#2"],
        powerset_max_classes=2,
        permutation_invariant=True,
    )
    built.setup()
    with torch.no_grad():
        for weight in built.state_dict().values():
            weight.fill_(fill)
    return built


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Three epochs: weights of 1, 2 and 6, losses of 0.5, 0.1 and 0.2."""
    for epoch, fill in enumerate((1, 2, 6)):
        save_model(model(fill), tmp_path / f"run/checkpoints/{epoch:04d}.ckpt")
    (tmp_path / "run/metrics.csv").write_text("epoch,loss/val\n0,0.5\n1,0.1\n2,0.2\n")
    return tmp_path / "run"


def test_weights_are_the_mean_and_counts_are_whole(run):
    averaged = average_run(run, "last", 3)
    assert averaged.path == run / "average/pytorch_model.bin"
    loaded = Model.from_pretrained(run / "average")
    for name, weight in loaded.state_dict().items():
        assert weight.unique().tolist() == [3], name
    with pytest.raises(FileExistsError, match="replace it by --overwrite"):
        average_run(run, "best", 2)
    averaged = average_run(run, "best", 2, overwrite=True)
    assert averaged.values == {1: 0.1, 2: 0.2}
    state = Model.from_pretrained(run / "average").state_dict()
    assert state["classifier.weight"].unique().tolist() == [4]


def test_a_pruned_model_averages_epochs_after_the_peak_of_the_total_loss(run):
    # the first epoch had not reached the sparsity
    header = "epoch,loss/val,loss/val/total\n"
    for rows, mean in (
        ("0,,0.1\n1,0.2,0.9\n2,0.3,0.5\n", 6),
        ("0,,2\n1,1,1\n2,1,3\n", 6),
    ):
        (run / "metrics.csv").write_text(header + rows)
        assert average_pruned(run).classifier.weight.unique().tolist() == [mean]
    (run / "metrics.csv").write_text(header + "0,1,3\n1,1,2\n2,1,1\n")
    assert average_pruned(run).classifier.weight.unique().tolist() == [4]


@pytest.mark.parity
def test_mean_of_the_original(parity, tmp_path):
    expected = json.loads((parity / "train/checkpoints.json").read_text())["average"]
    paths = []
    for weight, count in (((1.0, 2.0), 2), ((2.0, 4.0), 5), ((4.0, 8.0), 6)):
        one = model(0)
        one.state_dict()["classifier.bias"][:2] = torch.tensor(weight)
        for name, value in one.state_dict().items():
            if name.endswith("num_batches_tracked"):
                value.fill_(count)
        paths.append(tmp_path / f"{count}.ckpt")
        save_model(one, paths[-1])
    state = average_checkpoints(paths).state_dict()
    mean = state["classifier.bias"][:2].tolist()
    assert mean == pytest.approx(expected["w"], rel=1e-6)
    (count,) = {
        int(value)
        for name, value in state.items()
        if name.endswith("num_batches_tracked")
    }
    assert count == expected["n_after_load"]


def test_what_served_training_only_is_left_out(run):
    for path in (run / "checkpoints").iterdir():
        trained = model(1)
        trained.identification_loss = nn.Linear(2, 3)
        save_model(trained, path)
    average_run(run, "last", 3)
    state = Model.from_pretrained(run / "average").state_dict()
    assert not [name for name in state if "identification" in name]


def test_never_across_architectures(run):
    save_model(model(1, ffn_hidden=16), run / "checkpoints/0001.ckpt")
    with pytest.raises(CheckpointMismatchError, match=r"0001.*ffn_hidden"):
        average_run(run, "last", 3)
    assert not (run / "average").exists()


def test_what_is_no_run(run, tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no checkpoint"):
        average_run(tmp_path)
    with pytest.raises(ValueError, match="3 epochs to choose from, not 5"):
        average_run(run)
    torch.save({"state_dict": {}}, run / "checkpoints/0002.ckpt")
    with pytest.raises(ValueError, match=r"0002.ckpt' is no checkpoint"):
        average_run(run, "last", 2)


def test_the_model_of_a_run(run):
    assert trained_model(run / "checkpoints/0000.ckpt").name == "0000.ckpt"
    state = Model.from_pretrained(trained_model(run)).state_dict()
    assert state["classifier.weight"].unique().tolist() == [2]  # of the lowest loss
    assert not (run / "average").exists()
    average_run(run, "last", 3)
    state = Model.from_pretrained(trained_model(run)).state_dict()
    assert state["classifier.weight"].unique().tolist() == [3]


def test_from_a_run_to_a_pipeline_of_the_host(configure, tmp_path):
    run = assemble(configure(trainer__max_epochs=2))
    run.fit()
    folder = Path(run.trainer.checkpoint_callback.dirpath).parent
    averaged = average_run(folder, "best", 2)
    used = package(folder, tmp_path / "packaged")
    assert used == averaged.path
    pipeline = Pipeline.from_pretrained(tmp_path / "packaged")
    weights = pipeline._segmentation.model.state_dict()
    for name, weight in (
        average_checkpoints(sorted(folder.glob("checkpoints/000*.ckpt")))
        .state_dict()
        .items()
    ):
        torch.testing.assert_close(weights[name], weight)
    waveform = torch.from_numpy(np.zeros((1, 16000), dtype=np.float32))
    output = pipeline({"waveform": waveform, "sample_rate": 16000, "uri": "silence"})
    assert output.speaker_diarization.uri == "silence"
    assert "# packaged" in (tmp_path / "packaged/README.md").read_text()
    with pytest.raises(FileExistsError):
        package(folder, tmp_path / "packaged")


VALUES = {0: 0.9, 1: 0.4, 2: 0.5, 3: 0.3, 4: 0.6, 5: 0.7, 6: 0.8}


@pytest.mark.parametrize(
    ("rule", "num", "epochs"),
    [
        ("best", 3, [3, 1, 2]),
        ("last", 2, [5, 6]),
        ("around", 3, [2, 3, 4]),
        ("around", 6, [0, 1, 2, 3, 4, 5]),
        ("around", 7, [0, 1, 2, 3, 4, 5, 6]),
        ("until", 2, [2, 3]),
        # DiariZen slices from a negative index here, and selects no epoch
        ("until", 6, [0, 1, 2, 3]),
    ],
)
def test_selected_epochs(rule, num, epochs):
    assert select_epochs(VALUES, rule, num) == epochs


def test_around_the_last_epoch_stays_within_the_run():
    values = {epoch: -epoch for epoch in range(4)}
    assert select_epochs(values, "around", 3) == [1, 2, 3]


def test_only_epochs_after_the_peak():
    values = {0: 0.1, 1: 0.2, 2: 0.9, 3: 0.4, 4: 0.3}
    assert select_epochs(values, "best", 2, after_peak=True) == [4, 3]


def test_too_few_epochs():
    with pytest.raises(ValueError, match="7 epochs to choose from, not 8"):
        select_epochs(VALUES, "best", 8)
    with pytest.raises(ValueError, match="0 epochs"):
        select_epochs({0: 1.0}, "last", 1, after_peak=True)


@pytest.mark.parity
def test_selection_is_that_of_diarizen(parity):
    reference = json.loads((parity / "train" / "checkpoints.json").read_text())
    for metric, name in (("losses", "Loss"), ("ders", "DER")):
        values = dict(enumerate(reference[metric], start=1))
        for rule, theirs in (("best", "best"), ("until", "prev")):
            expected = reference[f"eend_{name}_{theirs}_5"]
            assert select_epochs(values, rule, 5) == expected
    pruned = dict(enumerate(reference["prune_losses"], start=1))
    assert (
        select_epochs(pruned, "best", 5, after_peak=True)
        == reference["prune_after_peak_5"]
    )


TABLE = "epoch,loss/train,loss/val\n0,0.5,0.75\n1,0.25,nan\n2,0.125,\n3,0.125,0.5\n"


def test_a_metric_is_read_by_column(tmp_path):
    (tmp_path / "metrics.csv").write_text(TABLE)
    assert read_metric(tmp_path, "loss") == {0: 0.75, 3: 0.5}
    assert read_metric(tmp_path, "loss/train") == {0: 0.5, 1: 0.25, 2: 0.125, 3: 0.125}
    with pytest.raises(
        ValueError, match=r"no metric 'der', only loss, der, loss/train, loss/"
    ):
        read_metric(tmp_path, "der")


def test_checkpoints_by_epoch(tmp_path):
    for name in ("0010.ckpt", "epoch=0002.ckpt", "last.ckpt", "0003.txt"):
        (tmp_path / name).touch()
    found = find_checkpoints(tmp_path)
    assert {epoch: path.name for epoch, path in found.items()} == {
        2: "epoch=0002.ckpt",
        10: "0010.ckpt",
    }
