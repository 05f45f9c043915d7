# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Hyper-parameters of a pipeline for one kind of recordings, by name.

They suit the models of that pipeline, and lie beside it, in `presets/<name>.yaml`, as
files that `hparams_file` of `Pipeline.from_pretrained` takes.
"""

from pathlib import Path

from pyannote_diarizen.repository import Repository

FOLDER = "presets"


def find_preset(
    checkpoint: Path | str,
    name: str,
    subfolder: str | None = None,
    revision: str | None = None,
    token: str | bool | None = None,
    cache_dir: Path | str | None = None,
) -> Path:
    """Find the file of a preset.

    Parameters
    ----------
    checkpoint : Path or str
        Folder or configuration file of a pipeline, or owner/name on the Hugging Face
        Hub.
    name : str
        As in "meeting".
    subfolder, revision, token, cache_dir : optional
        See `Repository`.

    Returns
    -------
    path : Path

    Raises
    ------
    FileNotFoundError
        If the pipeline has no such preset; the message lists those that a folder has.
    """
    path = Path(checkpoint).expanduser()
    if path.is_file():
        repository = Repository(path.parent)
    else:
        repository = Repository(checkpoint, subfolder, revision, token, cache_dir)
    found = repository.find(f"{FOLDER}/{name}.yaml")
    if found is None:
        folder = repository.folder
        known = [] if folder is None else preset_names(folder / (subfolder or ""))
        raise FileNotFoundError(
            f"'{repository}' has no preset called '{name}'"
            + (f", only {', '.join(known)}." if known else ".")
        )
    return found


def preset_names(folder: Path) -> list[str]:
    """Names of the presets of the pipeline in `folder`."""
    return sorted(path.stem for path in (folder / FOLDER).glob("*.yaml"))
