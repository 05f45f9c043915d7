# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Errors for callers to catch; all other errors are built-in ones."""

from collections.abc import Collection
from difflib import get_close_matches


class AudioFileError(ValueError):
    """An audio file cannot be read; the message names the file and a remedy."""


class MissingAudioFileError(AudioFileError, FileNotFoundError):
    """The path of an audio file does not exist."""


class CheckpointMismatchError(ValueError):
    """A checkpoint differs from the model in keys or shapes."""


class VoiceprintMismatchError(ValueError):
    """Another embedding model made the voiceprints; the message names both models."""


class IncompatiblePackagesError(ImportError):
    """Installed packages do not load together; the second line is the remedy."""


class MissingPackagesError(ImportError):
    """Optional packages are not installed; the message has the pip line."""


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
