# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Pipelines with other hyper-parameters than those they were published with.

The file that says so is of use in two ways: as a pipeline, which refers to the models
of the first one, and as the `hparams_file` of `Pipeline.from_pretrained`, anywhere.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from pyannote_diarizen.atomic import replacing
from pyannote_diarizen.hub.bundled import resolve_pipeline
from pyannote_diarizen.pipelines.published import pretrained_config


def write_tuned(
    source: Path | str,
    params: Mapping[str, Any],
    record: Mapping[str, Any],
    path: Path,
) -> None:
    """Write a pipeline with other hyper-parameters, whole or not at all.

    Parameters
    ----------
    source : Path or str
        The pipeline, see `resolve_pipeline`.
    params : Mapping
        Its new hyper-parameters.
    record : Mapping
        How they were found; written under `optimization`, as pyannote.audio does.
    path : Path
        File to write. In the folder of the pipeline, it moves with the folder.
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
    with replacing(path) as temporary:
        text = yaml.safe_dump(tuned, sort_keys=False)
        temporary.write_text(text, encoding="utf-8")


def _refer(value: Any, folder: Path) -> Any:
    """Refer to a part of a pipeline so that it is found from `folder`."""
    if not isinstance(value, Mapping) or "checkpoint" not in value:
        return value
    said = {key: item for key, item in value.items() if item is not None}
    checkpoint = Path(said["checkpoint"])
    if not checkpoint.exists():  # on the hub
        return {**said, "checkpoint": str(said["checkpoint"])}
    if checkpoint.resolve() == folder and set(said) == {"checkpoint", "subfolder"}:
        return f"$model/{said['subfolder']}"
    return {**said, "checkpoint": str(checkpoint.resolve())}
