# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Pruning in stages: results, interruptions, and errors of options."""

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf
from pyannote.audio.core.model import Model
from tiny_wavlm import CONFIG

from pyannote_diarizen.models import WavLMConformer
from pyannote_diarizen.models.checkpoint import load_model
from pyannote_diarizen.pipelines import DiariZen
from pyannote_diarizen.training.history import read_table
from pyannote_diarizen.training.packaging import package
from pyannote_diarizen.training.pruning_output import (
    describe_sparsity,
    write_backbone,
    write_report,
)
from pyannote_diarizen.training.pruning_stages import Pruning, run_pruning
from pyannote_diarizen.wavlm import WavLM
from pyannote_diarizen.wavlm.cost import num_parameters
from pyannote_diarizen.wavlm.pruning import is_pruned

PROTOCOL = "Noise.SpeakerDiarization.Tiny"
QUICK = (
    *("task.duration=1", "task.batch_size=2", "task.batches_per_epoch=2"),
    *("task.num_workers=0", "trainer.accelerator=cpu", "trainer.max_epochs=2"),
    *("callbacks.chunks=null", "callbacks.curves=null"),
    *("gates:task.sparsity_warm_up=1", "gates:task.gate_lr=0.5"),  # four steps only
)


class InterruptionError(Exception):
    """Interruption of a stage."""


def silent(stage: str, completed: int, total: int) -> None:
    """Show no progress."""


def plan(teacher: Path, database: Path, **changes) -> Pruning:
    options = {"sparsity": 0.5, "options": QUICK, **changes}
    return Pruning(str(teacher), PROTOCOL, str(database), **options)


def sparsity_of(checkpoint: Path, teacher: Path) -> float:
    sizes = [
        num_parameters(load_model(path).wavlm_model.config)
        for path in (checkpoint, teacher)
    ]
    return 1 - sizes[0] / sizes[1]


def test_three_stages_interrupted_in_each(wavlm_teacher, database, tmp_path):
    chosen = plan(wavlm_teacher, database)
    seen = []

    def interrupting(stage: str, completed: int, total: int) -> None:
        assert (completed <= total, total) == (True, 4)
        if completed == 3 and stage not in seen:
            seen.append(stage)
            raise InterruptionError

    whole = run_pruning(chosen, tmp_path / "whole", silent)
    for _ in range(3):
        with pytest.raises(InterruptionError):
            run_pruning(chosen, tmp_path / "broken", interrupting)
    broken = run_pruning(chosen, tmp_path / "broken", interrupting)
    assert seen == ["gates", "distil", "train"]
    for stage in seen:
        rows = [
            read_table(tmp_path / name / stage / "metrics.csv")
            for name in ("whole", "broken")
        ]
        assert len(rows[0]) == 2
        assert rows[0] == rows[1]
        config = OmegaConf.load(tmp_path / "whole" / stage / "config.yaml")
        assert config.trainer.devices == 1
    first, second = (load_model(path) for path in (whole, broken))
    for name, weight in first.state_dict().items():
        torch.testing.assert_close(second.state_dict()[name], weight, rtol=0, atol=0)
    model = Model.from_pretrained(whole.parent)
    assert isinstance(model, WavLMConformer)
    assert is_pruned(model.wavlm_model.config)
    assert model(torch.zeros(1, 1, 16000)).shape[-1] == 4
    # finished: nothing runs
    assert run_pruning(chosen, tmp_path / "whole", interrupting) == whole


