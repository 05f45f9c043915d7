# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Lists of recordings as Kaldi and DiariZen write them."""

from pathlib import Path

from pyannote_diarizen.corpora.listings import raise_first, read_scp


def read_wav_scp(path: Path | str) -> dict[str, Path]:
    """Read a list with one recording per line: its name, then the path of its audio.

    Parameters
    ----------
    path : Path or str
        The list, in UTF-8. Empty lines are skipped.

    Returns
    -------
    recordings : dict of str to Path
        Audio by name, in order. Paths may hold spaces; those that are relative, but do
        not exist from here, are taken from the folder of the list.

    Raises
    ------
    AudioFileError
        If a line has no path, a name comes twice, or audio would come from a command.
        The message gives the line.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "wav.scp"
    ...     _ = path.write_text("monday /audio/monday morning.wav")
    ...     read_wav_scp(path)["monday"].name
    'monday morning.wav'
    """
    listing = read_scp(Path(path))
    raise_first(listing.defects)
    return {item.uri: item.audio for item in listing.items if item.audio}
