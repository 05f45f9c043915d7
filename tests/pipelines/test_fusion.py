# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Pipelines side by side, fused by DOVER-Lap."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import optuna
import pytest
import soundfile
import torch
import yaml
from pyannote.audio import Audio, Pipeline
from pyannote.core import Annotation, Segment, Timeline

from pyannote_diarizen.evaluation.study import choose_trial, open_study
from pyannote_diarizen.evaluation.tuning import Tuning
from pyannote_diarizen.pipelines import DiariZen, Fusion
from pyannote_diarizen.pipelines.fusion import fuse_annotations


class Fixed(Pipeline):
    """One speaker, always at the same time."""

    def __init__(self, start: float, end: float) -> None:
        super().__init__()
        self.start, self.end, self.calls = start, end, []

    def apply(
        self, file: Mapping[str, Any], hook: Callable | None = None, **options: Any
    ) -> Annotation:
        self.calls.append((sorted(file), options))
        result = Annotation(uri=file["uri"])
        result[Segment(self.start, self.end)] = f"from {self.start}"
        return result


@pytest.fixture
def file() -> dict:
    reference = Annotation(uri="talk")
    reference[Segment(0, 4)] = "ann"
    return {
        "uri": "talk",
        "waveform": torch.zeros(1, 160000),
        "sample_rate": 16000,
        "annotation": reference,
        "annotated": Timeline([Segment(0, 10)]),
    }


def turns(annotation: Annotation) -> list[tuple]:
    return [
        (turn.start, turn.end, label)
        for turn, _, label in annotation.itertracks(yield_label=True)
    ]


def test_pipelines_vote_and_do_not_get_the_reference(file):
    systems = [Fixed(0, 4), Fixed(0, 5), Fixed(0, 5)]
    fusion = Fusion(systems)
    assert turns(fusion(file, num_speakers=2, max_speakers=None)) == [
        (0, 5, "SPEAKER_00")
    ]
    (call,) = systems[0].calls
    assert call == (["sample_rate", "uri", "waveform"], {"num_speakers": 2})


def test_pipelines_of_the_host_get_the_chosen_channel(tmp_path):
    class Counting(Fixed):
        def apply(self, file: Mapping[str, Any], **options: Any) -> Annotation:
            waveform, _ = Audio(mono="downmix")(file)
            samples.append(waveform.tolist())
            return super().apply(file, **options)

    samples: list = []
    stereo = np.tile(np.float32([0.25, 0.5]), (4, 1))  # (num_samples, num_channels)
    soundfile.write(tmp_path / "a.wav", stereo, 16000)
    fusion = Fusion([Counting(0, 1), Counting(0, 1)])
    fusion({"uri": "a", "audio": tmp_path / "a.wav", "channel": 1})
    assert samples == [[[0.5] * 4]] * 2


def test_weights_are_tuned_while_pipelines_run_once(file):
    systems = [Fixed(0, 4), Fixed(0, 6), Fixed(0, 6)]
    tuning = Tuning(Fusion(systems, weighted=True), [file])
    assert list(tuning.run_networks()) == ["talk"]
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = open_study(None, "fusion", tuning.objectives, tuning.conditions, seed=1)
    values = [trial.values for trial in tuning.run_trials(study, 20)]
    assert values[0] == [0.5]  # equal weights: 2 s of false alarm
    assert choose_trial(study).values == [0.0]
    assert len(systems[0].calls) == 1
    weights = tuning.hyper_parameters(choose_trial(study))["weights"]
    assert weights["system_1"] > weights["system_2"] + weights["system_3"]


def test_studies_of_other_pipelines_differ(file):
    conditions = [
        Tuning(Fusion([Fixed(0, 4), Fixed(0, end)], True), [file]).conditions
        for end in (5, 5, 6)
    ]
    assert conditions[0] == conditions[1] != conditions[2]


def test_a_configuration_names_pipelines(folder, tmp_path, conversation):
    config = {
        "pipeline": {
            "name": "pyannote_diarizen.pipelines.Fusion",
            "params": {"pipelines": [str(folder), str(folder)], "weighted": True},
        },
        "params": {"weights": {"system_1": 0.5, "system_2": 0.25}},
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    fusion = Pipeline.from_pretrained(tmp_path / "config.yaml")
    assert fusion.parameters(instantiated=True) == config["params"]
    single = DiariZen.from_pretrained(folder)
    expected = turns(single(conversation).speaker_diarization)
    found = turns(fusion(conversation))
    assert [turn[:2] for turn in found] == [turn[:2] for turn in expected]


def test_bundled_pipelines_are_found_by_name():
    with pytest.raises(ValueError, match="two pipelines or more, got 'diarizen-tiny'"):
        Fusion("diarizen-tiny")
    fusion = Fusion([Fixed(0, 1), "diarizen-tiny"]).to(torch.device("cpu"))
    assert isinstance(fusion.systems[1], DiariZen)


def test_speakers_are_named_in_the_order_of_their_first_turn():
    given = Annotation(uri="x")
    given[Segment(5, 6)], given[Segment(0, 2)], given[Segment(1, 3)] = "a", "b", "b"
    assert turns(fuse_annotations([given, given])) == [
        (0, 3, "SPEAKER_00"),
        (5, 6, "SPEAKER_01"),
    ]
    assert turns(fuse_annotations([Annotation(), Annotation()], uri="x")) == []
