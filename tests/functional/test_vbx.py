# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""VBx: laws, pyannote's mixture form, and vectors of the original, HMM included."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.testing as npt
import pytest
from pyannote.audio.utils.vbx import cluster_vbx

from pyannote_diarizen.functional.vbx import (
    VBxModel,
    VBxPosterior,
    smooth_labels,
    vbx,
)


@pytest.fixture
def conversation(rng: np.random.Generator) -> dict[str, Any]:
    """Sixty embeddings of three well separated speakers, and their true labels."""
    phi = np.linspace(8, 1, 6)
    labels = rng.integers(3, size=60)
    speakers = rng.standard_normal((3, 6)) * np.sqrt(phi) * 2
    embeddings = speakers[labels] + rng.standard_normal((60, 6))
    return {"embeddings": embeddings, "phi": phi, "labels": labels}


def run(conversation: Mapping[str, Any], labels: np.ndarray, **kwargs: Any):
    options = {"Fa": 0.4, "Fb": 1.0, "max_iterations": 50} | kwargs
    return vbx(
        conversation["embeddings"],
        conversation["phi"],
        smooth_labels(labels),
        **options,
    )


def test_one_embedding_one_speaker_by_hand():
    posterior = vbx(np.array([[3.0]]), np.array([4.0]), np.ones((1, 1)), Fa=1, Fb=1)
    # precision 1 + 4, mean 2 * 3 / 5
    npt.assert_allclose(posterior.speaker_variances, [[1 / 5]])
    npt.assert_allclose(posterior.speaker_means, [[6 / 5]])
    npt.assert_allclose(posterior.priors, [1])
    # with Fa = Fb = 1 and a single speaker the bound is the evidence: x ~ N(0, 1 + 4)
    evidence = -0.5 * (9 / 5 + np.log(2 * np.pi * 5))
    npt.assert_allclose(posterior.elbo, evidence, atol=1e-7)


@pytest.mark.parametrize("loop_probability", [0.0, 0.9])
def test_superfluous_speakers_vanish(conversation, loop_probability: float):
    order = np.argsort(conversation["labels"], kind="stable")
    conversation["embeddings"] = conversation["embeddings"][order]
    labels = conversation["labels"][order]
    # each true speaker starts cut in two
    start = 2 * labels + np.arange(60) % 2

    posterior = run(conversation, start, loop_probability=loop_probability)
    found = posterior.responsibilities.argmax(axis=1)
    assert (
        len({*zip(found, labels, strict=True)}) == len({*found}) == len({*labels}) == 3
    )
    assert np.sum(posterior.priors > 1e-7) == 3


def test_bound_never_decreases(conversation, rng: np.random.Generator):
    start = rng.integers(8, size=60)
    elbo = run(conversation, start, epsilon=-np.inf).elbo
    assert len(elbo) == 50
    assert np.diff(elbo).min() > -1e-6


def test_order_of_embeddings_does_not_matter(conversation, rng: np.random.Generator):
    start = rng.integers(5, size=60)
    order = rng.permutation(60)
    shuffled = {**conversation, "embeddings": conversation["embeddings"][order]}
    npt.assert_allclose(
        run(shuffled, start[order]).responsibilities,
        run(conversation, start).responsibilities[order],
        atol=1e-9,
    )


def test_order_of_speakers_does_not_matter(conversation, rng: np.random.Generator):
    start = rng.integers(5, size=60)
    relabel = rng.permutation(5)
    npt.assert_allclose(
        run(conversation, relabel[start]).priors[relabel],
        run(conversation, start).priors,
        atol=1e-9,
    )


def test_ties_follow_each_voice_where_two_speak_at_once(conversation):
    # embeddings of two similar speakers, in turn
    labels = np.arange(60) % 2
    conversation["embeddings"] = conversation["embeddings"] * 0.3 + labels[:, None]
    order = np.argsort(labels, kind="stable")
    sorted_by_voice = {**conversation, "embeddings": conversation["embeddings"][order]}
    starts = np.isin(np.arange(60), [0, 30])
    tied = run(sorted_by_voice, labels[order], loop_probability=0.95, starts=starts)
    npt.assert_array_equal(tied.responsibilities.argmax(axis=1), labels[order])
    wrong = run(conversation, labels, loop_probability=0.95)
    assert np.mean(wrong.responsibilities.argmax(axis=1) == labels) < 0.9


def test_order_of_sequences_does_not_matter(conversation, rng: np.random.Generator):
    start = rng.integers(5, size=60)
    parts = np.split(np.arange(60), [10, 25, 26])
    shuffled = np.concatenate([parts[i] for i in (2, 0, 3, 1)])
    firsts = {part[0] for part in parts}
    starts = np.array([index in firsts for index in range(60)])
    there = {**conversation, "embeddings": conversation["embeddings"][shuffled]}
    npt.assert_allclose(
        run(
            there, start[shuffled], loop_probability=0.9, starts=starts[shuffled]
        ).responsibilities,
        run(conversation, start, loop_probability=0.9, starts=starts).responsibilities[
            shuffled
        ],
        atol=1e-9,
    )


