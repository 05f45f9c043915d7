# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Errors that a caller may want to catch; everything else is a built-in one."""

from collections.abc import Collection
from difflib import get_close_matches


class AudioFileError(ValueError):
    """An audio file cannot be read; the message names it and says what to do."""


class MissingAudioFileError(AudioFileError, FileNotFoundError):
    """The path of an audio file does not exist."""


class CheckpointMismatchError(ValueError):
    """The keys or shapes of a checkpoint differ from those of the model."""


class VoiceprintMismatchError(ValueError):
    """Voiceprints were made by another embedding model; the message names both."""


class IncompatiblePackagesError(ImportError):
    """Installed packages do not load together; the second line is what to type."""


def unknown_keys(where: str, unknown: Collection[str], known: Collection[str]) -> str:
    """Message of an error: keys that should not be there, and what may be meant.

    Parameters
    ----------
    where : str
        What holds the keys.
    unknown : collection of str
        At least one.
    known : collection of str
        What may be there.

    Returns
    -------
    message : str

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
        f"Known keys are {', '.join(known)}."
    )
