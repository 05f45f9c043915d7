# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Shipped configuration files by name, for any kind of installation.

`hparams/` and `protocols/` are at the top level of a checkout, which editable installs
use, too; a wheel contains them inside the package.
"""

import os
from pathlib import Path
from typing import Any

import yaml

import pyannote_diarizen
from pyannote_diarizen.atomic import expand_home

_PACKAGE = Path(pyannote_diarizen.__file__).parent


def resource_folder(name: str) -> Path:
    """Folder of shipped configuration files.

    Parameters
    ----------
    name : str
        "hparams" or "protocols".

    Returns
    -------
    folder : Path
        Inside the package (wheel) or beside it (checkout, editable install).

    Raises
    ------
    FileNotFoundError
        If it is in neither place.
    """
    # the package first: folders beside an installed package belong to others
    for parent in (_PACKAGE, _PACKAGE.parent):
        if (parent / name).is_dir():
            return parent / name
    raise FileNotFoundError(
        f"There is no folder '{name}' in or beside {_PACKAGE}: install the package "
        "again."
    )


def bundled_pipelines() -> dict[str, Path]:
    """Return the folders of the pipelines that come with the package, by name."""
    configs = (_PACKAGE / "hub").glob("*/config.yaml")
    return {config.parent.name: config.parent for config in sorted(configs)}


def find_part(name_or_path: str | Path, part: str) -> str:
    """Find the folder of a part of a pipeline.

    Parameters
    ----------
    name_or_path : str or Path
        Folder or name of a pipeline, or anything else.
    part : str
        Folder inside, as in "embedding".

    Returns
    -------
    source : str
        Folder of the part, or `name_or_path` if it is no pipeline on disk.

    Examples
    --------
    >>> find_part("owner/name", "embedding")
    'owner/name'
    """
    name = str(name_or_path)
    folder = bundled_pipelines().get(name) or expand_home(name)
    return str(folder / part) if (folder / part).is_dir() else name


def cache_folder() -> Path:
    """Folder of caches that users may delete."""
    caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return expand_home(caches) / "pyannote-diarizen"


PUBLISHED = (
    "diarizen-wavlm-base-s80-md",
    "diarizen-wavlm-large-s80-md",
    "diarizen-wavlm-large-s80-md-v2",
)
"""Names of the published DiariZen pipelines, repositories of BUT-FIT on the hub."""


def published_config(name: str) -> dict[str, Any]:
    """Fill in the template that the published pipelines share.

    Parameters
    ----------
    name : str
        One of `PUBLISHED`.

    Returns
    -------
    config : dict
        Argument of `pyannote.audio.Pipeline.from_pretrained`.
    """
    template = find_hparams("pipeline/published").read_text(encoding="utf-8")
    return yaml.safe_load(template.replace("NAME", name))


def find_hparams(name: str) -> Path:
    """Find a file of hyper-parameters.

    Parameters
    ----------
    name : str
        Path in `hparams/` without its suffix, as in "pipeline/diarizen-tiny".

    Returns
    -------
    path : Path
        The YAML file.

    Raises
    ------
    FileNotFoundError
        If `name` is unknown; the message lists the known names.

    Examples
    --------
    >>> find_hparams("pipeline/diarizen-tiny").name
    'diarizen-tiny.yaml'
    """
    folder = resource_folder("hparams")
    known = {
        path.relative_to(folder).with_suffix("").as_posix(): path
        for path in sorted(folder.rglob("*.yaml"))
    }
    if name not in known:
        raise FileNotFoundError(
            f"There are no hyper-parameters called '{name}', only {', '.join(known)}."
        )
    return known[name]
