# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Word error rates of transcripts with speakers, by meeteval.

cpWER joins the words of each speaker, and maps the speakers of the hypothesis to those
of the reference with the fewest errors. tcpWER only matches words whose times differ by
a collar at most, so that a correct word at a wrong time is an error.

References
----------
S. Watanabe et al., "CHiME-6 Challenge", CHiME workshop 2020. T. von Neumann et al.,
"MeetEval", CHiME workshop 2023.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pyannote.core import Timeline

from pyannote_diarizen.installation import require_packages
from pyannote_diarizen.results.document import DiarizationDocument
from pyannote_diarizen.results.turns import Word
from pyannote_diarizen.results.utterances import UNKNOWN

WORD_HEADER = ("cpWER", "tcpWER")


@dataclass(frozen=True)
class WordScore:
    """Word errors of one recording, or their sum.

    Parameters
    ----------
    num_words : int
        Words of the reference.
    cp_errors, tcp_errors : int
        Insertions, deletions and substitutions, without and with limit of time.

    Examples
    --------
    >>> (WordScore(4, 1, 2) + WordScore(6, 0, 1)).percentages()
    ['10.0%', '30.0%']
    """

    num_words: int = 0
    cp_errors: int = 0
    tcp_errors: int = 0

    def __add__(self, other: "WordScore") -> "WordScore":
        """Sum the words and errors of recordings."""
        return WordScore(
            self.num_words + other.num_words,
            self.cp_errors + other.cp_errors,
            self.tcp_errors + other.tcp_errors,
        )

    def rates(self) -> tuple[float, float]:
        """Return cpWER and tcpWER; without words, any error is a rate of 1."""
        cp, tcp = (
            errors / self.num_words if self.num_words else float(errors > 0)
            for errors in (self.cp_errors, self.tcp_errors)
        )
        return cp, tcp

    def percentages(self) -> list[str]:
        """Return cells under `WORD_HEADER`."""
        return [f"{rate:.1%}" for rate in self.rates()]

    def to_row(self) -> dict[str, float]:
        """Return the columns of a table; rates as ratios."""
        return dict(zip(("cpwer", "tcpwer"), self.rates(), strict=True)) | vars(self)


def score_words(
    reference: DiarizationDocument,
    hypothesis: DiarizationDocument,
    annotated: Timeline | None,
    collar: float,
) -> WordScore:
    """Score the words of a recording.

    Parameters
    ----------
    reference, hypothesis : DiarizationDocument
        Words without speaker count as those of one more speaker.
    annotated : Timeline or None
        Part to score: words whose centre is inside. None: all words.
    collar : float
        Largest difference of times in seconds at which tcpWER matches two words.

    Raises
    ------
    MissingPackagesError
        If meeteval is not installed.
    ValueError
        If a side has turns and no words.
    """
    require_packages("--words", {"meeteval": "'pyannote-diarizen[wer]'"})
    from meeteval.io import SegLST
    from meeteval.wer import (
        cp_word_error_rate,
        time_constrained_minimum_permutation_word_error_rate,
    )

    sides = []
    for name, side in (("reference", reference), ("hypothesis", hypothesis)):
        if side.turns and not side.words:
            raise ValueError(
                f"The {name} of '{side.uri}' has turns and no words, which --words "
                "needs: give JSON, SegLST, CTM or CSV with text, as `assign` writes."
            )
        sides.append(SegLST(_segments(side.words, annotated)))
    cp = cp_word_error_rate(*sides)
    tcp = time_constrained_minimum_permutation_word_error_rate(*sides, collar=collar)
    return WordScore(cp.length, cp.errors, tcp.errors)


def _segments(
    words: Iterable[Word], annotated: Timeline | None
) -> list[dict[str, Any]]:
    """Convert words to segments of one word each."""
    return [
        {
            "session_id": "recording",
            "start_time": word.start,
            "end_time": word.end,
            "speaker": word.speaker or UNKNOWN,
            "words": word.text,
        }
        for word in words
        if annotated is None or annotated.overlapping((word.start + word.end) / 2)
    ]
