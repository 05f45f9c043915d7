# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""A trained model as a pipeline: one folder that pyannote.audio loads."""

from pathlib import Path
from typing import Any

from pyannote.audio import Pipeline

from pyannote_diarizen.atomic import new_folder
from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE, resolve_pipeline
from pyannote_diarizen.hub.conversion import write_pyannote
from pyannote_diarizen.hub.loading import naming_in_errors
from pyannote_diarizen.models.checkpoint import WEIGHTS
from pyannote_diarizen.pipelines.published import (
    check_hyper_parameters,
    pretrained_config,
)
from pyannote_diarizen.training.averaging import AVERAGE, average_run

CARD = """\
# {name}

Speaker diarization by pyannote-diarizen: segmentation trained in `{run}`; the rest, and
its hyper-parameters, from {pipeline}.

```python
from pyannote.audio import Pipeline

pipeline = Pipeline.from_pretrained("{name}")
```

`pyannote-diarizen tune` finds hyper-parameters that suit this segmentation.
"""


def trained_model(run: Path) -> Path:
    """Find the model to use of a run.

    Parameters
    ----------
    run : Path
        Its folder, or a checkpoint, which is returned.

    Returns
    -------
    checkpoint : Path
        What was averaged; made of the epoch of the lowest loss if nothing was.

    Raises
    ------
    OSError, ValueError
        See `average_run`.
    """
    if run.is_file():
        return run
    averaged = run / AVERAGE / WEIGHTS
    return averaged if averaged.is_file() else average_run(run, "best", 1).path


def package(
    run: Path,
    destination: Path,
    pipeline: Path | str = DEFAULT_PIPELINE,
    embedding: Path | str | None = None,
) -> Path:
    """Write a pipeline whose segmentation is that of a run.

    Parameters
    ----------
    run : Path
        See `trained_model`.
    destination : Path
        Folder to create. After an error it is not there.
    pipeline : Path or str, optional
        Where the rest comes from; see `resolve_pipeline`. Defaults to the bundled one.
    embedding : Path or str, optional
        Embedding in place of that of `pipeline`, of the same dimension.

    Returns
    -------
    checkpoint : Path
        The segmentation that was used.

    Raises
    ------
    OSError
        If there is no `run`, or `destination` exists or cannot be written.
    ValueError
        If they do not make a pipeline.
    """
    model = trained_model(run)
    options: dict[str, Any] = {} if embedding is None else {"embedding": embedding}
    with naming_in_errors(run), new_folder(destination) as folder:
        config = pretrained_config(
            resolve_pipeline(pipeline), segmentation=str(model), **options
        )
        # chunks as long as those that it was trained with
        config["pipeline"]["params"].pop("seg_duration", None)
        write_pyannote(config, folder)
        check_hyper_parameters(Pipeline.from_pretrained(folder), config)
        card = CARD.format(name=destination.name, run=run, pipeline=pipeline)
        (folder / "README.md").write_text(card, encoding="utf-8")
    return model
