# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Packaging of a trained model as a pipeline: one folder that pyannote.audio loads."""

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
from pyannote_diarizen.training.averaging import AVERAGE, kept_epochs, select_epochs
from pyannote_diarizen.training.checkpoints import CHECKPOINTS, find_checkpoints

CARD = """\
# {name}

Speaker diarization by pyannote-diarizen. The segmentation was trained in `{run}`. The
other models and the hyper-parameters come from {pipeline}.

```python
from pyannote.audio import Pipeline

pipeline = Pipeline.from_pretrained("{name}")
```

`pyannote-diarizen tune` optimises the hyper-parameters for this segmentation.
"""


def trained_model(run: Path) -> Path:
    """Find the final model of a run.

    Parameters
    ----------
    run : Path
        Folder of the run, or a checkpoint, which is returned.

    Returns
    -------
    checkpoint : Path
        Averaged model; without one, the epoch with the lowest loss.

    Raises
    ------
    OSError, ValueError
        See `kept_epochs` and `select_epochs`.
    """
    if run.is_file():
        return run
    averaged = run / AVERAGE / WEIGHTS
    if averaged.is_file():
        return averaged
    (best,) = select_epochs(kept_epochs(run, "loss"), "best", 1)
    return find_checkpoints(run / CHECKPOINTS)[best]


def package(
    run: Path,
    destination: Path,
    pipeline: Path | str = DEFAULT_PIPELINE,
    embedding: Path | str | None = None,
) -> Path:
    """Write a pipeline with the segmentation model of a run.

    Parameters
    ----------
    run : Path
        See `trained_model`.
    destination : Path
        Folder to create; it does not exist after an error.
    pipeline : Path or str, optional
        Source of all other models and parameters; see `resolve_pipeline`. Defaults to
        the bundled one.
    embedding : Path or str, optional
        Embedding model that replaces the one of `pipeline`, of the same dimension.

    Returns
    -------
    checkpoint : Path
        Checkpoint of the segmentation model.

    Raises
    ------
    OSError
        If `run` does not exist, or `destination` exists or cannot be written.
    ValueError
        If the parts do not fit together.
    """
    model = trained_model(run)
    options: dict[str, Any] = {} if embedding is None else {"embedding": embedding}
    with naming_in_errors(run), new_folder(destination) as folder:
        config = pretrained_config(
            resolve_pipeline(pipeline), segmentation=str(model), **options
        )
        # the model gives the duration of chunks: the one of its training
        config["pipeline"]["params"].pop("seg_duration", None)
        # fitted on the turns of another segmentation model
        config["pipeline"]["params"].pop("confidence", None)
        write_pyannote(config, folder)
        check_hyper_parameters(Pipeline.from_pretrained(folder), config)
        card = CARD.format(name=destination.name, run=run, pipeline=pipeline)
        (folder / "README.md").write_text(card, encoding="utf-8")
    return model
