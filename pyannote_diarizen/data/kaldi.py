# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Lists of recordings as Kaldi and DiariZen write them."""

from pathlib import Path

from pyannote_diarizen.errors import AudioFileError


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
    path = Path(path)
    recordings: dict[str, Path] = {}
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        where = f"'{path}', line {number}"
        name, *rest = line.split(maxsplit=1)
        audio = "".join(rest).strip()
        if not audio:
            raise AudioFileError(
                f"{where}: expected the name of a recording and the path of its audio, "
                f"got '{line}'."
            )
        if audio.endswith("|"):
            raise AudioFileError(
                f"{where}: audio from a command is not supported, got '{audio}': write "
                "its output to a file."
            )
        if name in recordings:
            raise AudioFileError(f"{where}: '{name}' is in the list twice.")
        here, beside = Path(audio), path.parent / audio
        recordings[name] = beside if beside.exists() and not here.exists() else here
    return recordings


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise AudioFileError(
            f"'{path}' should be a list of recordings in UTF-8: {error}"
        ) from error
