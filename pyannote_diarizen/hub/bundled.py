# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Pipelines by name: bundled with the package, published, or anywhere on disk.

A pipeline is a folder in the layout of pyannote.audio 4: `config.yaml`,
`segmentation/pytorch_model.bin`, `embedding/pytorch_model.bin` and `plda/*.npz`.
"""

import re
from pathlib import Path

from pyannote_diarizen import plugins
from pyannote_diarizen.atomic import expand_home
from pyannote_diarizen.resources import PUBLISHED, bundled_pipelines

DEFAULT_PIPELINE = "diarizen-tiny"
CONFIGS = ("config.yaml", "config.toml")
WEIGHTS = "pytorch_model.bin"


def bundled_names() -> list[str]:
    """Names of the bundled pipelines."""
    return list(bundled_pipelines())


def bundled_folder(name: str = DEFAULT_PIPELINE) -> Path:
    """Folder of a bundled pipeline.

    Parameters
    ----------
    name : str
        One of `bundled_names`.

    Returns
    -------
    folder : Path
        Argument of `pyannote.audio.Pipeline.from_pretrained`.

    Raises
    ------
    FileNotFoundError
        If `name` is unknown; the message lists the known names.
    """
    if name not in bundled_names():
        raise FileNotFoundError(
            f"No pipeline called '{name}' comes with the package, only "
            f"{', '.join(bundled_names())}."
        )
    return bundled_pipelines()[name]


def find_result(source: Path | str) -> Path | str:
    """Find the result of a pruning in its folder; return other sources as they are.

    It is the pipeline, or the model where the source of the pruning was a model.
    """
    folder = expand_home(source)
    inside = [folder / "pipeline" / CONFIGS[0], folder / "model" / WEIGHTS]
    for path in (*(folder / name for name in (*CONFIGS, WEIGHTS)), *inside):
        if path.is_file():
            return path.parent if path in inside else source
    return source


def is_model(source: Path | str) -> bool:
    """Whether a file or folder on disk is a model, rather than a pipeline.

    Parameters
    ----------
    source : Path or str
        Also the folder of a pruning, see `find_result`.
    """
    path = expand_home(find_result(source))
    if path.is_file():
        return path.suffix not in (".yaml", ".yml", ".toml")
    if not (path / WEIGHTS).is_file() or (path / CONFIGS[1]).is_file():
        return False
    # pyannote.audio publishes models with the configuration of their training
    config = path / CONFIGS[0]
    content = config.read_bytes() if config.is_file() else b""
    return re.search(rb"(?m)^pipeline:", content) is None


def known_names() -> list[str]:
    """Names of bundled and published pipelines."""
    return sorted({*PUBLISHED, *bundled_names()})


def resolve_pipeline(name_or_path: str | Path) -> Path | str:
    """Find the source of a pipeline.

    Parameters
    ----------
    name_or_path : str or Path
        Folder or configuration file, in the layout of pyannote.audio or DiariZen, or
        folder of a pruning; one of `known_names`, with or without the prefix
        "pipeline/"; name of a registered class of pipelines; or owner/name on the
        Hugging Face Hub. Files on disk take precedence.

    Returns
    -------
    source : Path or str
        Argument of `DiariZen.from_pretrained`.

    Raises
    ------
    FileNotFoundError
        If it is none of these.
    """
    # the client of the hub takes long to import, and this module is imported for --help
    from pyannote_diarizen.repository import FILE_SUFFIXES, is_hub_id

    name_or_path = find_result(name_or_path)
    path = expand_home(name_or_path)
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
    if name.endswith(FILE_SUFFIXES):
        raise FileNotFoundError(f"There is no file '{name_or_path}'.")
    raise FileNotFoundError(
        f"'{name_or_path}' is neither a folder with a {' or '.join(CONFIGS)}, nor the "
        f"name of a pipeline ({', '.join(known_names())}), nor owner/name on the hub."
    )
