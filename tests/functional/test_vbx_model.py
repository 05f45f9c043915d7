# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import numpy as np
import numpy.testing as npt
import pytest

from pyannote_diarizen.functional.vbx import smooth_labels, vbx
from pyannote_diarizen.functional.vbx_model import VBxModel

PHI = np.linspace(8, 1, 6)
TRUTH = np.repeat([0, 1, 2], [30, 24, 3])


@pytest.fixture
def model(rng: np.random.Generator) -> VBxModel:
    speakers = 2 * rng.standard_normal((3, 6)) * np.sqrt(PHI)
    return VBxModel(speakers[TRUTH] + rng.standard_normal((57, 6)), PHI, Fa=0.5, Fb=1.0)


def test_fit_is_vbx_without_the_speakers_that_it_gave_up(model):
    start = smooth_labels(2 * TRUTH + np.arange(57) % 2)
    posterior = model.fit(start)
    whole = vbx(model.embeddings, PHI, start, Fa=0.5, Fb=1.0)
    kept = whole.priors > 1e-7
    assert kept.sum() == 3
    npt.assert_array_equal(posterior.responsibilities, whole.responsibilities[:, kept])
    npt.assert_array_equal(posterior.speaker_means, whole.speaker_means[kept])
    npt.assert_array_equal(posterior.elbo, whole.elbo)


def test_phantoms_join_the_others(model):
    posterior = model.fit(smooth_labels(TRUTH))
    left = model.drop_phantoms(posterior, np.ones(57), min_share=0.1)
    assert left.responsibilities.shape == (57, 2)
    npt.assert_allclose(left.responsibilities.sum(axis=1), 1)
    npt.assert_array_equal(left.responsibilities[:54].argmax(axis=1), TRUTH[:54])


@pytest.mark.parametrize(
    ("min_share", "seconds", "fewest"),
    [(0.03, 1, 1), (0.1, 10, 1), (0.1, 1, 3)],
    ids=["says enough", "says it in long embeddings", "is asked for"],
)
def test_who_is_no_phantom_stays(model, min_share, seconds, fewest):
    posterior = model.fit(smooth_labels(TRUTH))
    speech = np.where(TRUTH == 2, seconds, 1.0)
    left = model.drop_phantoms(posterior, speech, min_share, fewest)
    npt.assert_array_equal(left.responsibilities, posterior.responsibilities)


def test_certain_responsibilities_keep_speakers_that_vbx_would_give_up(model):
    halves = np.eye(6)[2 * TRUTH + np.arange(57) % 2]
    posterior = model.certain(halves)
    npt.assert_array_equal(posterior.responsibilities, halves)
    npt.assert_allclose(posterior.priors, halves.mean(axis=0))
    assert posterior.elbo[0] < model.certain(np.eye(3)[TRUTH]).elbo[0]


def test_certain_bound_is_below_what_vbx_reaches_from_there(model):
    start = np.eye(3)[TRUTH]
    assert model.certain(start).elbo[-1] <= model.fit(start).elbo[-1] + 1e-6


def test_restricted_model_keeps_the_order_in_time(rng):
    starts = np.isin(np.arange(10), [0, 4, 7])
    model = VBxModel(rng.standard_normal((10, 6)), PHI, 0.5, 1.0, 0.9, starts)
    members = np.isin(np.arange(10), [1, 3, 5, 6, 9])
    part = model.restricted(members)
    npt.assert_array_equal(part.embeddings, model.embeddings[members])
    npt.assert_array_equal(part.starts, [True, False, True, False, True])
