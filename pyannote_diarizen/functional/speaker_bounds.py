# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Requested number of speakers: exact, bounds, or expected.

The one place that checks these arguments, for Python, configurations and commands.
Imports nothing heavy, so that a command checks its options at once.
"""

import math
import operator
import sys
import warnings
from dataclasses import dataclass
from numbers import Real
from typing import Any


@dataclass(frozen=True)
class SpeakerBounds:
    """Number of speakers, or bounds on it.

    Parameters
    ----------
    num_speakers : int, optional
        Exact number. Integers of any kind, such as those of numpy and torch.
    min_speakers, max_speakers : int, optional
        Bounds.

    Raises
    ------
    TypeError
        If one of them is no integer.
    ValueError
        If one is below 1 or above `sys.maxsize`, or they contradict each other.

    Examples
    --------
    >>> bounds = SpeakerBounds(min_speakers=2)
    >>> bounds.fewest, bounds.most
    (2, inf)
    """

    num_speakers: int | None = None
    min_speakers: int | None = None
    max_speakers: int | None = None

    def __post_init__(self) -> None:
        """Check the arguments, and convert them to int."""
        for name in ("num_speakers", "min_speakers", "max_speakers"):
            object.__setattr__(self, name, _check_integer(name, getattr(self, name)))
        for small, large in (
            ("min_speakers", "num_speakers"),
            ("num_speakers", "max_speakers"),
            ("min_speakers", "max_speakers"),
        ):
            lower, upper = getattr(self, small), getattr(self, large)
            if lower is not None and upper is not None and lower > upper:
                raise ValueError(
                    f"`{small}` should be at most `{large}`, got {lower} and {upper}."
                )

    @property
    def fewest(self) -> int:
        """Minimum number of speakers, 0 without bound."""
        return self.num_speakers or self.min_speakers or 0

    @property
    def most(self) -> float:
        """Maximum number of speakers, infinite without bound."""
        return self.num_speakers or self.max_speakers or math.inf

    def described(self) -> str:
        """Words for the requested number, such as "at least 2"."""
        if self.fewest == self.most:
            return str(self.fewest)
        if self.most == math.inf:
            return f"at least {self.fewest}"
        return f"{self.fewest or 1} to {self.most}"

    def completed(self, defaults: "SpeakerBounds") -> "SpeakerBounds":
        """Take bounds that are not given from `defaults`.

        Parameters
        ----------
        defaults : SpeakerBounds
            Bounds of the configuration. One that contradicts a given bound has no
            effect, with a warning. None has an effect beside `num_speakers`.

        Returns
        -------
        bounds : SpeakerBounds

        Examples
        --------
        >>> SpeakerBounds(min_speakers=2).completed(SpeakerBounds(max_speakers=4))
        SpeakerBounds(num_speakers=None, min_speakers=2, max_speakers=4)
        """
        if self.num_speakers is not None:
            return self
        fewest = self.min_speakers or defaults.min_speakers
        most = self.max_speakers or defaults.max_speakers
        if fewest is not None and most is not None and fewest > most:
            given, kept = ("min", "max") if self.min_speakers else ("max", "min")
            warnings.warn(
                f"`{given}_speakers` of this call contradicts `{kept}_speakers` of the "
                f"configuration ({fewest} > {most}): only the former has an effect. "
                "Give both to avoid this warning.",
                stacklevel=3,
            )
            return self
        return SpeakerBounds(None, fewest, most)


def check_expected_speakers(value: Any) -> None:
    """Check an expected number of speakers.

    Parameters
    ----------
    value : float or None
        Finite, above 0.

    Raises
    ------
    TypeError, ValueError
        If it is no such number.
    """
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(
            f"`expected_speakers` should be a number, got {_described(value)}."
        )
    if not (math.isfinite(value) and float(value) > 0):
        raise ValueError(
            f"`expected_speakers` should be finite and above 0, got {value}."
        )


def _check_integer(name: str, value: Any) -> int | None:
    """Return `value` as int; raise if it is not a number of speakers."""
    if value is None:
        return None
    # True is an integer in Python, [2] is one in torch
    is_bool = isinstance(value, bool) or "bool" in str(getattr(value, "dtype", ""))
    try:
        number = None if is_bool else operator.index(value)
    except TypeError:
        number = None
    if number is None or getattr(value, "ndim", 0) > 0:
        raise TypeError(f"`{name}` should be an integer, got {_described(value)}.")
    if number < 1:
        raise ValueError(f"`{name}` should be at least 1, got {number}.")
    if number > sys.maxsize:
        raise ValueError(f"`{name}` should be at most {sys.maxsize}, got {number}.")
    return number


def _described(value: Any) -> str:
    return f"{value!r} ({type(value).__name__})"
