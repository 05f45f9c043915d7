# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Tune the hyper-parameters of a pipeline on annotated files.

Networks run once; trials only cluster. `Optimizer` of pyannote.pipeline does that, too,
but has no shared storage, no progress and no check that a study belongs to the pipeline
and files: this module uses Optuna directly.
"""

import hashlib
import json
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import FixedTrial, FrozenTrial, TrialState
from pyannote.audio import Pipeline
from pyannote.core import Annotation, Timeline
from pyannote.database.util import get_annotated
from pyannote.metrics.base import BaseMetric
from torch import nn

from pyannote_diarizen.atomic import recording_path
from pyannote_diarizen.clustering.plda import PLDA
from pyannote_diarizen.corpora.protocols import merge_turns
from pyannote_diarizen.evaluation.metrics import SpeakerCountError
from pyannote_diarizen.evaluation.study import enqueue_grid, finished_trials
from pyannote_diarizen.models.checkpoint import fingerprint
from pyannote_diarizen.pipelines.diarizen import DiariZen
from pyannote_diarizen.pipelines.features import SUFFIX
from pyannote_diarizen.pipelines.files import without_reference

_PARTS = "errors of each file"


@dataclass(frozen=True)
class AnnotatedFile:
    """A file to tune on.

    Parameters
    ----------
    shown : dict
        File without reference, in which the pipeline keeps outputs of the networks.
    reference : Annotation
        True turns of speakers.
    annotated : Timeline
        Annotated part of the file.
    """

    shown: dict[str, Any]
    reference: Annotation
    annotated: Timeline

    @classmethod
    def from_protocol(cls, file: Mapping[str, Any]) -> "AnnotatedFile":
        """Build from a file of a protocol; a `ValueError` if it has no annotation."""
        if file.get("annotation") is None:
            raise ValueError(
                f"File '{file['uri']}' has no annotation: tune on annotated files."
            )
        reference = merge_turns(file["annotation"])
        return cls(without_reference(file), reference, get_annotated(file))


class Tuning:
    """Search for the hyper-parameters with the lowest error.

    Parameters
    ----------
    pipeline : Pipeline
        Pipeline with initial hyper-parameters. Frozen ones are kept, as well as
        `segmentation.threshold`, on which embeddings depend.
    files : iterable of Mapping
        Files of a pyannote.database protocol.
    count_speakers : bool, optional
        Minimize the speaker count error, too. Defaults to False: only the metric of
        the pipeline, by default the diarization error rate.

    Examples
    --------
    >>> tuning = Tuning(pipeline, protocol.development())       # doctest: +SKIP
    >>> for file in tuning.run_networks():                      # doctest: +SKIP
    ...     print(file)
    >>> study = open_study(                                     # doctest: +SKIP
    ...     None, "trial", tuning.objectives, tuning.conditions
    ... )
    >>> for trial in tuning.run_trials(study, 100):             # doctest: +SKIP
    ...     print(trial.values)
    >>> best = tuning.hyper_parameters(choose_trial(study))     # doctest: +SKIP
    """

    def __init__(
        self,
        pipeline: Pipeline,
        files: Iterable[Mapping[str, Any]],
        count_speakers: bool = False,
    ) -> None:
        self.pipeline = pipeline
        self.files = [AnnotatedFile.from_protocol(file) for file in files]
        if not self.files:
            raise ValueError("There is no file to tune on.")
        if not any(file.reference.crop(file.annotated) for file in self.files):
            raise ValueError(
                "No file has speech in its annotated part, so that any result would "
                "have the same error rate: see whether annotations are those of the "
                "files."
            )
        self.count_speakers = count_speakers
        if not pipeline.instantiated:
            pipeline.instantiate(pipeline.default_parameters())
        self.start = pipeline.parameters(instantiated=True)
        threshold = self.start.get("segmentation", {}).get("threshold")
        if threshold is not None:
            pipeline.freeze({"segmentation": {"threshold": threshold}})
            pipeline.instantiate(self.start)

    @property
    def objectives(self) -> list[str]:
        """Names of the metrics to minimize."""
        return [metric.name for metric in self._metrics()]

    @property
    def conditions(self) -> dict[str, Any]:
        """Settings besides hyper-parameters on which results depend, as JSON values."""
        flatten = self.pipeline._flatten
        names = sorted(file.shown["uri"] for file in self.files)
        return {
            "files": hashlib.sha256(json.dumps(names).encode()).hexdigest()[:16],
            "pipeline": _digest(self.pipeline)[:16],
            "hyper-parameters": sorted(flatten(self.pipeline.parameters())),
        }

    def run_networks(self, keep: Path | None = None) -> Iterator[str]:
        """Run the networks on all files, and keep their outputs in memory.

        Parameters
        ----------
        keep : Path, optional
            Folder of features, so that a second call in another process runs no
            network. Other pipelines than `DiariZen` keep nothing.

        Yields
        ------
        uri : str
            Name of each processed file.
        """
        for file in self.files:
            uri = file.shown["uri"]
            if keep is not None and isinstance(self.pipeline, DiariZen):
                path = recording_path(keep, uri, SUFFIX)
                with self._training():
                    self.pipeline.run_networks(file.shown, path)
            else:
                self._process(file)
            yield uri

    def run_trials(
        self, study: optuna.Study, num_trials: int, grid: bool = False
    ) -> Iterator[FrozenTrial]:
        """Run trials, the first one with the initial hyper-parameters.

        Parameters
        ----------
        study : optuna.Study
            Study that stores the trials.
        num_trials : int
            Number of finished trials of the study at the end, including the trials of
            other machines.
        grid : bool, optional
            Run the trials of a grid before those of the sampler. Defaults to False.

        Yields
        ------
        trial : FrozenTrial
            Completed or pruned trial.
        """
        # the initial values are the baseline that the result is compared with
        study.enqueue_trial(self.pipeline._flatten(self.start), skip_if_exists=True)
        if grid:
            enqueue_grid(study, self._distributions(), num_trials - 1)
        while len(finished_trials(study)) < num_trials:
            trial = study.ask()
            try:
                values = self._evaluate(trial, study)
            except optuna.TrialPruned:
                yield study.tell(trial, state=TrialState.PRUNED)
            except BaseException:
                study.tell(trial, state=TrialState.FAIL)
                raise
            else:
                yield study.tell(trial, values)

    def hyper_parameters(self, trial: FrozenTrial) -> dict[str, Any]:
        """Hyper-parameters of a trial, in the format of `pipeline.instantiate`."""
        return self._values(FixedTrial(trial.params))

    def first_trial(self, study: optuna.Study) -> FrozenTrial | None:
        """Trial of the initial hyper-parameters, if complete."""
        start = self.pipeline._flatten(self.start).items()
        trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        return next((t for t in trials if t.params.items() <= start), None)

    def result(self, trial: FrozenTrial) -> dict[str, Any]:
        """Describe a trial: its number and its values."""
        values = dict(zip(self.objectives, trial.values, strict=True))
        return {"trial": trial.number, **values}

    def held_out(self, study: optuna.Study, num_folds: int) -> float:
        """Cross-validate the choice of a trial over files.

        For each fold of files, the trial with the lowest error on the other folds is
        evaluated on this fold.

        Parameters
        ----------
        study : optuna.Study
        num_folds : int
            At least 2, at most the number of files.

        Returns
        -------
        error : float
            Metric of the pipeline over all folds.

        Raises
        ------
        ValueError
            If there are more folds than files, or no complete trial.
        """
        if not 2 <= num_folds <= len(self.files):
            raise ValueError(
                f"The number of folds should be between 2 and {len(self.files)}, the "
                f"number of files, got {num_folds}."
            )
        complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        trials = [t.user_attrs[_PARTS] for t in complete if _PARTS in t.user_attrs]
        if not trials:
            raise ValueError("No complete trial has the errors of each file.")
        metric = self.pipeline.get_metric()
        kept: list[Mapping[str, float]] = []
        for fold in range(num_folds):
            # the trial that is best on all files but those of the fold
            errors = [
                _error(
                    metric, [p for n, p in enumerate(parts) if n % num_folds != fold]
                )
                for parts in trials
            ]
            best = trials[errors.index(min(errors))]
            kept += best[fold::num_folds]
        return _error(metric, kept)

    def _distributions(self) -> Mapping[str, BaseDistribution]:
        """Range of each hyper-parameter, by name."""
        trial = optuna.create_study().ask()
        self._values(trial)
        return trial.distributions

    def _evaluate(self, trial: optuna.Trial, study: optuna.Study) -> list[float]:
        """Values of the objectives over all files."""
        self.pipeline.instantiate(self._values(trial))
        metrics = self._metrics()
        parts = []
        # intermediate values of the first files let the pruner stop a poor trial
        for step, file in enumerate(self.files):
            hypothesis = self._process(file)
            for metric in metrics:
                found = metric(
                    file.reference, hypothesis, uem=file.annotated, detailed=True
                )
                if metric is metrics[0]:
                    parts.append({c: float(found[c]) for c in metric.components_})
            if len(metrics) == 1:  # Optuna prunes by one objective
                trial.report(abs(metrics[0]), step)
                if trial.should_prune():
                    raise optuna.TrialPruned
        trial.set_user_attr(_PARTS, parts)
        return [abs(metric) for metric in metrics]

    def _values(self, trial: optuna.Trial | FixedTrial) -> dict[str, Any]:
        with warnings.catch_warnings():
            # pyannote.pipeline 4.1 calls deprecated methods of Optuna
            warnings.filterwarnings("ignore", "suggest_", FutureWarning)
            return self.pipeline.parameters(trial=trial)

    def _process(self, file: AnnotatedFile) -> Annotation:
        with self._training():
            output = self.pipeline(file.shown)
        return getattr(output, "speaker_diarization", output)

    @contextmanager
    def _training(self) -> Iterator[None]:
        """Set the mode in which pipelines keep the outputs of networks."""
        was_training = self.pipeline.training
        self.pipeline.training = True
        try:
            yield
        finally:
            self.pipeline.training = was_training

    def _metrics(self) -> list[BaseMetric]:
        counts = [SpeakerCountError()] if self.count_speakers else []
        return [self.pipeline.get_metric(), *counts]


def _error(metric: BaseMetric, parts: Iterable[Mapping[str, float]]) -> float:
    """Error of several files, from the components of a metric in each."""
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return float(metric.compute_metric(dict(total)))


def _digest(pipeline: Pipeline) -> str:
    """Digest of the networks, settings and PLDA of a pipeline."""
    networks = [*pipeline._models.values(), *pipeline._inferences.values()]
    # their attribute is `model` in an inference, `model_` in an embedding
    models = [getattr(n, "model", getattr(n, "model_", n)) for n in networks]
    parts = [fingerprint(m) for m in models if isinstance(m, nn.Module)]
    names = ("klustering", "clustering_options", "min_speakers", "max_speakers")
    settings = [getattr(pipeline, name, None) for name in ("_feature_settings", *names)]
    parts.append(repr(settings))
    plda = getattr(pipeline, "_plda", None)
    if isinstance(plda, PLDA):
        arrays = vars(plda.parameters).values()
        parts += [hashlib.sha256(array.tobytes()).hexdigest() for array in arrays]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
