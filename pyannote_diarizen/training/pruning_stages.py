# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Pruning of a segmentation model: stages that are runs in one folder.

Each stage is a training that resumes from its last checkpoint, and ends with a file
that is written in one step. The same call goes on after an interruption at any point.

| folder | content |
|---|---|
| `teacher/` | model before pruning |
| `gates/`, `pruned/` | first stage (see `tasks.DistillationPruning`), and its result |
| `distil/` | second stage: its average is the pruned model, distilled |
| `train/` | last stage: training on labels |
| `model/`, `pipeline/` | result, and pipeline with it if the source is one |
"""

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from hydra import compose, initialize_config_dir
from lightning.pytorch import Callback
from omegaconf import DictConfig
from pyannote.audio.core.model import Model

from pyannote_diarizen.atomic import expand_home, write_file
from pyannote_diarizen.hub.bundled import is_model
from pyannote_diarizen.models.checkpoint import WEIGHTS, load_model, save_model
from pyannote_diarizen.resources import resource_folder
from pyannote_diarizen.tasks.distillation_pruning import check_sparsity
from pyannote_diarizen.tasks.wavlm_distillation import find_wavlm
from pyannote_diarizen.training.averaging import (
    AVERAGE,
    NUM_AVERAGED,
    average_pruned,
    average_run,
    kept_epochs,
)
from pyannote_diarizen.training.checkpoints import CHECKPOINTS
from pyannote_diarizen.training.configuration import register_components
from pyannote_diarizen.training.packaging import package, trained_model
from pyannote_diarizen.training.pretrained import load_pretrained
from pyannote_diarizen.training.pruning_callbacks import (
    Hook,
    ImportanceSum,
    StageProgress,
)
from pyannote_diarizen.training.run import Run, assemble
from pyannote_diarizen.training.run_folder import write_start
from pyannote_diarizen.wavlm import WavLM, prune
from pyannote_diarizen.wavlm.cost import Measure
from pyannote_diarizen.wavlm.pruning import is_pruned
from pyannote_diarizen.wavlm.ranking import magnitudes, prune_lowest

Method = Literal["l0", "magnitude", "importance"]
STAGES = ("gates", "distil", "train")
PLAN = "prune.yaml"
NUM_SCORED = 16
"""Number of batches that importance is measured on."""

_RECIPES = {768: "base-s80", 1024: "large-s80"}
"""Recipe of each dimension of WavLM; "tiny" for others."""
_TRAINER = (
    "trainer.devices=1",  # each other process would start the whole command again
    "+trainer.enable_progress_bar=false",
    "+trainer.enable_model_summary=false",
)


@dataclass(frozen=True)
class Pruning:
    """Plan of a pruning.

    Parameters
    ----------
    source : str
        Model or pipeline to prune, see `load_pretrained`; or folder of a run.
    protocol : str, optional
        Protocol to train on. Magnitude needs none.
    database : str, optional
        File `database.yml` that defines it.
    sparsity : float, optional
        Share of WavLM to remove. Defaults to 0.8.
    measure : {"parameters", "macs"}, optional
        What `sparsity` is a share of. Defaults to "parameters".
    method : {"l0", "magnitude", "importance"}, optional
        "l0" trains in three stages; the others do not train, see `wavlm.ranking`.
        Defaults to "l0".
    exact : bool, optional
        Rule that removes units, see `wavlm.prune`. Defaults to False.
    again : bool, optional
        Whether the model may have been pruned before. Defaults to False.
    recipe : str, optional
        Stages in `hparams/prune/`, as in "base-s80". Defaults to the one of the size of
        the model.
    options : sequence of str, optional
        Options of `pyannote-audio-train`: "NAME=VALUE" for all stages,
        "STAGE:NAME=VALUE" for one, "gates", "distil" or "train".

    Raises
    ------
    ValueError
        If a value is out of range.
    """

    source: str
    protocol: str | None = None
    database: str | None = None
    sparsity: float = 0.8
    measure: Measure = "parameters"
    method: Method = "l0"
    exact: bool = False
    again: bool = False
    recipe: str | None = None
    options: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Check values."""
        check_sparsity(self.sparsity)
        if self.method not in get_args(Method):
            known = ", ".join(get_args(Method))
            raise ValueError(f"`method` should be one of {known}, got '{self.method}'.")
        if self.protocol is None and self.method != "magnitude":
            raise ValueError(
                f"Method '{self.method}' needs a protocol to train on: name one, or "
                "use the method 'magnitude'."
            )


