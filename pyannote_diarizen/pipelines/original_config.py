# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Translation of DiariZen's `config.toml` to a configuration of pyannote.audio.

`config.toml` holds options in `[inference.args]` and hyper-parameters in
`[clustering.args]`. It names no embedding: the program that reads it chooses one.
"""

import warnings
from importlib.metadata import version
from typing import Any

from pyannote_diarizen.models.checkpoint import WEIGHTS
from pyannote_diarizen.models.original_checkpoint import OriginalConfig
from pyannote_diarizen.pipelines.components import default_parameters
from pyannote_diarizen.repository import Repository

PIPELINE = "pyannote_diarizen.pipelines.DiariZen"
EMBEDDING = "pyannote/wespeaker-voxceleb-resnet34-LM"
"""Embedding of all published DiariZen pipelines."""

MEDIAN_FILTER = 11
"""Width of DiariZen's median filter, in frames."""

METHODS = ("VBxClustering", "AgglomerativeClustering")
"""Clusterings of DiariZen."""

VBX_OPTIONS = {"ahc_criterion": "distance", "max_iterations": 20}
"""Defaults of the options of `VBxClustering` that DiariZen has too."""

_DEPENDENCIES = ("pyannote.audio", "pyannote-diarizen")
KNOWN = {
    "inference": (
        *("seg_duration", "segmentation_step", "batch_size"),
        "apply_median_filtering",
    ),
    "clustering": (
        *("method", "min_speakers", "max_speakers", "ahc_criterion", "ahc_threshold"),
        *("Fa", "Fb", "lda_dim", "max_iters", "min_cluster_size", "linkage_method"),
        # read by older versions of DiariZen, without effect
        *("merge_delta", "merge_max_length"),
    ),
}
"""Arguments by table."""


def original_config(config: OriginalConfig, repository: Repository) -> dict[str, Any]:
    """Translate a `config.toml` of DiariZen.

    Parameters
    ----------
    config : OriginalConfig
        Content of the file.
    repository : Repository
        Folder or repository of the file, which also holds the weights.

    Returns
    -------
    config : dict
        Argument of `pyannote.audio.Pipeline.from_pretrained`.

    Raises
    ------
    ValueError
        If a key is missing, or names a clustering that does not exist here.
    """
    for table, known in KNOWN.items():
        if unknown := config.unknown(table, known):
            warnings.warn(f"{unknown} Others are ignored.", stacklevel=2)
    options, parameters = _clustering(config, repository)
    return {
        "dependencies": {name: version(name) for name in _DEPENDENCIES},
        "pipeline": {
            "name": PIPELINE,
            "params": {
                "segmentation": _part(repository, ""),
                "embedding": _embedding(repository),
                **_inference(config),
                **options,
            },
        },
        "params": {
            "segmentation": {"min_duration_off": 0.0},
            "clustering": parameters,
        },
    }


def _inference(config: OriginalConfig) -> dict[str, Any]:
    """Translate `[inference.args]` to options of `DiariZen`."""
    if not config.args("inference"):
        return {}
    batch_size = config.get("inference", "batch_size", int)
    smoothed = config.get("inference", "apply_median_filtering", bool)
    return {
        "seg_duration": config.get("inference", "seg_duration", float),
        "segmentation_step": config.get("inference", "segmentation_step", float),
        # DiariZen uses one batch size for both networks
        "segmentation_batch_size": batch_size,
        "embedding_batch_size": batch_size,
        "median_filter": MEDIAN_FILTER if smoothed else None,
    }


def _clustering(
    config: OriginalConfig, repository: Repository
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Translate `[clustering.args]` to options and hyper-parameters."""
    plda = _part(repository, "plda")
    if not config.args("clustering"):  # the configuration of a training run
        has_plda = repository.find("plda/plda.npz") is not None
        method = "VBxClustering" if has_plda else "AgglomerativeClustering"
        options = {"clustering": method, **({"plda": plda} if has_plda else {})}
        return options, default_parameters(method)

    method = config.get("clustering", "method", str)
    linkage = config.args("clustering").get("linkage_method")
    if linkage is not None and method != "AgglomerativeClustering":
        raise ValueError(
            "`linkage_method` is an argument of AgglomerativeClustering, but `method` "
            f"in [clustering.args] of '{config.path}' is '{method}'."
        )
    if method == "VBxClustering":
        plda["lda_dimension"] = config.get("clustering", "lda_dim", int)
        # DiariZen ignores min_speakers and max_speakers with VBx
        return {"plda": plda, "clustering": method, **_vbx_options(config)}, {
            "threshold": config.get("clustering", "ahc_threshold", float),
            "Fa": config.get("clustering", "Fa", float),
            "Fb": config.get("clustering", "Fb", float),
        }
    if method == "AgglomerativeClustering":
        options = {
            "clustering": method,
            "min_speakers": config.get("clustering", "min_speakers", int),
            "max_speakers": config.get("clustering", "max_speakers", int),
        }
        return options, {
            "method": linkage or "centroid",
            "min_cluster_size": config.get("clustering", "min_cluster_size", int),
            "threshold": config.get("clustering", "ahc_threshold", float),
        }
    raise ValueError(
        f"`method` in [clustering.args] of '{config.path}' should be "
        f"{' or '.join(METHODS)}, got '{method}'."
    )


def _vbx_options(config: OriginalConfig) -> dict[str, Any]:
    """Options of `VBxClustering`, empty if they are its defaults."""
    options = {
        "ahc_criterion": config.get("clustering", "ahc_criterion", str),
        "max_iterations": config.get("clustering", "max_iters", int),
    }
    return {} if options == VBX_OPTIONS else {"clustering_options": options}


def _part(repository: Repository, name: str) -> dict[str, Any]:
    """Arguments that load the part called `name`."""
    subfolder = "/".join(part for part in (repository.subfolder, name) if part)
    described = {
        "checkpoint": str(repository.checkpoint),
        "subfolder": subfolder or None,
        "revision": repository.revision,
    }
    return {key: value for key, value in described.items() if value is not None}


def _embedding(repository: Repository) -> dict[str, Any] | str:
    """Choose the embedding beside a segmentation on disk, or that of DiariZen."""
    own = repository.folder and repository.find(f"embedding/{WEIGHTS}")
    return _part(repository, "embedding") if own else EMBEDDING
