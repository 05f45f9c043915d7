# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Another number of speakers than VBx finds, and what speaks for each number.

Partitions into any number come from `speaker_count`; the bound of VBx on the evidence
then says how likely a number is, with weights of its own: at operating points that are
tuned to make superfluous speakers vanish, the bound is highest for a single speaker,
however many there are. VBx itself only ever gives speakers up. Its number is off by 1.6
speakers on average for embeddings drawn from a PLDA, by 2.7 for real voices, at the
operating point of diarizen-tiny; the number of highest evidence is off by 0.0 and 0.6
(1 to 12 speakers, windows that overlap).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from operator import itemgetter

import numpy as np

from pyannote_diarizen.functional.speaker_count import EVIDENCE_FA, SpeakerPartitions
from pyannote_diarizen.functional.vbx import VBxPosterior
from pyannote_diarizen.functional.vbx_model import VBxModel

PATIENCE = 3
"""Numbers in a row that are worse than the best one before others are left alone."""


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
        Of one embedding. Defaults to 1: with it, the error of real voices, 2.7 for VBx,
        is 0.3 if the number is exact, 0.6 if it is a quarter too low and 0.7 if it is a
        third too high. With 10, these are 0.0, 1.1 and 1.9.
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
    model: VBxModel,
    posterior: VBxPosterior,
    fewest: int,
    most: int,
    prior: CountPrior | None = None,
) -> VBxPosterior:
    """Merge or split speakers until their number is right.

    Parameters
    ----------
    model : VBxModel
    posterior : VBxPosterior
        What VBx found.
    fewest, most : int
        Bounds, between 1 and the number of embeddings.
    prior : CountPrior, optional
        Choose the number of highest evidence under that prior. By default, stay as
        close to what VBx found as bounds allow.

    Returns
    -------
    posterior : VBxPosterior
        `posterior` itself if its number is right, otherwise a certain one.
    """
    found = len(posterior.priors)
    labels = posterior.responsibilities.argmax(axis=1)
    partitions = SpeakerPartitions(model.embeddings, model.phi)
    if prior is None:
        number = int(np.clip(found, fewest, most))
        split = labels if number == found else partitions.reach(labels, number)
    else:
        start = int(np.clip(round(prior.expected or found), fewest, most))
        up = partitions.walk(labels, start, most)
        down = partitions.walk(labels, fewest, start)
        score = partial(_score, model, prior)
        best = max(_climb(up, score), _climb(down, score), key=itemgetter(0))
        _, number, split = best
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
    return {count: _evidence(model, walk[count]) for count in wanted}


def separation(model: VBxModel, posterior: VBxPosterior) -> np.ndarray:
    """Log-odds that each speaker is not the same person as any one of the others.

    Parameters
    ----------
    model : VBxModel
    posterior : VBxPosterior

    Returns
    -------
    separation : (num_speakers,) np.ndarray
        In nats; infinite for an only speaker, zero for one nowhere the likeliest.
    """
    present, labels = np.unique(
        posterior.responsibilities.argmax(axis=1), return_inverse=True
    )
    odds = np.zeros(len(posterior.priors))
    partitions = SpeakerPartitions(model.embeddings, model.phi)
    odds[present] = partitions.separation(labels)
    return odds


def _score(model: VBxModel, prior: CountPrior, number: int, split: np.ndarray) -> float:
    """Evidence of a partition, and what its number adds to it."""
    log_prior = prior.log_prior(np.array([number]), len(split))
    return _evidence(model, split) + float(log_prior[0])


def _climb(
    walk: Iterator[tuple[int, np.ndarray]],
    score: Callable[[int, np.ndarray], float],
) -> tuple[float, int, np.ndarray]:
    """Highest score on a walk, its number and partition; give up after `PATIENCE`."""
    best = -np.inf, 0, np.empty(0, dtype=int)
    failures = 0
    for number, split in walk:
        current = score(number, split)
        if current > best[0]:
            best, failures = (current, number, split), 0
        else:
            failures += 1
        if failures == PATIENCE:
            break
    return best


def _evidence(model: VBxModel, labels: np.ndarray) -> float:
    """Bound of a partition, whatever the operating point."""
    weighing = replace(model, Fa=EVIDENCE_FA, Fb=1.0)
    return float(_certain(weighing, labels).elbo[-1])


def _certain(model: VBxModel, labels: np.ndarray) -> VBxPosterior:
    return model.certain(np.eye(labels.max() + 1)[labels])
