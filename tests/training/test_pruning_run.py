# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Runs that prune: distillation with gates, then without."""

import json
from pathlib import Path

import pytest
import torch
from interrupted_runs import last, trained
from lightning.pytorch import Callback
from pyannote.audio.core.model import Model
from tiny_wavlm import CONFIG, SMALL, save_segmentation
from typer.testing import CliRunner

from pyannote_diarizen.cli.main import app
from pyannote_diarizen.models import FBankConformer
from pyannote_diarizen.models.checkpoint import load_model
from pyannote_diarizen.training.ending import describe_end
from pyannote_diarizen.training.history import read_table
from pyannote_diarizen.training.run import assemble
from pyannote_diarizen.wavlm import prune
from pyannote_diarizen.wavlm.cost import num_macs, num_parameters
from pyannote_diarizen.wavlm.pruning import is_pruned


@pytest.fixture
def prune_options(wavlm_teacher, tiny) -> dict:
    """Options of a tiny run that prunes."""
    ours = {name: None for name in tiny if name.startswith("model")}
    return {
        **ours,
        "task": "DistillationPruning",
        "distillation": "wavlm",
        "+pretrained": wavlm_teacher,
        "task.sparsity": 0.6,
        "task.sparsity_warm_up": 1,
        "optimizer.weight_decay": 0.0,
        "optimizer.lr": 2e-4,
    }


def test_an_interrupted_run_ends_as_an_uninterrupted_one(
    configure, prune_options, tmp_path
):
    options = {**prune_options, "trainer__max_epochs": 3}
    whole = trained(configure(**options))
    options["run"] = tmp_path / "interrupted"
    broken = trained(configure(**options), interrupted_at=1)
    trained(configure(**options, **{"+resume": "last"}))

    rows = read_table(whole / "metrics.csv")
    assert read_table(broken / "metrics.csv") == rows
    expected, resumed = last(whole)["state_dict"], last(broken)["state_dict"]
    assert "loss_func.lambda1" in expected
    for name, weight in expected.items():
        torch.testing.assert_close(resumed[name], weight, rtol=0, atol=0)
    # the loss of an epoch counts once the target is reached
    assert [bool(row["loss/val"]) for row in rows] == [False, True, True]
    checkpoint = whole / "checkpoints" / "0002.ckpt"
    for model in (Model.from_pretrained(checkpoint), load_model(checkpoint)):
        assert model.wavlm_model.config.has_gates
        pruned = prune(model.wavlm_model)
        assert num_parameters(pruned.config) < num_parameters(CONFIG)
    average = CliRunner().invoke(app, ["average", str(whole), "--prune"])
    assert average.exit_code == 0, average.output
    assert is_pruned(load_model(whole / "average").wavlm_model.config)


def test_a_checkpoint_of_the_first_stage_is_validated(configure, prune_options):
    options = {**prune_options, "trainer__max_epochs": 2}
    run = trained(configure(**options))
    resumed = configure(**options, validate=True, **{"+resume": "last"})
    scores = assemble(resumed).validate()
    row = read_table(run / "metrics.csv")[-1]
    assert scores["loss/val"] == pytest.approx(float(row["loss/val"]), rel=1e-6)


def test_groups_of_the_optimizer_are_those_of_the_original(
    configure, prune_options, parity
):
    settings = json.loads((parity / "prune" / "lagrangian.config.json").read_text())
    run = assemble(configure(**prune_options, trainer__max_steps=1))
    run.fit()
    main, gates, multipliers = run.trainer.optimizers[0].param_groups
    groups = (main, gates, multipliers)
    for group, expected in zip(groups, settings["groups"], strict=True):
        for name in ("eps", "weight_decay", "lr"):
            assert group[name] == pytest.approx(expected[name])
        assert list(group["betas"]) == expected["betas"]
    assert gates["name"] == "log_alpha"
    assert multipliers["name"] == "lambda"
    named = {id(p): name for name, p in run.model.named_parameters()}
    trained_names = {named[id(p)] for p in main["params"]}
    assert all(name.startswith("wavlm_model.") for name in trained_names)
    assert not any("log_alpha" in name for name in trained_names)
    assert all("log_alpha" in named[id(p)] for p in gates["params"])


class EveryGradient(Callback):
    """Fail where a weight that is trained has no gradient: several processes would."""

    def on_after_backward(self, trainer, pl_module):
        weights = dict(pl_module.named_parameters())
        assert not [k for k, w in weights.items() if w.requires_grad and w.grad is None]


