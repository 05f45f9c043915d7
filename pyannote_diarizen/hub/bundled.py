# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The pipelines that come with the package, and how all others are named.

A pipeline is a folder in the layout of pyannote.audio 4: `config.yaml`,
`segmentation/pytorch_model.bin`, `embedding/pytorch_model.bin` and `plda/*.npz`.
"""

import re
from pathlib import Path

DEFAULT_PIPELINE = "diarizen-tiny"

_HUB = Path(__file__).parent
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def bundled_names() -> list[str]:
    """Names of the pipelines that come with the package."""
    return sorted(config.parent.name for config in _HUB.glob("*/config.yaml"))


def bundled_folder(name: str = DEFAULT_PIPELINE) -> Path:
    """Folder of a pipeline that comes with the package.

    Parameters
    ----------
    name : str
        Its name.

    Returns
    -------
    folder : Path
        What `pyannote.audio.Pipeline.from_pretrained` takes.

    Raises
    ------
    FileNotFoundError
        If there is none of that name; the message lists those that exist.
    """
    if name not in bundled_names():
        raise FileNotFoundError(
            f"No pipeline called '{name}' comes with the package, only "
            f"{', '.join(bundled_names())}."
        )
    return _HUB / name


def resolve_pipeline(name_or_path: str | Path) -> Path | str:
    """Where to load a pipeline from.

    Parameters
    ----------
    name_or_path : str or Path
        Folder or `config.yaml`; name of a bundled pipeline, with or without the prefix
        "pipeline/" that it has in `hparams/`; or "owner/name" on the Hugging Face Hub.
        What exists on disk goes first.

    Returns
    -------
    source : Path or str
        Folder, file, or identifier on the hub.

    Raises
    ------
    FileNotFoundError
        If it is none of these.
    """
    path = Path(name_or_path)
    if path.is_file() or (path / "config.yaml").is_file():
        return path
    name = str(name_or_path).removeprefix("pipeline/")
    if name in bundled_names():
        return bundled_folder(name)
    if path.is_dir():
        raise FileNotFoundError(
            f"Folder '{path}' holds no config.yaml: give the folder of a pipeline."
        )
    if _HUB_ID.fullmatch(name):
        return name
    raise FileNotFoundError(
        f"'{name_or_path}' is neither a folder with a config.yaml, nor a bundled "
        f"pipeline ({', '.join(bundled_names())}), nor owner/name on the hub."
    )
