# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Outputs of the networks are kept while a pipeline is tuned."""

import pytest
from pyannote.core import Annotation, Segment, Timeline
from pyannote.database import ProtocolFile
from pyannote.pipeline import Optimizer
from tone_model import DURATION, TURNS, ToneSegmentation, tones


@pytest.mark.parametrize("preprocessors", [None, {"extra": lambda file: "x"}])
@pytest.mark.parametrize("wrap", [dict, ProtocolFile])
def test_tuning_runs_the_networks_once(
    build, conversation, passes, preprocessors, wrap
):
    pipeline = build()
    if preprocessors is not None:
        pipeline.preprocessors = preprocessors
    pipeline.training = True
    # the second speaker's blip of 40 ms is filtered out before caching
    conversation["waveform"] = tones([*TURNS, (6.4, 6.44, 1)], DURATION)
    file = wrap(conversation)
    first = pipeline(file)
    assert isinstance(first, Annotation)
    before = dict(passes)
    assert set(before) == {"ToneSegmentation", "ToneEmbedding"}
    assert pipeline(file) == first
    assert passes == before


def test_tuning_extracts_embeddings_again_when_the_threshold_changes(
    build, conversation, passes
):
    pipeline = build(segmentation=ToneSegmentation(powerset=False).eval())
    pipeline.training = True
    pipeline(conversation)
    before = dict(passes)
    pipeline(conversation)
    assert passes == before
    pipeline.instantiate({"segmentation": {"threshold": 0.7}})
    pipeline(conversation)
    assert passes["ToneSegmentation"] == before["ToneSegmentation"]
    assert passes["ToneEmbedding"] > before["ToneEmbedding"]


def test_cache_is_for_tuning_only(build, conversation):
    build()(conversation)
    assert not [key for key in conversation if key.startswith("training_cache")]


def test_optimizer_tunes_it(build, conversation, reference):
    pipeline = build()
    annotated = Timeline([Segment(0, DURATION)])
    file = {**conversation, "annotation": reference, "annotated": annotated}
    optimizer = Optimizer(pipeline)
    result = optimizer.tune([file], n_iterations=2, show_progress=False)
    assert 0 <= result["loss"] < 1
    assert set(result["params"]["clustering"]) == {"threshold", "Fa", "Fb"}
