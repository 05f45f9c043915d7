# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Picture of what speaks for each number of speakers, and for each speaker."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pyannote_diarizen.clustering.count_evidence import CountEvidence


def draw_evidence(evidence: CountEvidence) -> Figure:
    """Draw the evidence for each number of speakers, and how separate speakers are.

    Parameters
    ----------
    evidence : CountEvidence
        As `DiariZen.evidence` returns it.

    Returns
    -------
    figure : Figure
        Left, what each number loses against the best one; the number that is found is
        marked. Right, the log-odds that each speaker is a person apart, and the share
        of the embeddings that are theirs.

    Examples
    --------
    >>> figure = draw_evidence(pipeline.evidence(output))    # doctest: +SKIP
    >>> figure.savefig("evidence.png")                       # doctest: +SKIP
    """
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    numbers, speakers = figure.subplots(1, 2, width_ratios=[3, 2])
    _draw_numbers(numbers, evidence)
    _draw_speakers(speakers, evidence)
    return figure


def _draw_numbers(axes: Axes, evidence: CountEvidence) -> None:
    counts = evidence.num_speakers
    likelihood = evidence.log_evidence - evidence.log_evidence.max()
    axes.plot(counts, likelihood, "o-", color="C0", label="evidence")
    if evidence.log_prior.any():
        total = evidence.log_evidence + evidence.log_prior
        axes.plot(counts, total - total.max(), "s--", color="C1", label="with prior")
    axes.axvline(evidence.found, color="0.5", linestyle=":", label="found")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("number of speakers")
    axes.set_ylabel("nats below the best")
    axes.grid(alpha=0.3)
    axes.legend()


def _draw_speakers(axes: Axes, evidence: CountEvidence) -> None:
    rows = np.arange(evidence.found)
    shares = evidence.responsibilities.mean(axis=0)
    # an only speaker has nobody to be confused with: its odds are infinite
    odds = np.where(np.isfinite(evidence.separation), evidence.separation, 0)
    axes.barh(rows, odds, color="C2")
    axes.set_yticks(rows, [f"{k} ({share:.0%})" for k, share in enumerate(shares)])
    axes.invert_yaxis()
    axes.set_ylabel("speaker (share of embeddings)")
    axes.set_xlabel("nats in favour of a person apart")
    axes.grid(axis="x", alpha=0.3)
