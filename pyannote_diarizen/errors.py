# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Errors for callers to catch; all other errors are built-in ones."""

import math
import re
from collections.abc import Collection
from difflib import get_close_matches


class AudioFileError(ValueError):
    """An audio file cannot be read; the message names the file and a remedy."""


class MissingAudioFileError(AudioFileError, FileNotFoundError):
    """The path of an audio file does not exist."""


class NoSpeechError(ValueError):
    """No speech is detected in any utterance."""


class CheckpointMismatchError(ValueError):
    """A checkpoint differs from the model in keys or shapes."""


class VoiceprintMismatchError(ValueError):
    """Another embedding model made the voiceprints; the message names both models."""


class IncompatiblePackagesError(ImportError):
    """Installed packages do not load together; the second line is the remedy."""


class MissingPackagesError(ImportError):
    """Optional packages are not installed; the message has the pip line."""


def in_one_line(error: BaseException) -> str:
    """Return the message of an error, without line breaks and endless names.

    Examples
    --------
    >>> len(in_one_line(OSError(f"File name too long: {'x' * 5000}")))
    83
    >>> in_one_line(FileNotFoundError(2, "No such file or directory", "a.rttm"))
    "'a.rttm' does not exist: check its path."
    """
    text = " ".join(str(error).split())
    if isinstance(error, FileNotFoundError) and error.filename:
        text = f"'{error.filename}' does not exist: check its path."
    # longer than any file name
    return re.sub(r"[^\s/]{256,}", lambda found: f"{found[0][:60]}...", text)


def check_at_least(least: float, **options: float | None) -> None:
    """Raise a `ValueError` if an option is below `least` or not finite.

    Parameters
    ----------
    least : float
    **options
        Values by name; None is skipped.

    Examples
    --------
    >>> check_at_least(1, batch_size=32, num_layer=0)
    Traceback (most recent call last):
    ValueError: `num_layer` should be at least 1, got 0.
    """
    for name, value in options.items():
        if value is not None and not least <= value < math.inf:
            raise ValueError(f"`{name}` should be at least {least:g}, got {value}.")


def unknown_keys(where: str, unknown: Collection[str], known: Collection[str]) -> str:
    """Compose the message for unknown keys, with the closest known key.

    Parameters
    ----------
    where : str
        Container of the keys, as in "in [model]".
    unknown : collection of str
        Unknown keys, at least one.
    known : collection of str
        Known keys.

    Returns
    -------
    message : str
        One line.

    Examples
    --------
    >>> unknown_keys("in [model]", ["num_heads"], ["num_head", "dropout"])
    'Unknown key(s) in [model]: num_heads. Did you mean num_head? Known keys are \
num_head, dropout.'
    """
    first, *_ = unknown
    guess = get_close_matches(first, known, n=1)
    return (
        f"Unknown key(s) {where}: {', '.join(unknown)}. "
        f"{f'Did you mean {guess[0]}? ' if guess else ''}"
        f"Known keys are {', '.join(known) or 'none'}."
    )
