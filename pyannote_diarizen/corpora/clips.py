# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Clips of one speaker each, and whose they are by where they lie."""

from collections.abc import Iterable
from pathlib import Path

from pyannote_diarizen.audio.reader import list_audio


def clips_of_speakers(
    paths: Iterable[Path], name: str | None = None
) -> list[tuple[str, Path]]:
    """Find clips, and tell whose they are.

    Parameters
    ----------
    paths : iterable of Path
        Clips, called after their speakers, and folders of clips. Folders inside these
        are called after speakers as well, whatever their clips are called.
    name : str, optional
        Speaker of all clips. Defaults to what files and folders are called.

    Returns
    -------
    clips : list of (str, Path)
        Speaker and file.

    Raises
    ------
    AudioFileError
        If a path does not exist, or a folder holds no audio file.
    """
    clips = []
    for path in map(Path, paths):
        for file in list_audio([path]):
            inside = file.relative_to(path).parts if path.is_dir() else (file.name,)
            found = inside[0] if len(inside) > 1 else file.stem
            clips.append((found if name is None else name, file))
    return clips