@pytest.mark.parametrize(
    "options",
    [
        {"task.distillation_only": 1, "trainer.max_epochs": 2},
        {"distillation.layers": "[0, 1]"},
        {"distillation.posteriors": 1.0},
    ],
)
def test_weights_that_are_trained_have_a_gradient(configure, prune_options, options):
    options = {"trainer.max_epochs": 1, "task.batches_per_epoch": 1, **options}
    run = assemble(configure(**{**prune_options, **options}))
    run.trainer.callbacks.append(EveryGradient())
    run.fit()
    multipliers = [weight.item() for weight in run.model.loss_func.parameters()]
    assert multipliers != [0.0, 0.0]


@pytest.mark.parametrize("measure", ["parameters", "macs"])
def test_gates_reach_the_target(configure, prune_options, measure):
    options = {
        **prune_options,
        "task.measure": measure,
        "task.gate_lr": 0.15,
        "task.batches_per_epoch": 100,
        "task.duration": 0.5,
        "task.batch_size": 1,
        "distillation.l1": 0.01,
        "distillation.cosine": 0.01,
        "trainer.max_epochs": 2,
    }
    config = configure(**options)
    run = assemble(config)
    run.fit()
    sparsity = run.model.task.expected_sparsity().item()
    assert sparsity == pytest.approx(0.6, abs=0.05)
    pruned = prune(run.model.wavlm_model.eval()).config
    size = num_parameters if measure == "parameters" else num_macs
    assert 1 - size(pruned) / size(CONFIG) == pytest.approx(sparsity, abs=0.05)
    *_, command = describe_end(Path(config.run), run.trainer)
    assert "--prune, then pyannote-audio-train prune=...-distil" in command


def test_the_second_stage_distils_without_gates(configure, prune_options):
    options = {
        **prune_options,
        "task.units": "[]",
        "distillation.posteriors": 1.0,
        "distillation.temperature": 2.0,
        "trainer.max_epochs": 1,
    }
    config = configure(**options)
    with pytest.raises(ValueError, match=r"of its teacher.*teacher\.name="):
        assemble(config).fit()
    run = assemble(config)
    first, *_ = run.model.wavlm_model.encoder.transformer.layers
    torch.nn.init.normal_(first.attention.out_proj.weight)
    run.fit()
    (row,) = read_table(Path(config.run) / "metrics.csv")
    assert float(row["loss/train/posteriors"]) > 0
    assert float(row["loss/val"]) == pytest.approx(float(row["loss/val/total"]))
    assert "sparsity/train" not in row
    *_, command = describe_end(Path(config.run), run.trainer)
    assert f"average {config.run} --best 1, then" in command
    assert "prune=...-train +pretrained=" in command
    (group,) = run.trainer.optimizers[0].param_groups
    assert len(group["params"]) == sum(p.requires_grad for p in run.model.parameters())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"task.sparsity": 80}, "above 0 and below 1, got 80: is it in percent"),
        ({"task.sparsity": 0.99}, "at most 9\\d.\\d% of the parameters"),
        ({"task.units": "[head]"}, "The gates of head can remove at most"),
        ({"task.measure": "layers"}, "one of parameters, macs, got 'layers'"),
        ({"task.gate_lr": 0}, "`gate_lr` should be above 0"),
        ({"task.sparsity_warm_up": -1}, "at least 0 epochs"),
        ({"task.identification": 1}, "need a `simulator`"),
        ({"distillation": "none"}, "`distillation` is missing: add distillation=wavlm"),
        ({"distillation": "teacher"}, "which should be distillation=wavlm: teacher_"),
    ],
)
def test_wrong_options_are_one_clear_error(
    configure, prune_options, wavlm_teacher, options, message
):
    if options.get("distillation") == "teacher":
        options = {**options, "distillation.teacher.checkpoint": wavlm_teacher}
    with pytest.raises(ValueError, match=message):
        assemble(configure(**{**prune_options, **options}))


def test_a_model_without_wavlm_cannot_be_pruned(configure, prune_options, tmp_path):
    path = save_segmentation(FBankConformer(n_mels=8, **SMALL), tmp_path / "fbank.bin")
    with pytest.raises(ValueError, match="FBankConformer without a WavLM"):
        assemble(configure(**{**prune_options, "+pretrained": path}))
