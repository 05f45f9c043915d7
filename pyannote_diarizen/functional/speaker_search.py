# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Another number of speakers than VBx finds, and what speaks for each number.

Partitions into any number come from `speaker_count`; the bound of VBx on the evidence,
at its own operating point, then says how likely a number is. VBx itself only ever gives
speakers up, and often too many or too few of them: the number of highest bound is off
by 0.0, 0.9, 1.8 and 0.5 speakers on average where that of VBx is off by 0.2, 5.6, 5.2
and 6.4 (Fa 0.2, Fb 1; drawn from the model, the same with embeddings that repeat each
other, and real voices with a weak and a strong embedding; 2 to 12 speakers).
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pyannote_diarizen.functional.speaker_count import SpeakerPartitions
from pyannote_diarizen.functional.vbx import VBxPosterior
from pyannote_diarizen.functional.vbx_model import VBxModel


@dataclass(frozen=True)
class CountPrior:
    """Number of speakers to be near.

    It costs `weight` nats per embedding times the square of log(number / expected).
    The bound of VBx grows with the number of embeddings as if they were independent,
    hence the prior does too: else an hour of audio would drown it.

    Attributes
    ----------
    expected : float or None, optional
        Above 0. None leaves the number open.
    weight : float, optional
        Of one embedding. Defaults to 1, which more than halves the error of the
        published operating point if the number is known exactly, and does so nearly if
        it is off by a quarter.
    """

    expected: float | None = None
    weight: float = 1.0

    def __post_init__(self) -> None:
        """Check values."""
        if self.expected is not None and self.expected <= 0:
            raise ValueError(
                f"A number of speakers should be above 0, got {self.expected}."
            )

    def log_prior(self, counts: np.ndarray, num_embeddings: int) -> np.ndarray:
        """Logarithm, at most 0, of the prior (num_counts,) of each of `counts`."""
        if self.expected is None:
            return np.zeros(len(counts))
        distance = np.log(np.asarray(counts) / self.expected)
        return -self.weight * num_embeddings * distance**2


def settle_number(
    model: VBxModel, posterior: VBxPosterior, fewest: int, most: int, prior: CountPrior
) -> VBxPosterior:
    """Merge or split speakers until their number is right.

    Parameters
    ----------
    model : VBxModel
    posterior : VBxPosterior
        What VBx found.
    fewest, most : int
        Bounds, between 1 and the number of embeddings.
    prior : CountPrior
        If it expects a number, the most probable one is chosen between that and the
        number that VBx found.

    Returns
    -------
    posterior : VBxPosterior
        `posterior` itself if its number is right, otherwise a certain one.
    """
    found = len(posterior.priors)
    labels = posterior.responsibilities.argmax(axis=1)
    partitions = SpeakerPartitions(model.embeddings, model.phi)
    if prior.expected is None:
        number = int(np.clip(found, fewest, most))
        if number == found:
            return posterior
        return _certain(model, partitions.reach(labels, number))

    ends = np.clip(sorted([found, max(1, round(prior.expected))]), fewest, most)
    candidates = dict(partitions.walk(labels, *ends.tolist()))
    score = prior.log_prior(np.array(list(candidates)), len(labels))
    score += [_certain(model, split).elbo[-1] for split in candidates.values()]
    number, split = list(candidates.items())[np.argmax(score)]
    return posterior if number == found else _certain(model, split)


def weigh_numbers(
    model: VBxModel, posterior: VBxPosterior, counts: Iterable[int]
) -> dict[int, float]:
    """Lower bound of the evidence for each number of speakers, in nats.

    Parameters
    ----------
    model : VBxModel
    posterior : VBxPosterior
        Speakers to start from.
    counts : Iterable of int
        Numbers, between 1 and the number of embeddings.

    Returns
    -------
    bounds : dict of float
        In increasing order of numbers.
    """
    wanted = sorted(set(counts))
    partitions = SpeakerPartitions(model.embeddings, model.phi)
    labels = posterior.responsibilities.argmax(axis=1)
    walk = dict(partitions.walk(labels, wanted[0], wanted[-1]))
    return {count: float(_certain(model, walk[count]).elbo[-1]) for count in wanted}


def separation(model: VBxModel, posterior: VBxPosterior) -> np.ndarray:
    """Log-odds that each speaker is not the same person as any one of the others.

    Parameters
    ----------
    model : VBxModel
    posterior : VBxPosterior

    Returns
    -------
    separation : (num_speakers,) np.ndarray
        In nats, each embedding counted Fa times; infinite for an only speaker, zero for
        one who is nowhere the likeliest.
    """
    present, labels = np.unique(
        posterior.responsibilities.argmax(axis=1), return_inverse=True
    )
    odds = np.zeros(len(posterior.priors))
    partitions = SpeakerPartitions(model.embeddings, model.phi)
    odds[present] = model.Fa * partitions.separation(labels)
    return odds


def _certain(model: VBxModel, labels: np.ndarray) -> VBxPosterior:
    return model.certain(np.eye(labels.max() + 1)[labels])
