# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Utterances: the lines of text formats, from words or from turns."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pyannote_diarizen.results.document import DiarizationDocument
from pyannote_diarizen.results.turns import Turn, Word
from pyannote_diarizen.rttm import valid_text

UNKNOWN = "unknown"
"""Name of the speaker of words without speaker."""

MAX_PAUSE = 1.0
"""Seconds between two words of one utterance."""

MIN_DURATION = 0.001
"""Seconds; some transcripts have words of 0 s."""

_UNPRINTABLE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]+")

_IDEOGRAPH = "[\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff01-\uff60]"
_BETWEEN_IDEOGRAPHS = re.compile(f"(?<={_IDEOGRAPH}) (?={_IDEOGRAPH})")
"""Spaces that Chinese and Japanese do not write."""


@dataclass(frozen=True)
class Utterance:
    """Speech of one speaker, with its words if there are some.

    Parameters
    ----------
    start, end : float
        Seconds.
    speaker : str
        Name on one line, without control characters.
    text : str
        Words on one line, likewise; empty if there are none.
    confidence : float, optional
        Confidence of the turn; None for words.
    """

    start: float
    end: float
    speaker: str
    text: str = ""
    confidence: float | None = None


def one_line(text: str) -> str:
    """Replace line breaks and control characters by spaces; what is empty is "_"."""
    return _UNPRINTABLE.sub(" ", valid_text(text)).strip() or "_"


def utterances(
    document: DiarizationDocument,
    exclusive: bool = False,
    max_characters: int | None = None,
) -> list[Utterance]:
    """Group words into utterances; without words, each turn is one.

    Parameters
    ----------
    document : DiarizationDocument
    exclusive : bool, optional
        One speaker at a time: another speaker's word ends the utterance. By default,
        utterances of different speakers may overlap.
    max_characters : int, optional
        Maximum length of the text, unless one word is longer.

    Returns
    -------
    utterances : list of Utterance
        Sorted by start.
    """
    if not document.words:
        turns = document.exclusive_turns if exclusive else document.turns
        return [_of_turn(turn) for turn in turns or ()]
    groups: list[list[Word]] = []
    last: dict[str | None, list[Word]] = {}
    before: Word | None = None
    for word in document.words:
        group = last.get(word.speaker)
        if group is None or not _continues(group, word, before, max_characters):
            group = []
            groups.append(group)
        group.append(word)
        if exclusive:
            last.clear()
        last[word.speaker] = group
        before = word
    return [_of_words(group) for group in groups]


def utterances_by_speaker(
    document: DiarizationDocument, exclusive: bool = False
) -> dict[str, list[Utterance]]:
    """Return the utterances of each speaker; those that overlap are joined."""
    tiers: dict[str, list[Utterance]] = {
        one_line(speaker.label): [] for speaker in document.speakers
    }
    for each in utterances(document, exclusive):
        tier = tiers.setdefault(each.speaker, [])
        if tier and each.start < tier[-1].end:
            before = tier.pop()
            texts = dict.fromkeys((before.text, each.text))  # equal if there are none
            end, text = max(before.end, each.end), " ".join(texts).strip()
            each = Utterance(before.start, end, each.speaker, text)
        tier.append(each)
    return tiers


def _continues(
    group: Sequence[Word], word: Word, before: Word | None, max_characters: int | None
) -> bool:
    """Whether a word is part of an utterance; `before` comes just before it."""
    length = sum(len(each.text) + 1 for each in group) + len(word.text)
    end = max(each.end for each in group)
    # another speaker answers in the pause
    answered = before and before.speaker != word.speaker and before.start >= end
    fits = max_characters is None or length <= max_characters
    return fits and not answered and word.start - end <= MAX_PAUSE


def _of_words(words: Iterable[Word]) -> Utterance:
    words = list(words)
    start, end = words[0].start, max(word.end for word in words)
    return Utterance(
        start,
        max(end, start + MIN_DURATION),
        one_line(words[0].speaker or UNKNOWN),
        _BETWEEN_IDEOGRAPHS.sub("", one_line(" ".join(word.text for word in words))),
    )


def _of_turn(turn: Turn) -> Utterance:
    speaker = one_line(turn.speaker)
    return Utterance(turn.start, turn.end, speaker, confidence=turn.confidence)