@pytest.mark.slow
def test_a_command_killed_in_each_stage_goes_on(wavlm_teacher, database, tmp_path):
    script = "from pyannote_diarizen.cli.main import app; app()"
    options = [part for option in QUICK for part in ("-o", option)]
    typed = [sys.executable, "-c", script, "prune", str(wavlm_teacher), PROTOCOL]
    typed += ["--database", str(database), "--sparsity", "0.5", *options, "--into"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    for stage in ("gates", "distil", "train"):
        command = [*typed, str(tmp_path / "killed")]
        with subprocess.Popen(command, env=environment) as process:
            table = tmp_path / "killed" / stage / "metrics.csv"
            while not table.is_file():  # the first of two epochs
                assert process.poll() is None
                time.sleep(0.001)
            process.kill()
    for name in ("killed", "whole"):
        subprocess.run([*typed, str(tmp_path / name)], check=True, env=environment)
    for stage in ("gates", "distil", "train"):
        killed, whole = (
            read_table(tmp_path / name / stage / "metrics.csv")
            for name in ("killed", "whole")
        )
        assert killed == whole


@pytest.mark.parametrize("method", ["magnitude", "importance"])
def test_pruning_without_training(wavlm_teacher, database, tmp_path, method):
    chosen = plan(wavlm_teacher, database, method=method)
    pruned = run_pruning(chosen, tmp_path / "pruned", silent)
    assert 0.5 <= sparsity_of(pruned, wavlm_teacher) < 0.56
    before, after = (load_model(path).state_dict() for path in (wavlm_teacher, pruned))
    for name in ("classifier.weight", "proj.weight"):
        assert torch.equal(after[name], before[name])

    message = "was pruned already.* --again"
    with pytest.raises(ValueError, match=message):
        run_pruning(plan(pruned, database), tmp_path / "twice", silent)
    again = plan(pruned, database, method="magnitude", again=True, sparsity=0.2)
    result = run_pruning(again, tmp_path / "again", silent)
    assert 0.2 <= sparsity_of(result, pruned) < 0.26


def test_a_pipeline_is_pruned_with_its_other_parts(wavlm_teacher, tmp_path):
    source, folder = tmp_path / "source", tmp_path / "pruned"
    package(wavlm_teacher, source)
    chosen = Pruning(str(source), method="magnitude", sparsity=0.5)
    path = run_pruning(chosen, folder, silent)
    pipeline = DiariZen.from_pretrained(folder / "pipeline")
    segmentation = pipeline._segmentation.model.wavlm_model
    assert segmentation.config == load_model(path).wavlm_model.config
    before = DiariZen.from_pretrained(source)
    assert pipeline.parameters(instantiated=True) == before.parameters(
        instantiated=True
    )
    shutil.rmtree(folder / "pipeline")  # interrupted while it was written
    run_pruning(chosen, folder, silent)
    assert (folder / "pipeline" / "config.yaml").is_file()


def test_a_folder_of_another_pruning_is_kept(wavlm_teacher, database, tmp_path):
    folder = tmp_path / "pruned"
    chosen = plan(wavlm_teacher, database, method="magnitude")
    run_pruning(chosen, folder, silent)
    other = plan(wavlm_teacher, database, method="magnitude", sparsity=0.4)
    with pytest.raises(FileExistsError, match=r"other options than sparsity=0\.4"):
        run_pruning(other, folder, silent)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").touch()
    with pytest.raises(FileExistsError, match="holds no pruning"):
        run_pruning(chosen, tmp_path / "full", silent)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sparsity": 80}, "between|above 0 and below 1, got 80: is it in percent"),
        ({"method": "l1"}, "one of l0, magnitude, importance, got 'l1'"),
        ({"protocol": None}, "'l0' needs a protocol"),
    ],
)
def test_wrong_plans_are_one_clear_error(changes, message):
    with pytest.raises(ValueError, match=message):
        Pruning("model", **{"protocol": "P.SpeakerDiarization.Q", **changes})


def test_what_cannot_be_pruned_is_one_clear_error(wavlm_teacher, database, tmp_path):
    def refused(message: str, source: Path | str, **changes) -> None:
        folder = tmp_path / f"refused{len(list(tmp_path.iterdir()))}"
        with pytest.raises((OSError, ValueError), match=message):
            run_pruning(plan(source, database, **changes), folder, silent)
        assert not folder.exists()

    refused("PyanNet without a WavLM", "diarizen-tiny")
    refused("nowhere", "nowhere")
    refused("can remove at most", wavlm_teacher, sparsity=0.99)
    refused("At most", wavlm_teacher, sparsity=0.99, method="magnitude")
    few = (*QUICK, "trainer.max_epochs=1")
    refused("reaches its target after 1 epochs", wavlm_teacher, options=few)


@pytest.mark.filterwarnings("ignore:The exclusive diarization")
def test_backbone_and_report(wavlm_teacher, database, tmp_path):
    folder = tmp_path / "pruned"
    chosen = plan(wavlm_teacher, database, method="magnitude")
    run_pruning(chosen, folder, silent)
    lines = write_backbone(folder)
    assert lines[0].endswith("for WavLM.from_pretrained and DiariZen")
    assert "Not written: layout of Hugging Face" in lines[1]
    wavlm = WavLM.from_pretrained(folder / "backbone" / "pytorch_model.bin")
    assert wavlm.config == load_model(folder / "model").wavlm_model.config
    described = json.loads((folder / "backbone" / "pruned_config.json").read_text())
    assert described["wavlm_current_params"] == f"{num_parameters(wavlm.config):,}"

    described = describe_sparsity(chosen, folder)
    assert described.endswith(" of the parameters of WavLM.")
    assert described.startswith(
        f"Removed: {sparsity_of(folder / 'model', folder / 'teacher'):.1%}"
    )
    missed = replace(chosen, method="l0", measure="macs", sparsity=0.9)
    assert "The target was 90.0%: the gates did not settle" in describe_sparsity(
        missed, folder
    )
    report = write_report(chosen, folder)
    assert (folder / "report.md").read_text().strip() in report
    (size,) = [line for line in report.splitlines() if "parameters of WavLM" in line]
    assert f"| {num_parameters(CONFIG):,} | {num_parameters(wavlm.config):,} |" in size
    for row in (
        "MACs of WavLM",
        "times faster",
        "memory of",
        "error rate, development",
    ):
        assert row in report
    assert (folder / "report.png").stat().st_size > 1000
