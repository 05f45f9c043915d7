# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The pipelines that come with the package, and how all others are named.

A pipeline is a folder in the layout of pyannote.audio 4: `config.yaml`,
`segmentation/pytorch_model.bin`, `embedding/pytorch_model.bin` and `plda/*.npz`.
"""

from pathlib import Path

from pyannote_diarizen import plugins
from pyannote_diarizen.resources import PUBLISHED

DEFAULT_PIPELINE = "diarizen-tiny"
CONFIGS = ("config.yaml", "config.toml")

_HUB = Path(__file__).parent


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


def find_part(name_or_path: str | Path, part: str) -> str:
    """Where to load a part of a pipeline from, if a pipeline is meant.

    Parameters
    ----------
    name_or_path : str or Path
        Folder of a pipeline, or name of one that comes with the package.
    part : str
        Folder inside, as in "embedding".

    Returns
    -------
    source : str
        Folder of the part, or `name_or_path` itself if it is something else.

    Examples
    --------
    >>> find_part("owner/name", "embedding")
    'owner/name'
    """
    name = str(name_or_path)
    folder = _HUB / name if name in bundled_names() else Path(name).expanduser()
    return str(folder / part) if (folder / part).is_dir() else name


def known_names() -> list[str]:
    """Names of pipelines that need no path: bundled ones, and published ones."""
    return sorted({*PUBLISHED, *bundled_names()})


def resolve_pipeline(name_or_path: str | Path) -> Path | str:
    """Where to load a pipeline from.

    Parameters
    ----------
    name_or_path : str or Path
        Folder or configuration file, in the layout of pyannote.audio or DiariZen; one
        of `known_names`, with or without the prefix "pipeline/" that it has in
        `hparams/`; or owner/name on the Hugging Face Hub. What exists on disk goes
        first.

    Returns
    -------
    source : Path or str
        Folder, file, or identifier on the hub.

    Raises
    ------
    FileNotFoundError
        If it is none of these.
    """
    # the client of the hub takes long to import, and this module is imported for --help
    from pyannote_diarizen.repository import is_hub_id

    path = Path(name_or_path).expanduser()
    if path.is_file() or any((path / config).is_file() for config in CONFIGS):
        return path
    name = str(name_or_path).removeprefix("pipeline/")
    if name in bundled_names():
        return bundled_folder(name)
    if name in (*PUBLISHED, *plugins.component_names("pipelines")):
        return name
    if path.is_dir():
        raise FileNotFoundError(
            f"Folder '{path}' holds no {' or '.join(CONFIGS)}: give the folder of a "
            "pipeline."
        )
    if is_hub_id(name):
        return name
    raise FileNotFoundError(
        f"'{name_or_path}' is neither a folder with a {' or '.join(CONFIGS)}, nor a "
        f"pipeline that we know ({', '.join(known_names())}), nor owner/name on the "
        "hub."
    )
