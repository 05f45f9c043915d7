# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Comparison of systems on the same files: tests, figures, and what they mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from pyannote_diarizen.evaluation.plots import draw_error_rates, draw_scatter
from pyannote_diarizen.evaluation.scoring import Condition
from pyannote_diarizen.functional.significance import (
    Significance,
    compare_errors,
    holm,
    pooled_interval,
)
from pyannote_diarizen.results.benchmark_report import link_page
from pyannote_diarizen.results.report_page import Cell, Report, Section
from pyannote_diarizen.results.scores import SystemScores
from pyannote_diarizen.results.timelines import to_png

LEVEL = 0.05
"""Level of significance."""

FEW_FILES = 10
"""Below this number of files, a warning is given."""

NUM_SHOWN = 10
"""Files that differ most, in reports."""

_TOLERANCE = 0.01
"""Seconds by which the speech of a reference may differ, by rounding."""


@dataclass(frozen=True)
class Pair:
    """Test of two systems.

    Parameters
    ----------
    first, second : int
        Indices of the systems.
    test : Significance
    p_permutation, p_t, p_wilcoxon : float
        Adjusted to the number of pairs by the method of Holm.
    """

    first: int
    second: int
    test: Significance
    p_permutation: float
    p_t: float
    p_wilcoxon: float


@dataclass(frozen=True)
class SystemComparison:
    """Systems on the files that all of them have.

    Parameters
    ----------
    names : list of str
        Names of the systems.
    condition : Condition
        Collar and treatment of overlapped speech.
    files : list of str
        Names of the files.
    left_out : list of str
        Files that some systems lack.
    errors : (num_systems, num_files) np.ndarray
        Seconds of error.
    total : (num_files,) np.ndarray
        Seconds of speech in the reference.
    pairs : list of Pair
        All pairs of systems.
    """

    names: list[str]
    condition: Condition
    files: list[str]
    left_out: list[str]
    errors: np.ndarray
    total: np.ndarray
    pairs: list[Pair]

    @property
    def rates(self) -> np.ndarray:
        """(num_systems, num_files) error rates; 1 for errors without any speech."""
        silent = (self.errors > 0).astype(float)
        return np.divide(self.errors, self.total, out=silent, where=self.total > 0)

    @property
    def pooled(self) -> np.ndarray:
        """(num_systems,) error rates of all files together."""
        return self.errors.sum(axis=1) / self.total.sum()

    @property
    def intervals(self) -> list[tuple[float, float]]:
        """Confidence interval of the pooled error rate of each system."""
        limits = [pooled_interval(errors, self.total) for errors in self.errors]
        return [(max(low, 0.0), high) for low, high in limits]

    def sentences(self) -> list[str]:
        """Return the meaning of the tests, one sentence per pair, and warnings."""
        sentences = [self._sentence(pair) for pair in self.pairs]
        if (num_files := len(self.files)) < FEW_FILES:
            sentences.append(
                f"Warning: {num_files} files are few. The p-value of the permutation "
                f"test cannot be below {2 / 2**num_files:.2g}, and differences between "
                "files hide those between systems: score more files."
            )
        return sentences

    def _sentence(self, pair: Pair) -> str:
        first, second = (
            f"{self.names[index]} ({self.pooled[index]:.1%})"
            for index in (pair.first, pair.second)
        )
        low, high = (100 * limit for limit in pair.test.interval)
        points = 100 * pair.test.difference
        facts = (
            f"a difference of {points:+.1f} points, 95 % interval {low:+.1f} to "
            f"{high:+.1f}, permutation test over {len(self.files)} files: "
            f"p = {_p_value(pair.p_permutation)}"
        )
        if pair.p_permutation > LEVEL:
            return f"{first} and {second} do not differ significantly: {facts}."
        relation = "fewer" if points < 0 else "more"
        return f"{first} makes significantly {relation} errors than {second}: {facts}."


def compare_systems(
    systems: Sequence[SystemScores], condition: Condition | None = None
) -> SystemComparison:
    """Compare systems on the files that all of them have.

    Parameters
    ----------
    systems : sequence of SystemScores
        Two or more.
    condition : Condition, optional
        Defaults to the first condition of the first system.

    Raises
    ------
    ValueError
        If a system was not scored under `condition`, two files are not shared, or
        systems were scored against different references.
    """
    condition = condition or systems[0].conditions[0]
    by_file = []
    for system in systems:
        by_file.append({file.uri: file.score for file in system.under(condition)})
        if not by_file[-1]:
            known = "; ".join(map(str, system.conditions))
            raise ValueError(
                f"'{system.name}' has no scores with {condition}, only with {known}."
            )
    files = [uri for uri in by_file[0] if all(uri in scores for scores in by_file)]
    if len(files) < 2:
        raise ValueError(
            f"The systems share {len(files)} files: score at least two by all of them."
        )
    total = np.array([[scores[uri].total for uri in files] for scores in by_file])
    different = np.abs(total - total[0]).max(axis=0) > _TOLERANCE
    if different.any():
        raise ValueError(
            f"The reference of '{files[int(different.argmax())]}' differs between the "
            "systems: score all of them against the same reference and UEM."
        )
    errors = np.array([[scores[uri].error for uri in files] for scores in by_file])
    return SystemComparison(
        names=_distinct_names(systems),
        condition=condition,
        files=files,
        left_out=sorted({uri for scores in by_file for uri in scores} - {*files}),
        errors=errors,
        total=total[0],
        pairs=_test_pairs(errors, total[0]),
    )


