# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Turns, words and speakers of a result, checked on creation."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

_MAX_TIME = 1e7
"""Seconds; later times are taken for milliseconds or samples."""


@dataclass(frozen=True)
class Turn:
    """Uninterrupted speech of one speaker.

    Parameters
    ----------
    start, end : float
        Seconds; `end` is after `start`.
    speaker : str
        Name of the speaker.
    confidence : float, optional
        Between 0 and 1.
    """

    start: float
    end: float
    speaker: str
    confidence: float | None = None

    def __post_init__(self) -> None:
        """Check."""
        _check_times(self)
        if self.end == self.start:
            raise ValueError(f"the turn at {self.start} s lasts 0 s.")
        _check_text("speaker", self.speaker)
        _check_confidence(self)

    @property
    def duration(self) -> float:
        """Duration in seconds."""
        return self.end - self.start

    def to_dict(self) -> dict[str, Any]:
        """Return the values for JSON."""
        return _to_dict(self, ("speaker", "confidence"))

    @classmethod
    def from_dict(cls, content: Any) -> "Turn":
        """Check and convert values from JSON; other keys are ignored."""
        return cls(**_values(content, ("start", "end", "speaker"), ("confidence",)))


@dataclass(frozen=True)
class Word:
    """Word, or a few words, of a transcript.

    Parameters
    ----------
    start, end : float
        Seconds; equal in some transcripts.
    text : str
        Written form.
    speaker : str, optional
        Name of the speaker; None if unknown.
    confidence : float, optional
        Between 0 and 1.
    """

    start: float
    end: float
    text: str
    speaker: str | None = None
    confidence: float | None = None

    def __post_init__(self) -> None:
        """Check."""
        _check_times(self)
        _check_text("text", self.text)
        if self.speaker is not None:
            _check_text("speaker", self.speaker)
        _check_confidence(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the values for JSON."""
        return _to_dict(self, ("text", "speaker", "confidence"))

    @classmethod
    def from_dict(cls, content: Any) -> "Word":
        """Check and convert values from JSON; other keys are ignored."""
        required, optional = ("start", "end", "text"), ("speaker", "confidence")
        return cls(**_values(content, required, optional))


@dataclass(frozen=True)
class Speaker:
    """Summary of the turns of one speaker.

    Parameters
    ----------
    label : str
        Name of the speaker.
    speaking_time : float
        Seconds; turns that overlap count once.
    num_turns : int
    confidence : float, optional
        Between 0 and 1.
    """

    label: str
    speaking_time: float
    num_turns: int
    confidence: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the values for JSON."""
        known = {"label": self.label, "speaking_time": round(self.speaking_time, 3)}
        return known | _given(self, ("num_turns", "confidence"))

    @classmethod
    def from_dict(cls, content: Any) -> "Speaker":
        """Check and convert values from JSON; other keys are ignored."""
        required = ("label", "speaking_time", "num_turns")
        speaker = cls(**_values(content, required, ("confidence",)))
        _check_text("label", speaker.label)
        _check_confidence(speaker)
        return speaker


def doubtful_turns(turns: Iterable[Turn], share: float = 0.1) -> list[Turn]:
    """Select the turns that are worth a second listen.

    Parameters
    ----------
    turns : iterable of Turn
        Turns without confidence are left out.
    share : float, optional
        Maximum share of the speaking time. Defaults to 0.1.

    Returns
    -------
    doubtful : list of Turn
        Turns of the lowest confidence, lowest first; at least one, if any has one.

    Examples
    --------
    >>> sure, unsure = Turn(0.0, 9.0, "ann", 0.9), Turn(9.0, 10.0, "bob", 0.3)
    >>> [turn.speaker for turn in doubtful_turns([sure, unsure])]
    ['bob']
    """
    known = [turn for turn in turns if turn.confidence is not None]
    left = share * sum(turn.duration for turn in known)
    doubtful: list[Turn] = []
    for turn in sorted(known, key=lambda turn: (turn.confidence, turn.start)):
        left -= turn.duration
        if doubtful and left < -1e-9:
            break
        doubtful.append(turn)
    return doubtful


def speakers_of(
    turns: Iterable[Turn], confidence: Mapping[str, float]
) -> list[Speaker]:
    """Summarize turns by speaker.

    Parameters
    ----------
    turns : iterable of Turn
        Sorted by start.
    confidence : Mapping of str to float
        Confidence of speakers, if known.

    Returns
    -------
    speakers : list of Speaker
        In the order of their first turns.
    """
    seconds: dict[str, float] = {}
    counts: dict[str, int] = {}
    until: dict[str, float] = {}
    for turn in turns:
        start = max(turn.start, until.get(turn.speaker, 0.0))
        new = max(0.0, turn.end - start)
        seconds[turn.speaker] = seconds.get(turn.speaker, 0.0) + new
        counts[turn.speaker] = counts.get(turn.speaker, 0) + 1
        until[turn.speaker] = max(turn.end, start)
    return [
        Speaker(name, seconds[name], counts[name], confidence.get(name))
        for name in seconds
    ]


def _check_times(part: Turn | Word) -> None:
    """Check start and end, and make them floats."""
    for name in ("start", "end"):
        value = getattr(part, name)
        if not _is_number(value) or not 0 <= value < math.inf:
            raise ValueError(
                f"`{name}` should be in seconds, at least 0, got {value!r}."
            )
        if value > _MAX_TIME:
            raise ValueError(
                f"`{name}` should be in seconds, got {value!r}: is it in milliseconds?"
            )
        object.__setattr__(part, name, float(value))
    if part.end < part.start:
        raise ValueError(f"the end, {part.end} s, is before the start, {part.start} s.")


def _check_text(name: str, value: Any) -> None:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"`{name}` should be a text that is not empty, got {value!r}.")


def _check_confidence(part: Turn | Word | Speaker) -> None:
    value = part.confidence
    if value is not None and not (_is_number(value) and 0 <= value <= 1):
        raise ValueError(f"`confidence` should be between 0 and 1, got {value!r}.")


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _to_dict(part: Turn | Word, names: tuple[str, ...]) -> dict[str, Any]:
    times = {"start": round(part.start, 3), "end": round(part.end, 3)}
    return times | _given(part, names)


def _given(part: Any, names: tuple[str, ...]) -> dict[str, Any]:
    values = {name: getattr(part, name) for name in names}
    if values.get("confidence") is not None:
        values["confidence"] = round(float(values["confidence"]), 4)
    return {name: value for name, value in values.items() if value is not None}


def _values(
    content: Any, required: tuple[str, ...], optional: tuple[str, ...]
) -> dict[str, Any]:
    if not isinstance(content, Mapping):
        raise ValueError(f"expected an object, got {content!r:.60}.")
    for name in required:
        if name not in content:
            raise ValueError(f'"{name}" is missing.')
    return {name: content.get(name) for name in (*required, *optional)}
