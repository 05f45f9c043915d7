# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Requested number of speakers: refusals, and the number in the output."""

import pytest

from pyannote_diarizen.pipelines import DiariZen


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"num_speakers": 0}, "num_speakers"),
        ({"min_speakers": True}, "min_speakers"),
        ({"max_speakers": 2.5}, "max_speakers"),
        ({"num_speakers": 2, "max_speakers": 1}, "max_speakers"),
    ],
)
def test_impossible_numbers_are_refused_before_a_network_runs(
    build, conversation, passes, options, name
):
    with pytest.raises((TypeError, ValueError), match=f"`{name}`"):
        build()(conversation, **options)
    assert not passes


def test_contradictions_are_refused_in_a_second_clustering(build, conversation):
    pipeline = build()
    output = pipeline(conversation)
    with pytest.raises(ValueError, match="`min_speakers` should be at most"):
        pipeline.recluster(output, 2, 6)


def test_second_positional_argument_is_refused(build, conversation, passes):
    with pytest.raises(TypeError, match="num_speakers=2, got 2 as second"):
        build()(conversation, 2)
    assert not passes


@pytest.mark.parametrize("expected", ["four", float("nan"), float("inf"), 0])
def test_expected_number_is_checked(build, conversation, passes, expected):
    file = {**conversation, "expected_speakers": expected}
    with pytest.raises((TypeError, ValueError), match="`expected_speakers`"):
        build()(file)
    assert not passes
    options = {"expected_clusters": expected}
    with pytest.raises((TypeError, ValueError), match="`expected_speakers`"):
        build(clustering_options=options)


def test_bounds_of_the_configuration_are_checked_before_a_model_is_loaded():
    with pytest.raises(ValueError, match="`min_speakers` should be at most"):
        DiariZen("absent", "absent", min_speakers=3, max_speakers=2)
    with pytest.raises(TypeError, match="`max_speakers`"):
        DiariZen("absent", "absent", max_speakers="4")
