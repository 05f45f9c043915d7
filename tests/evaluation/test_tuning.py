# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Tuning of a pipeline that detects tones."""

import sys
from collections import Counter
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState
from pyannote.core import Annotation, Segment, Timeline

sys.path.append(str(Path(__file__).parents[1] / "pipelines"))

from tone_model import (
    DURATION,
    SAMPLE_RATE,
    TURNS,
    ToneEmbedding,
    ToneSegmentation,
    count_passes,
    tones,
)
from tone_pipeline import tone_plda

from pyannote_diarizen.evaluation.study import choose_trial, open_storage, open_study
from pyannote_diarizen.evaluation.tuning import Tuning
from pyannote_diarizen.pipelines import DiariZen

START = {
    "segmentation": {"min_duration_off": 0.0},
    "clustering": {"method": "centroid", "min_cluster_size": 1, "threshold": 2.0},
}


def pipeline(**options) -> DiariZen:
    """Pipeline whose hyper-parameters make one speaker of all."""
    usual = {
        "segmentation": ToneSegmentation().eval(),
        "embedding": ToneEmbedding().eval(),
        "clustering": "AgglomerativeClustering",
        "segmentation_step": 0.25,
    }
    built = DiariZen(**{**usual, **options})
    return built.instantiate(START)


def recording(uri: str) -> dict:
    """Annotated conversation of three tones."""
    reference = Annotation(uri=uri)
    for track, (start, end, speaker) in enumerate(TURNS):
        reference[Segment(start, end), track] = f"tone{speaker}"
    return {
        "uri": uri,
        "waveform": tones(TURNS, DURATION),
        "sample_rate": SAMPLE_RATE,
        "annotation": reference,
        "annotated": Timeline([Segment(0, DURATION)]),
    }


def new_study(tuning: Tuning, **options) -> optuna.Study:
    conditions = tuning.conditions
    return open_study(None, "s", tuning.objectives, conditions, seed=1, **options)


@pytest.fixture
def passes(monkeypatch) -> Counter:
    return count_passes(monkeypatch)


@pytest.mark.parametrize("powerset", [True, False])
def test_networks_run_once(passes, powerset):
    segmentation = ToneSegmentation(powerset=powerset).eval()
    built = pipeline(segmentation=segmentation)
    if not powerset:
        built.instantiate({"segmentation": {"threshold": 0.5}})
    tuning = Tuning(built, [recording("a"), recording("b")])
    assert list(tuning.run_networks()) == ["a", "b"]
    before = dict(passes)
    assert set(before) == {"ToneSegmentation", "ToneEmbedding"}
    study = new_study(tuning)
    trials = list(tuning.run_trials(study, 3))
    assert passes == before
    assert len(trials) == len(study.trials) == 3
    assert not built.training
    assert all("segmentation>threshold" not in trial.params for trial in trials)


def test_it_begins_with_what_the_pipeline_has_and_finds_better():
    tuning = Tuning(pipeline(), [recording("a")], count_speakers=True)
    assert tuning.objectives == ["diarization error rate", "speaker count error"]
    study = new_study(tuning)
    assert tuning.first_trial(study) is None
    trials = list(tuning.run_trials(study, 12))
    assert tuning.first_trial(study) == trials[0]
    assert tuning.hyper_parameters(trials[0]) == START
    assert trials[0].values[1] == 1
    best = choose_trial(study)
    assert best.values[0] < 0.02
    assert best.values[1] == 0
    assert tuning.result(best) == {
        "trial": best.number,
        "diarization error rate": best.values[0],
        "speaker count error": 0,
    }
    tuned = pipeline().instantiate(tuning.hyper_parameters(best))
    output = tuned({**recording("a"), "annotation": None})
    assert len(output.speaker_diarization.labels()) == 3


def test_a_grid_comes_after_the_initial_values():
    tuning = Tuning(pipeline(), [recording("a")])
    tuning.pipeline.freeze(
        {"clustering": {"method": "centroid", "min_cluster_size": 1}}
    )
    tuning.pipeline.instantiate(START)
    study = new_study(tuning, sampler="grid")
    first, *grid = tuning.run_trials(study, 5, grid=True)
    assert first.params["clustering>threshold"] == 2.0
    points = [tuple(trial.params.values()) for trial in grid]
    assert len(set(points)) == 4
    values = [sorted(set(each)) for each in zip(*points, strict=True)]
    assert list(map(len, values)) == [2, 2]
    again = list(tuning.run_trials(study, 6, grid=True))
    assert len(again) == 1  # the points are known


def test_folds_hold_files_out():
    tuning = Tuning(pipeline(), [recording(uri) for uri in "abcd"])
    study = new_study(tuning)
    trials = list(tuning.run_trials(study, 8))
    best = min(trial.values[0] for trial in trials)
    held_out = tuning.held_out(study, 2)
    # the files are equal: each fold chooses the best trial
    assert held_out == pytest.approx(best)
    # a trial that is perfect on the first fold, and wrong on the second
    parts = [dict(each) for each in trials[0].user_attrs["errors of each file"]]
    for number, part in enumerate(parts):
        wrong = 0.0 if number % 2 == 0 else part["total"]
        part |= {"confusion": 0.0, "false alarm": 0.0, "missed detection": wrong}
    trial = optuna.trial.create_trial(
        value=0.5,
        params=trials[0].params,
        distributions=trials[0].distributions,
        user_attrs={"errors of each file": parts},
    )
    study.add_trial(trial)
    assert tuning.held_out(study, 2) == pytest.approx((1 + best) / 2)
    with pytest.raises(ValueError, match="between 2 and 4, the number of files, got 5"):
        tuning.held_out(study, 5)