def test_warm_start_continues_where_it_stopped(conversation, rng):
    start = rng.integers(5, size=60)
    whole = run(conversation, start, max_iterations=9, epsilon=-np.inf)
    first = run(conversation, start, max_iterations=5, epsilon=-np.inf)
    second = vbx(
        conversation["embeddings"],
        conversation["phi"],
        first.responsibilities,
        priors=first.priors,
        Fa=0.4,
        Fb=1.0,
        max_iterations=4,
        epsilon=-np.inf,
    )
    npt.assert_allclose(np.r_[first.elbo, second.elbo], whole.elbo, atol=1e-9)
    npt.assert_allclose(second.speaker_means, whole.speaker_means, atol=1e-9)


def test_distant_embeddings_do_not_overflow(conversation):
    conversation["embeddings"] *= 1e4
    posterior = run(conversation, conversation["labels"])
    npt.assert_allclose(posterior.responsibilities.sum(axis=1), 1)
    assert np.isfinite(posterior.elbo).all()


def test_equals_pyannote(conversation, rng: np.random.Generator):
    start = rng.integers(8, size=60)
    gamma, pi = cluster_vbx(
        start, conversation["embeddings"], conversation["phi"], Fa=0.07, Fb=0.8
    )
    posterior = run(conversation, start, Fa=0.07, Fb=0.8, max_iterations=20)
    npt.assert_allclose(posterior.responsibilities, gamma, atol=1e-9)
    npt.assert_allclose(posterior.priors, pi, atol=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"embeddings": np.zeros((2, 4))}, "should be"),
        ({"responsibilities": np.ones((3, 1))}, "one row per embedding"),
        ({"responsibilities": np.ones((2, 0))}, "at least one"),
        ({"embeddings": np.full((2, 3), np.nan)}, "finite"),
        ({"phi": np.zeros(3)}, "positive"),
        ({"Fa": 0.0}, "positive"),
        ({"loop_probability": 1.0}, r"not in \[0, 1\)"),
        ({"max_iterations": 0}, "at least 1"),
    ],
)
def test_rejects(change: dict[str, Any], message: str):
    valid = {
        "embeddings": np.zeros((2, 3)),
        "phi": np.ones(3),
        "responsibilities": np.ones((2, 1)),
        "Fa": 1.0,
        "Fb": 1.0,
    }
    vbx(**valid)
    with pytest.raises(ValueError, match=message):
        vbx(**(valid | change))


def assert_equals_original(
    posterior: VBxPosterior, expected: Mapping[str, np.ndarray], prefix: str
):
    """Tolerances of the vectors: looser for the HMM, whose noise is larger."""
    probability, bound = (1e-7, 1e-6) if prefix.startswith("hmm") else (1e-9, 1e-7)
    fields = {
        "gamma": (posterior.responsibilities, probability),
        "pi": (posterior.priors, probability),
        "alpha": (posterior.speaker_means, probability),
        "invL": (posterior.speaker_variances, probability),
        "elbo": (posterior.elbo, bound),
    }
    for name, (actual, tolerance) in fields.items():
        if f"{prefix}_{name}" in expected:
            npt.assert_allclose(
                actual, expected[f"{prefix}_{name}"], rtol=0, atol=tolerance
            )


@pytest.mark.parity
@pytest.mark.parametrize("case", range(5))
class TestOriginal:
    @pytest.fixture
    def expected(self, parity: Path, case: int) -> dict[str, np.ndarray]:
        with np.load(parity / "vbx" / f"vbx_{case}.npz") as vectors:
            return dict(vectors)

    @pytest.fixture
    def data(self, expected: dict[str, np.ndarray]) -> dict[str, Any]:
        names = {"X": "embeddings", "Phi": "phi", "Fa": "Fa", "Fb": "Fb"}
        return {ours: expected[theirs] for theirs, ours in names.items()}

    @pytest.mark.parametrize(("smoothing", "suffix"), [(7.0, ""), (-1.0, "_nosmooth")])
    def test_from_labels(self, data, expected, smoothing: float, suffix: str):
        start = smooth_labels(expected["ahc"], smoothing)
        posterior = vbx(**data, responsibilities=start)
        gamma, pi = expected[f"cluster_gamma{suffix}"], expected[f"cluster_pi{suffix}"]
        npt.assert_allclose(posterior.responsibilities, gamma, rtol=0, atol=1e-9)
        npt.assert_allclose(posterior.priors, pi, rtol=0, atol=1e-9)

    @pytest.mark.parametrize(
        ("prefix", "loop_probability"),
        [("gmm", 0.0), ("hmm0.5", 0.5), ("hmm0.9", 0.9), ("hmm0.99", 0.99)],
    )
    def test_from_responsibilities(
        self, data, expected, prefix: str, loop_probability: float
    ):
        posterior = vbx(
            **data,
            responsibilities=expected["gamma0"],
            loop_probability=loop_probability,
            max_iterations=40,
            epsilon=1e-6,
        )
        assert_equals_original(posterior, expected, prefix)

    def test_warm_start(self, data, expected):
        posterior = vbx(
            **data,
            responsibilities=expected["gamma0"],
            priors=expected["pi0"],
            speaker_models=(expected["gmm_alpha"], expected["gmm_invL"]),
            max_iterations=5,
            epsilon=-np.inf,
        )
        assert_equals_original(posterior, expected, "gmm_warm")


