# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Errors that a caller may want to catch; everything else is a built-in one."""


class AudioFileError(ValueError):
    """An audio file cannot be read; the message names it and says what to do."""


class MissingAudioFileError(AudioFileError, FileNotFoundError):
    """The path of an audio file does not exist."""


class CheckpointMismatchError(ValueError):
    """The keys or shapes of a checkpoint differ from those of the model."""


class VoiceprintMismatchError(ValueError):
    """Voiceprints were made by another embedding model; the message names both."""
