# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Files of tuned hyper-parameters.

Such a file serves in two ways: as a pipeline, which refers to the models of the
original one, and as the `hparams_file` of `Pipeline.from_pretrained`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from pyannote_diarizen.atomic import write_file
from pyannote_diarizen.hub.bundled import resolve_pipeline
from pyannote_diarizen.pipelines.published import pretrained_config


def write_tuned(
    source: Path | str,
    params: Mapping[str, Any],
    record: Mapping[str, Any],
    path: Path,
) -> None:
    """Write a pipeline with new hyper-parameters, whole or not at all.

    Parameters
    ----------
    source : Path or str
        Original pipeline, see `resolve_pipeline`.
    params : Mapping
        New hyper-parameters.
    record : Mapping
        Description of the tuning; written under `optimization`, as pyannote.audio does.
    path : Path
        File to write. In the folder of the pipeline, its references are relative.
    """
    config = pretrained_config(resolve_pipeline(source))
    options = {
        name: _refer(value, path.resolve().parent)
        for name, value in config["pipeline"]["params"].items()
    }
    tuned = {
        **config,
        "pipeline": {**config["pipeline"], "params": options},
        "params": dict(params),
        "optimization": dict(record),
    }
    write_file(yaml.safe_dump(tuned, sort_keys=False), path)


def _refer(value: Any, folder: Path) -> Any:
    """Return a reference to a part of a pipeline that is valid from `folder`."""
    if not isinstance(value, Mapping) or "checkpoint" not in value:
        return value
    given = {key: item for key, item in value.items() if item is not None}
    checkpoint = Path(given["checkpoint"])
    if not checkpoint.exists():  # on the hub
        return {**given, "checkpoint": str(given["checkpoint"])}
    if checkpoint.resolve() == folder and set(given) == {"checkpoint", "subfolder"}:
        return f"$model/{given['subfolder']}"
    return {**given, "checkpoint": str(checkpoint.resolve())}