def run_pruning(plan: Pruning, into: Path, hook: Hook) -> Path:
    """Prune, from where a former call was interrupted.

    Parameters
    ----------
    plan : Pruning
    into : Path
        Folder of stages and result.
    hook : callable
        See `Hook`.

    Returns
    -------
    model : Path
        Checkpoint of the pruned model.

    Raises
    ------
    OSError
        If a file does not exist, or `into` holds another pruning.
    ValueError
        If the model cannot be pruned so.
    """
    into = expand_home(into)
    teacher = into / "teacher" / WEIGHTS
    is_new = _check_folder(plan, into)
    if not teacher.is_file():
        model = _load_source(plan)
        _write_plan(plan, into)
        save_model(model, teacher)
    stages = _Stages(plan, into, load_model(teacher), hook)
    try:
        result = stages.train() if plan.method == "l0" else stages.rank()
    except (OSError, ValueError):
        # refused: the same folder may be tried with other options
        if is_new and not any(into.rglob("*.ckpt")):
            shutil.rmtree(into)
        raise
    final = into / "model" / WEIGHTS
    if not final.is_file():
        save_model(load_model(result), final)
    pipeline = into / "pipeline"
    if not is_segmentation(plan.source) and not pipeline.exists():
        package(final, pipeline, plan.source)
    return final


def _check_folder(plan: Pruning, into: Path) -> bool:
    """Refuse a folder of another pruning, or of anything else; whether it is new."""
    path = into / PLAN
    if not path.is_file():
        if into.exists() and (not into.is_dir() or any(into.iterdir())):
            raise FileExistsError(
                f"'{into}' exists and holds no pruning: choose another folder."
            )
        return True
    former = yaml.safe_load(path.read_text(encoding="utf-8"))
    changed = [
        f"{name}={value}"
        for name, value in _plain(plan).items()
        if former.get(name) != value
    ]
    if changed:
        raise FileExistsError(
            f"'{into}' holds a pruning with other options than {', '.join(changed)}: "
            "repeat its command to go on with it, or choose another folder."
        )
    return False


def _plain(plan: Pruning) -> dict[str, Any]:
    return {**asdict(plan), "options": list(plan.options)}


def _write_plan(plan: Pruning, into: Path) -> None:
    write_file(yaml.safe_dump(_plain(plan), sort_keys=False), into / PLAN)


def is_segmentation(source: str) -> bool:
    """Whether a source is a model or the folder of a run, rather than a pipeline."""
    return is_model(source) or (expand_home(source) / CHECKPOINTS).is_dir()


def _load_source(plan: Pruning) -> Model:
    """Load the model, and check that it can be pruned."""
    path = expand_home(plan.source)
    is_run = (path / CHECKPOINTS).is_dir()
    model = load_pretrained(str(trained_model(path)) if is_run else plan.source)
    config = find_wavlm(model, "model").config
    if config.has_gates:
        raise ValueError(
            f"'{plan.source}' has gates: it is a checkpoint of the first stage. Give "
            "the model that this stage started from."
        )
    if is_pruned(config) and not plan.again:
        raise ValueError(
            f"'{plan.source}' was pruned already; the sparsity would be a share of "
            "what is left. Use --again to prune it further."
        )
    return model


def replace_wavlm(model: Model, wavlm: WavLM) -> Model:
    """Replace the WavLM of a model, in place, hyper-parameters included."""
    model.wavlm_model = wavlm
    model.hparams["wavlm"] = wavlm.config.to_dict()
    return model


def prune_run(run: Path, path: Path, exact: bool = False) -> None:
    """Average the epochs of a first stage, and write the model without closed units.

    Parameters
    ----------
    run : Path
        Folder of the run, see `average_pruned`.
    path : Path
        File to write.
    exact : bool, optional
        See `wavlm.prune`. Defaults to False.

    Raises
    ------
    ValueError
        If the model of the run has no gates.
    """
    model = average_pruned(run)
    save_model(replace_wavlm(model, prune(find_wavlm(model, "model"), exact)), path)


