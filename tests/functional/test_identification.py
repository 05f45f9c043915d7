# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Known, unknown and linked speakers, in cases one can check by hand."""

import numpy as np
import numpy.testing as npt
import pytest

from pyannote_diarizen.functional.identification import (
    choose_speakers,
    link_speakers,
    speaker_posteriors,
)


def test_posteriors_follow_bayes():
    ratio = np.log([[30.0, 0.1, 0.4], [1.0, 1.0, 1.0]])
    posteriors = speaker_posteriors(ratio, unknown_prior=0.25)
    # 0.25 for each of four hypotheses: ratios of likelihoods, 1 for the unknown
    npt.assert_allclose(posteriors[0], np.array([30, 0.1, 0.4, 1]) / 31.5)
    npt.assert_allclose(posteriors[1], 0.25)


def test_more_known_speakers_make_each_less_probable():
    few = speaker_posteriors(np.zeros((1, 2)), 0.5)
    many = speaker_posteriors(np.zeros((1, 100)), 0.5)
    npt.assert_allclose([few[0, -1], many[0, -1]], 0.5)
    assert many[0, 0] == pytest.approx(few[0, 0] / 50)


def test_huge_ratios_are_no_trouble():
    posteriors = speaker_posteriors(np.array([[1e5, -1e5]]), 0.5)
    npt.assert_allclose(posteriors, [[1, 0, 0]])


@pytest.mark.parametrize("exclusive", [True, False])
def test_nobody_known_is_unknown(exclusive: bool):
    posteriors = speaker_posteriors(np.zeros((3, 0)), 0.5)
    chosen = choose_speakers(posteriors, 0.5, exclusive)
    npt.assert_array_equal(chosen, [-1, -1, -1])
    assert choose_speakers(posteriors[:0], 0.5, exclusive).shape == (0,)


@pytest.mark.parametrize("exclusive", [True, False])
def test_too_improbable_speakers_are_not_named(exclusive: bool):
    posteriors = np.array([[0.6, 0.1, 0.3], [0.1, 0.8, 0.1]])
    npt.assert_array_equal(choose_speakers(posteriors, 0.7, exclusive), [-1, 1])


def test_exclusive_speakers_are_the_most_probable_together():
    # the first voice would do as either, the second as one of them only
    posteriors = np.array([[0.48, 0.44, 0.08], [0.7, 0.01, 0.29]])
    npt.assert_array_equal(choose_speakers(posteriors, 0.4, exclusive=True), [1, 0])
    npt.assert_array_equal(choose_speakers(posteriors, 0.4, exclusive=False), [0, 0])


def test_permuting_voices_permutes_names(rng: np.random.Generator):
    posteriors = speaker_posteriors(3 * rng.standard_normal((6, 4)), 0.3)
    order = rng.permutation(6)
    chosen = choose_speakers(posteriors, 0.3, exclusive=True)
    permuted = choose_speakers(posteriors[order], 0.3, exclusive=True)
    npt.assert_array_equal(permuted, chosen[order])


def test_links_need_better_odds_than_the_prior():
    ratio = np.array([[0.0, 2.0], [2.0, 0.0]])
    recordings = np.array([0, 1])
    # odds of e^2 for, of 9 or 4 against
    npt.assert_array_equal(link_speakers(ratio, recordings, prior=0.1), [0, 1])
    npt.assert_array_equal(link_speakers(ratio, recordings, prior=0.2), [0, 0])


def test_a_recording_holds_a_speaker_once(rng: np.random.Generator):
    recordings = np.repeat(np.arange(20), 3)
    # one voice everywhere, as it seems
    speakers = link_speakers(np.full((60, 60), 50.0), recordings, prior=0.5)
    assert len(set(zip(recordings, speakers, strict=True))) == 60
    assert len(set(speakers)) == 3


def test_speakers_are_found_again(rng: np.random.Generator):
    truth = np.array([4, 2, 0, 2, 4, 1, 0, 4])
    same = truth[:, None] == truth
    ratio = np.where(same, 5.0, -8.0) + rng.standard_normal((8, 8))
    recordings = np.array([0, 0, 1, 1, 1, 2, 2, 3])
    speakers = link_speakers(ratio + ratio.T, recordings, prior=0.1)
    npt.assert_array_equal(speakers, [0, 1, 2, 1, 0, 3, 2, 0])


@pytest.mark.parametrize("num_voices", [0, 1])
def test_nothing_to_link(num_voices: int):
    speakers = link_speakers(
        np.zeros((num_voices, num_voices)), np.arange(num_voices), prior=0.1
    )
    npt.assert_array_equal(speakers, np.zeros(num_voices))


@pytest.mark.parametrize("prior", [0, 1, np.nan])
def test_certainty_before_listening_is_refused(prior: float):
    with pytest.raises(ValueError, match="`prior` should be above 0"):
        link_speakers(np.zeros((2, 2)), np.arange(2), prior)
    with pytest.raises(ValueError, match="`unknown_prior` should be above 0"):
        speaker_posteriors(np.zeros((2, 2)), prior)