def _distinct_names(systems: Sequence[SystemScores]) -> list[str]:
    names = [system.name for system in systems]
    return [
        f"{name} {number}" if names.count(name) > 1 else name
        for number, name in enumerate(names, start=1)
    ]


def _test_pairs(errors: np.ndarray, total: np.ndarray) -> list[Pair]:
    """Test all pairs of systems, and adjust the p-values of each test."""
    indices = list(combinations(range(len(errors)), 2))
    tests = [compare_errors(errors[one], errors[two], total) for one, two in indices]
    adjusted = {
        name: holm([getattr(test, name) for test in tests])
        for name in ("p_permutation", "p_t", "p_wilcoxon")
    }
    return [
        Pair(
            first=first,
            second=second,
            test=test,
            **{name: values[index] for name, values in adjusted.items()},
        )
        for index, ((first, second), test) in enumerate(
            zip(indices, tests, strict=True)
        )
    ]


def comparison_report(
    comparison: SystemComparison, into: Path, folders: Sequence[Path]
) -> Report:
    """Build the report of a comparison.

    Parameters
    ----------
    comparison : SystemComparison
    into : Path
        Folder of the report.
    folders : sequence of Path
        Folder of each system; files link to their pages in it, if there are any.
    """
    bars = draw_error_rates(
        comparison.names, list(comparison.pooled), comparison.intervals
    )
    scatters = []
    for pair in comparison.pairs:
        one, two = comparison.names[pair.first], comparison.names[pair.second]
        rates = comparison.rates[[pair.first, pair.second]]
        figure = to_png(draw_scatter((one, two), rates, comparison.files))
        scatters.append(Section(f"Files: {one} and {two}", figure=figure))
    sections = [
        Section("Error rates", "", *system_table(comparison), figure=to_png(bars)),
        Section("Tests", _ABOUT_TESTS, *pair_table(comparison)),
        *scatters,
        Section(
            "Files that differ most",
            "Diarization error rates, and the difference between highest and lowest.",
            *file_table(comparison, into, folders),
        ),
    ]
    summary = [f"Condition: {comparison.condition}.", *comparison.sentences()]
    if comparison.left_out:
        left_out = ", ".join(comparison.left_out)
        summary.append(f"Left out, since some systems lack them: {left_out}.")
    return Report(" and ".join(comparison.names), summary, sections)


_ABOUT_TESTS = (
    "First minus second system, in points. Permutation test and interval are "
    "about the pooled error rate; paired t-test, Cohen's d and Wilcoxon's signed rank "
    "test about the error rates of files. p-values are adjusted to the number of pairs "
    "by the method of Holm."
)


def system_table(comparison: SystemComparison) -> tuple[list[str], list[list[str]]]:
    """Return header and rows: pooled error rate and interval of each system."""
    rows = [
        [name, f"{rate:.1%}", f"{low:.1%} to {high:.1%}"]
        for name, rate, (low, high) in zip(
            comparison.names, comparison.pooled, comparison.intervals, strict=True
        )
    ]
    return ["system", "DER", "95 % interval"], rows


def pair_table(comparison: SystemComparison) -> tuple[list[str], list[list[str]]]:
    """Return header and rows: all tests of each pair of systems."""
    header = ["systems", "difference", "95 % interval", "permutation p"]
    header += ["paired t p", "Cohen's d", "Wilcoxon p"]
    rows = []
    for pair in comparison.pairs:
        low, high = (100 * limit for limit in pair.test.interval)
        rows.append(
            [
                f"{comparison.names[pair.first]} - {comparison.names[pair.second]}",
                f"{100 * pair.test.difference:+.2f}",
                f"{low:+.2f} to {high:+.2f}",
                _p_value(pair.p_permutation),
                _p_value(pair.p_t),
                f"{pair.test.cohen_d:+.2f}",
                _p_value(pair.p_wilcoxon),
            ]
        )
    return header, rows


def file_table(
    comparison: SystemComparison, into: Path, folders: Sequence[Path]
) -> tuple[list[str], list[list[Cell]]]:
    """Return header and rows: error rates of the files that differ most."""
    spread = np.ptp(comparison.rates, axis=0)  # (num_files,)
    rows: list[list[Cell]] = []
    for index in np.argsort(-spread, kind="stable")[:NUM_SHOWN]:
        uri = comparison.files[index]
        cells = [
            link_page(f"{rate:.1%}", uri, into, folder)
            for rate, folder in zip(comparison.rates[:, index], folders, strict=True)
        ]
        rows.append([uri, *cells, f"{100 * spread[index]:.1f}"])
    return ["file", *comparison.names, "difference"], rows


def _p_value(value: float) -> str:
    return f"{value:.3f}" if value >= 0.001 else "< 0.001"