class _Stages:
    """Stages of a pruning, each of them skipped if its result exists."""

    def __init__(self, plan: Pruning, into: Path, teacher: Model, hook: Hook) -> None:
        self.plan = plan
        self.into = into
        self.teacher = teacher
        self.hook = hook
        size = teacher.wavlm_model.config.encoder_embed_dim
        self.recipe = plan.recipe or _RECIPES.get(size, "tiny")

    @property
    def _teacher_path(self) -> Path:
        return self.into / "teacher" / WEIGHTS

    def train(self) -> Path:
        """Run the three stages of the method l0; return the checkpoint."""
        pruned = self.into / "pruned" / WEIGHTS
        if not pruned.is_file():
            run = self._fit(
                "gates",
                self._teacher_path,
                f"task.sparsity={self.plan.sparsity}",
                f"task.measure={self.plan.measure}",
            )
            prune_run(run, pruned, self.plan.exact)
        teacher = f"distillation.teacher.name={_quoted(self._teacher_path)}"
        distilled = self._fit_average("distil", pruned, teacher)
        return self._fit_average("train", distilled)

    def rank(self) -> Path:
        """Prune by magnitude or importance; return the checkpoint."""
        pruned = self.into / "pruned" / WEIGHTS
        if not pruned.is_file():
            wavlm = self.teacher.wavlm_model
            is_magnitude = self.plan.method == "magnitude"
            scores = magnitudes(wavlm) if is_magnitude else self._importances()
            smaller = prune_lowest(
                wavlm, scores, self.plan.sparsity, self.plan.measure, self.plan.exact
            )
            save_model(replace_wavlm(self.teacher, smaller), pruned)
        return pruned

    def _importances(self) -> dict[str, Any]:
        """Measure importance by gradients of a training with rate 0."""
        config = self._configure(
            "train",
            self._teacher_path,
            "optimizer.lr=0",
            "optimizer.weight_decay=0",
            "backbone.lr=null",
            f"trainer.max_steps={NUM_SCORED}",
            "trainer.limit_val_batches=0",
            "+trainer.enable_checkpointing=false",
            f"run={_quoted(self.into / 'importance')}",
        )
        config.callbacks = {}  # clipping would change gradients
        run = assemble(config)
        scoring = ImportanceSum()
        _fit_with(run, scoring, StageProgress("importance", self.hook))
        shutil.rmtree(config.run)
        return scoring.total

    def _fit_average(self, stage: str, start: Path, *options: str) -> Path:
        """Run a stage and average its best epochs; return the checkpoint."""
        average = self.into / stage / AVERAGE / WEIGHTS
        if not average.is_file():
            run = self._fit(stage, start, *options)
            average_run(run, num=min(NUM_AVERAGED, len(kept_epochs(run, "loss"))))
        return average

    def _fit(self, stage: str, start: Path, *options: str) -> Path:
        config = self._configure(stage, start, *options)
        if stage == "gates":
            _check_epochs(config)
        run = assemble(config)
        write_start(config, [])
        _fit_with(run, StageProgress(stage, self.hook))
        return Path(config.run)

    def _configure(self, stage: str, start: Path, *options: str) -> DictConfig:
        """Compose the configuration of a stage, as `pyannote-audio-train` does."""
        specifications = self.teacher.specifications
        overrides = [
            f"prune={self.recipe}-{stage}",
            f"protocol={self.plan.protocol}",
            f"run={_quoted(self.into / stage)}",
            f"+pretrained={_quoted(start)}",
            *_TRAINER,
            *_options_of(stage, self.plan.options),
            *options,
        ]
        if specifications.powerset:
            most = specifications.powerset_max_classes
            overrides.append(f"task.max_speakers_per_frame={most}")
        if self.plan.database is not None:
            overrides.append(f"+database={_quoted(self.plan.database)}")
        register_components()
        folder = str(resource_folder("hparams").resolve())
        with initialize_config_dir(folder, version_base="1.3"):
            return compose("config", overrides)


def _fit_with(run: Run, *callbacks: Callback) -> None:
    trainer: Any = run.trainer
    trainer.callbacks += callbacks
    run.fit()


def _check_epochs(config: DictConfig) -> None:
    warm_up = config.task.sparsity_warm_up + config.task.distillation_only
    if config.trainer.max_epochs <= warm_up:
        raise ValueError(
            f"The sparsity reaches its target after {warm_up:g} epochs, but "
            f"trainer.max_epochs={config.trainer.max_epochs}: train for more epochs, "
            "or lower task.sparsity_warm_up."
        )


def _options_of(stage: str, options: Sequence[str]) -> list[str]:
    """Options of all stages and of this one, in their order."""
    others = tuple(f"{name}:" for name in STAGES if name != stage)
    return [
        option.removeprefix(f"{stage}:")
        for option in options
        if not option.startswith(others)
    ]


def _quoted(path: Path | str) -> str:
    """Quote a path for the grammar of Hydra."""
    escaped = str(path).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
