# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Every recipe of `hparams/train/` and `hparams/prune/` trains, on tiny models."""

import pytest
import torch
from pyannote.audio.core.task import Problem, Resolution, Specifications

from pyannote_diarizen.models import WavLMConformer
from pyannote_diarizen.models.checkpoint import save_model
from pyannote_diarizen.resources import resource_folder
from pyannote_diarizen.training.run import assemble
from pyannote_diarizen.wavlm import WavLM, WavLMConfig

RECIPES = sorted(resource_folder("hparams").glob("train/*.yaml"))
STAGES = sorted(resource_folder("hparams").glob("prune/*.yaml"))
OPTIMIZERS = [path.stem for path in resource_folder("hparams").glob("optimizer/*.yaml")]
SCHEDULES = ["constant", "linear", "cosine", "one_cycle", "noam"]
CHOICES = [("optimizer", x) for x in OPTIMIZERS] + [("scheduler", x) for x in SCHEDULES]
CONFORMER = {
    "attention_in": 8,
    "ffn_hidden": 8,
    "num_head": 2,
    "num_layer": 1,
    "kernel_size": 3,
}
WAVLM = WavLMConfig.dense(
    embed_dim=16,
    num_layers=1,
    num_heads=2,
    feed_forward_dim=8,
    layer_norm=True,
    extractor_conv_layer_config=[[4, 10, 5], *[[4, 3, 2]] * 4, *[[4, 2, 2]] * 2],
)
STEP = {
    "model": None,
    "model.n_mels": None,
    **{f"model.{name}": None for name in CONFORMER},
    "task.max_speakers_per_chunk": None,
    "trainer.max_steps": 1,
}


def tiny(recipe: str, folder) -> dict:
    """What makes a recipe quick."""
    if recipe == "pyannote-baseline":
        return {"model.lstm.hidden_size": 4, "model.linear.hidden_size": 4}
    if recipe == "fine-tuning":
        save_tiny(folder / "tiny.ckpt")
        return {"+pretrained": folder / "tiny.ckpt"}
    small = {f"model.{name}": value for name, value in CONFORMER.items()}
    if recipe == "fbank":
        return small | {"model.n_mels": 8}
    WavLM(WAVLM).save(folder / "wavlm.bin")
    return small | {"model.wavlm": folder / "wavlm.bin"}


def save_tiny(path) -> None:
    model = WavLMConformer(wavlm=WAVLM.to_dict(), **CONFORMER)
    model.specifications = Specifications(
        problem=Problem.MONO_LABEL_CLASSIFICATION,
        resolution=Resolution.FRAME,
        duration=8.0,
        classes=["1", "2", "3"],
        powerset_max_classes=2,
        permutation_invariant=True,
    )
    model.build()
    save_model(model, path)


@pytest.mark.parametrize("recipe", [path.stem for path in RECIPES])
def test_a_recipe_trains_for_a_step(configure, recipe, tmp_path):
    config = configure(**(STEP | {"train": recipe} | tiny(recipe, tmp_path)))
    assert config.task.shift == (None if recipe == "fine-tuning" else 6.0)
    run = assemble(config)
    run.fit()
    assert run.trainer.global_step == 1
    assert all(torch.isfinite(weight).all() for weight in run.model.parameters())
    num_classes = {"wavlm-large-v2": 16, "fine-tuning": 7}.get(recipe, 11)
    assert run.model.classifier.out_features == num_classes
    rates = {group["lr"] for group in run.trainer.optimizers[0].param_groups}
    is_updated = recipe in (
        *("wavlm-updated-base", "wavlm-updated-large", "wavlm-large-v2"),
        "fine-tuning",
    )
    assert rates == ({2e-5, 1e-3} if is_updated else {1e-3})


@pytest.mark.parametrize("stage", [path.stem for path in STAGES])
def test_a_stage_of_pruning_trains_for_a_step(configure, stage, tmp_path):
    save_tiny(tmp_path / "tiny.ckpt")
    options = STEP | {"prune": stage, "+pretrained": tmp_path / "tiny.ckpt"}
    if stage.endswith("-gates"):
        options["task.sparsity"] = 0.3  # a tiny model has large fixed parts
    if stage.endswith("-distil"):
        save_tiny(tmp_path / "teacher.ckpt")
        options["distillation.teacher.name"] = tmp_path / "teacher.ckpt"
    config = configure(**options, **{"task.batch_size": None, "trainer.max_epochs": 6})
    run = assemble(config)
    run.fit()
    assert run.trainer.global_step == 1
    assert run.model.wavlm_model.config.has_gates == stage.endswith("-gates")
    assert config.seed == 3407
    if "tiny" not in stage:
        is_large = "large" in stage and stage.endswith("-gates")
        assert config.task.batch_size == (8 if is_large else 16)


@pytest.mark.parametrize(("group", "name"), CHOICES)
def test_every_optimizer_and_schedule_can_be_chosen(configure, group, name):
    run = assemble(configure(**{group: name}, trainer__max_epochs=2))
    run.model.trainer = run.trainer
    run.trainer.strategy.connect(run.model)
    run.trainer.fit_loop.setup_data = lambda: None
    run.trainer.fit_loop.max_batches = 10
    configured = run.model.configure_optimizers()
    rates = configured["lr_scheduler"]["scheduler"].get_last_lr()
    assert 0 <= rates[0] <= configured["optimizer"].defaults["lr"]


def test_a_pretrained_model_keeps_its_classes(configure, tmp_path):
    save_tiny(tmp_path / "tiny.ckpt")
    options = {"+pretrained": tmp_path / "tiny.ckpt"}
    with pytest.raises(ValueError, match=r"classes for max_speakers_per_chunk=3"):
        assemble(configure(**options, **{"task.max_speakers_per_chunk": 4}))
    options["task.max_speakers_per_chunk"] = None
    with pytest.raises(ValueError, match=r"classes for max_speakers_per_frame=2"):
        assemble(configure(**options, **{"task.max_speakers_per_frame": 3}))