@pytest.mark.parity
def test_random_start_of_the_original(parity: Path):
    expected = np.load(parity / "vbx" / "vbx_random_init.npz")
    random = np.random.RandomState(expected["np_random_seed"])
    start = random.gamma(1.0, size=expected["gamma"].shape)
    posterior = vbx(
        expected["X"],
        expected["Phi"],
        start / start.sum(axis=1, keepdims=True),
        Fa=expected["Fa"],
        Fb=expected["Fb"],
        max_iterations=10,
    )
    npt.assert_allclose(posterior.elbo, expected["elbo"], rtol=0, atol=1e-7)
    npt.assert_allclose(
        posterior.responsibilities, expected["gamma"], rtol=0, atol=1e-9
    )


# -- model of a recording

MODEL_PHI = np.linspace(8, 1, 6)
MODEL_TRUTH = np.repeat([0, 1, 2], [30, 24, 3])


@pytest.fixture
def model(rng: np.random.Generator) -> VBxModel:
    speakers = 2 * rng.standard_normal((3, 6)) * np.sqrt(MODEL_PHI)
    return VBxModel(
        speakers[MODEL_TRUTH] + rng.standard_normal((57, 6)), MODEL_PHI, Fa=0.5, Fb=1.0
    )


def test_fit_removes_speakers_whose_prior_is_zero(model):
    start = smooth_labels(2 * MODEL_TRUTH + np.arange(57) % 2)
    posterior = model.fit(start)
    whole = vbx(model.embeddings, MODEL_PHI, start, Fa=0.5, Fb=1.0)
    kept = whole.priors > 1e-7
    assert kept.sum() == 3
    npt.assert_array_equal(posterior.responsibilities, whole.responsibilities[:, kept])
    npt.assert_array_equal(posterior.speaker_means, whole.speaker_means[kept])
    npt.assert_array_equal(posterior.elbo, whole.elbo)


def test_spurious_speakers_are_dropped(model):
    posterior = model.fit(smooth_labels(MODEL_TRUTH))
    left = model.drop_spurious(posterior, np.ones(57), min_share=0.1)
    assert left.responsibilities.shape == (57, 2)
    npt.assert_allclose(left.responsibilities.sum(axis=1), 1)
    npt.assert_array_equal(left.responsibilities[:54].argmax(axis=1), MODEL_TRUTH[:54])


@pytest.mark.parametrize(
    ("min_share", "seconds", "fewest"),
    [(0.03, 1, 1), (0.1, 10, 1), (0.1, 1, 3)],
    ids=["enough embeddings", "long embeddings", "minimum number"],
)
def test_other_speakers_are_kept(model, min_share, seconds, fewest):
    posterior = model.fit(smooth_labels(MODEL_TRUTH))
    speech = np.where(MODEL_TRUTH == 2, seconds, 1.0)
    left = model.drop_spurious(posterior, speech, min_share, fewest)
    npt.assert_array_equal(left.responsibilities, posterior.responsibilities)


def test_certain_keeps_speakers_that_vbx_would_remove(model):
    halves = 2 * MODEL_TRUTH + np.arange(57) % 2
    posterior = model.certain(halves)
    npt.assert_array_equal(posterior.responsibilities, np.eye(6)[halves])
    npt.assert_array_equal(posterior.labels, halves)
    npt.assert_allclose(posterior.priors, np.bincount(halves) / 57)
    assert posterior.elbo[0] < model.certain(MODEL_TRUTH).elbo[0]


def test_certain_bound_is_below_what_vbx_reaches_from_there(model):
    start = np.eye(3)[MODEL_TRUTH]
    assert model.certain(MODEL_TRUTH).elbo[-1] <= model.fit(start).elbo[-1] + 1e-6