def test_it_goes_on_up_to_the_number_of_trials():
    tuning = Tuning(pipeline(), [recording("a")])
    study = new_study(tuning)
    assert len(list(tuning.run_trials(study, 2))) == 2
    again = Tuning(pipeline(), [recording("a")])
    assert again.conditions == tuning.conditions
    assert len(list(again.run_trials(study, 3))) == 1
    assert not list(again.run_trials(study, 3))
    assert Tuning(pipeline(), [recording("b")]).conditions != tuning.conditions
    for options in (
        {"max_speakers": 2},
        {"clustering_options": {"min_active_ratio": 0.3}},
    ):
        other = Tuning(pipeline(**options), [recording("a")])
        assert other.conditions["pipeline"] != tuning.conditions["pipeline"]


def test_machines_that_share_a_storage_share_the_work(tmp_path):
    workers = []
    for seed in (1, 2):
        tuning = Tuning(pipeline(), [recording("a")])
        storage = open_storage(tmp_path / "shared.journal")
        conditions = tuning.conditions
        study = open_study(storage, "s", tuning.objectives, conditions, seed=seed)
        workers.append(tuning.run_trials(study, 6))
    done = [[trial.number for trial in both] for both in zip(*workers, strict=True)]
    assert done == [[0, 1], [2, 3], [4, 5]]
    assert len(study.trials) == 6
    assert sum(trial.params == study.trials[0].params for trial in study.trials) == 1


def test_a_study_is_of_one_pipeline():
    def made_of(**options) -> str:
        return Tuning(pipeline(**options), [recording("a")]).conditions["pipeline"]

    segmentation, embedding = ToneSegmentation().eval(), ToneEmbedding().eval()
    segmentation.basis *= 2
    embedding.basis *= 2
    others = [
        {"segmentation": segmentation},
        {"embedding": embedding},
        {"plda": tone_plda()},
        {"segmentation_step": 0.5},
    ]
    assert made_of() == made_of()
    assert len({made_of(), *(made_of(**other) for other in others)}) == 5


def test_trials_are_pruned():
    class After(optuna.pruners.BasePruner):
        def prune(self, study, trial):
            return trial.number > 0

    tuning = Tuning(pipeline(), [recording("a"), recording("b")])
    study = new_study(tuning)
    study.pruner = After()
    first, second = tuning.run_trials(study, 2)
    assert first.state == TrialState.COMPLETE
    assert second.state == TrialState.PRUNED
    assert list(first.intermediate_values) == [0, 1]
    assert list(second.intermediate_values) == [0]


def test_an_interrupted_trial_is_not_finished(monkeypatch):
    tuning = Tuning(pipeline(), [recording("a")])
    study = new_study(tuning)

    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(DiariZen, "apply", interrupt)
        with pytest.raises(KeyboardInterrupt):
            list(tuning.run_trials(study, 2))
    assert [trial.state for trial in study.trials] == [TrialState.FAIL]
    assert len(list(tuning.run_trials(study, 2))) == 2


def test_frozen_hyper_parameters_stay(passes):
    built = pipeline().freeze({"clustering": {"method": "average"}})
    tuning = Tuning(
        built.instantiate({"clustering": {"method": "average"}}), [recording("a")]
    )
    (trial, *_) = tuning.run_trials(new_study(tuning), 2)
    assert tuning.hyper_parameters(trial)["clustering"]["method"] == "average"
    assert "clustering>method" not in trial.params


def test_what_cannot_be_tuned_on():
    silent = recording("a") | {"annotated": Timeline([Segment(DURATION, 99)])}
    with pytest.raises(ValueError, match="No file has speech in its annotated part"):
        Tuning(pipeline(), [silent, recording("b") | {"annotation": Annotation("b")}])
    with pytest.raises(ValueError, match="no file to tune on"):
        Tuning(pipeline(), [])
    unlabelled = {**recording("talk"), "annotation": None}
    with pytest.raises(ValueError, match="'talk' has no annotation"):
        Tuning(pipeline(), [unlabelled])


def test_another_process_reads_kept_outputs(tmp_path, monkeypatch):
    first = Tuning(pipeline(), [recording("a"), recording("b")])
    assert list(first.run_networks(tmp_path)) == ["a", "b"]
    passes = count_passes(monkeypatch)
    second = Tuning(pipeline(), [recording("a"), recording("b")])
    list(second.run_networks(tmp_path))
    studies = []
    for tuning in (first, second):
        study = open_study(None, "trial", tuning.objectives, tuning.conditions, seed=0)
        list(tuning.run_trials(study, 3))
        studies.append([trial.values for trial in study.trials])
    assert studies[0] == studies[1]
    assert not passes
    # other settings: files are replaced
    third = Tuning(pipeline(median_filter=3), [recording("a")])
    list(third.run_networks(tmp_path))
    assert passes["ToneSegmentation"]
