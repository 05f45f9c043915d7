# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Configurations of published pipelines, in the layout of pyannote.audio or DiariZen.

Both become the dictionary that `Pipeline.from_pretrained` of pyannote.audio takes.
DiariZen's `config.toml` says it in the tables `[inference.args]` and
`[clustering.args]`, and leaves the embedding to the program that reads it.
"""

import warnings
from collections.abc import Mapping
from copy import deepcopy
from importlib.metadata import version
from inspect import signature
from pathlib import Path
from typing import Any

import yaml
from pyannote.audio import Pipeline
from pyannote.audio.core.pipeline import expand_subfolders
from pyannote.audio.utils.hf_hub import AssetFileName
from pyannote.core.utils.helper import get_class_by_name

from pyannote_diarizen.errors import unknown_keys
from pyannote_diarizen.models.checkpoint import WEIGHTS
from pyannote_diarizen.models.original_checkpoint import CONFIG, OriginalConfig
from pyannote_diarizen.pipelines.components import (
    CLUSTERING_PARAMETERS,
    clustering_name,
)
from pyannote_diarizen.repository import Repository

EMBEDDING = "pyannote/wespeaker-voxceleb-resnet34-LM"
"""Embedding of all published DiariZen pipelines."""

_DEPENDENCIES = ("pyannote.audio", "pyannote-diarizen")
PIPELINE = "pyannote_diarizen.pipelines.DiariZen"
HOST_CONFIG = AssetFileName.Pipeline.value
MEDIAN_FILTER = 11
"""Width of DiariZen's median filter, in frames."""

VBX_OPTIONS = {"ahc_criterion": "distance", "max_iterations": 20}
"""Defaults of the options of `VBxClustering` that DiariZen has too."""

_INFERENCE = (
    "seg_duration",
    "segmentation_step",
    "batch_size",
    "apply_median_filtering",
)
_CLUSTERING = (
    *("method", "min_speakers", "max_speakers", "ahc_criterion", "ahc_threshold"),
    *("Fa", "Fb", "lda_dim", "max_iters", "min_cluster_size"),
    # read by older versions of DiariZen, which did nothing with it
    *("merge_delta", "merge_max_length"),
)


def pretrained_config(
    checkpoint: Path | str | Mapping[str, Any],
    subfolder: str | None = None,
    revision: str | None = None,
    token: str | bool | None = None,
    cache_dir: Path | str | None = None,
    weights_only: bool = True,
    **options: Any,
) -> dict[str, Any]:
    """Read the configuration of a pipeline, and say in full what it refers to.

    Parameters
    ----------
    checkpoint : Path, str or Mapping
        Folder, configuration file, owner/name on the Hugging Face Hub, or the content
        of a `config.yaml`.
    subfolder, revision, token, cache_dir : optional
        See `Repository`.
    weights_only : bool, optional
        False reads models that hold more than weights and runs the code they hold.
        Defaults to True.
    **options
        Arguments of the pipeline that take precedence over the configuration.

    Returns
    -------
    config : dict
        What `pyannote.audio.Pipeline.from_pretrained` takes.

    Raises
    ------
    FileNotFoundError
        If there is no such pipeline.
    ValueError
        If its configuration is no such thing.
    """
    if isinstance(checkpoint, Mapping):
        config = deepcopy(dict(checkpoint))
    else:
        config = _read(checkpoint, subfolder, revision, token, cache_dir)
    params = config["pipeline"].setdefault("params", {})
    for given in (params, options):
        if "clustering" in given:
            given["clustering"] = clustering_name(given["clustering"])
    if options.get("clustering", params.get("clustering")) != params.get("clustering"):
        # what suits one clustering does not suit another
        params.pop("clustering_options", None)
        parameters = CLUSTERING_PARAMETERS.get(options["clustering"], {})
        config.setdefault("params", {})["clustering"] = dict(parameters)
    params.update(options)
    if config["pipeline"]["name"] == PIPELINE:
        _check_options(params)
    if not weights_only:
        for role in {"segmentation", "embedding"} & set(params):
            params[role] = _trusted(params[role])
    return config


def check_hyper_parameters(pipeline: Pipeline, config: Mapping[str, Any]) -> None:
    """Refuse a configuration with some hyper-parameters only.

    For want of one, pyannote.audio sets all of them to their defaults.

    Parameters
    ----------
    pipeline : Pipeline
        That `config` made.
    config : Mapping
        What `Pipeline.from_pretrained` took. May have no hyper-parameters at all.

    Raises
    ------
    ValueError
        If one is missing.
    """
    wanted, given = (
        set(pipeline._flatten(pipeline.parameters(instantiated=instantiated)))
        for instantiated in (False, True)
    )
    if config.get("params") and wanted > given:
        raise ValueError(
            f"`params` lacks {', '.join(sorted(wanted - given)).replace('>', '.')}."
        )


def _read(checkpoint: Path | str, *where: Any) -> dict[str, Any]:
    path = Path(checkpoint).expanduser()
    if path.is_file():
        repository = Repository(path.parent)
    else:
        repository = Repository(checkpoint, *where)
        path = repository.file(CONFIG, HOST_CONFIG)
    if path.suffix == Path(CONFIG).suffix:
        return original_config(OriginalConfig.read(path), repository)
    config = _read_yaml(path)
    expand_subfolders(
        config,
        repository.folder or repository.checkpoint,
        parent_subfolder=repository.subfolder,
        parent_revision=repository.revision,
        token=repository.token,
        cache_dir=repository.cache_dir,
    )
    return config


def original_config(config: OriginalConfig, repository: Repository) -> dict[str, Any]:
    """Translate a `config.toml` of DiariZen.

    Parameters
    ----------
    config : OriginalConfig
    repository : Repository
        Where it comes from, with the weights beside it.

    Returns
    -------
    config : dict
        What `pyannote.audio.Pipeline.from_pretrained` takes.

    Raises
    ------
    ValueError
        If it lacks something, or holds what no clustering of ours does.
    """
    for table, known in (("inference", _INFERENCE), ("clustering", _CLUSTERING)):
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
    """Options that `[inference.args]` stands for."""
    if not config.args("inference"):
        return {}
    batch_size = config.get("inference", "batch_size", int)
    smoothed = config.get("inference", "apply_median_filtering", bool)
    return {
        "seg_duration": config.get("inference", "seg_duration", float),
        "segmentation_step": config.get("inference", "segmentation_step", float),
        "segmentation_batch_size": batch_size,
        "embedding_batch_size": batch_size,
        "median_filter": MEDIAN_FILTER if smoothed else None,
    }


def _clustering(
    config: OriginalConfig, repository: Repository
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Options and hyper-parameters that `[clustering.args]` stands for."""
    plda = _part(repository, "plda")
    if not config.args("clustering"):  # configuration of a training
        has_plda = repository.find("plda/plda.npz") is not None
        method = "VBxClustering" if has_plda else "AgglomerativeClustering"
        options = {"clustering": method, **({"plda": plda} if has_plda else {})}
        return options, dict(CLUSTERING_PARAMETERS[method])

    method = config.get("clustering", "method", str)
    if method == "VBxClustering":
        plda["lda_dimension"] = config.get("clustering", "lda_dim", int)
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
            "method": "centroid",
            "min_cluster_size": config.get("clustering", "min_cluster_size", int),
            "threshold": config.get("clustering", "ahc_threshold", float),
        }
    raise ValueError(
        f"`method` in [clustering.args] of '{config.path}' should be VBxClustering "
        f"or AgglomerativeClustering, got '{method}'."
    )


def _vbx_options(config: OriginalConfig) -> dict[str, Any]:
    """Options of `VBxClustering`, nothing if they are its defaults."""
    options = {
        "ahc_criterion": config.get("clustering", "ahc_criterion", str),
        "max_iterations": config.get("clustering", "max_iters", int),
    }
    return {} if options == VBX_OPTIONS else {"clustering_options": options}


def _part(repository: Repository, name: str) -> dict[str, Any]:
    """Arguments with which the part called `name` is loaded."""
    subfolder = "/".join(part for part in (repository.subfolder, name) if part)
    described = {
        "checkpoint": str(repository.checkpoint),
        "subfolder": subfolder or None,
        "revision": repository.revision,
    }
    return {key: value for key, value in described.items() if value is not None}


def _embedding(repository: Repository) -> dict[str, Any] | str:
    """Return the embedding that lies beside a segmentation on disk, or DiariZen's."""
    own = repository.folder and repository.find(f"embedding/{WEIGHTS}")
    return _part(repository, "embedding") if own else EMBEDDING


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"'{path}' is not YAML: {error}") from error
    pipeline = config.get("pipeline") if isinstance(config, dict) else None
    if not isinstance(pipeline, dict) or "name" not in pipeline:
        raise ValueError(
            f"'{path}' describes no pipeline: it lacks `pipeline` with a `name`."
        )
    return config


def _check_options(options: Mapping[str, Any]) -> None:
    """Refuse options that `DiariZen` does not have."""
    known = signature(get_class_by_name(PIPELINE)).parameters
    if unknown := [name for name in options if name not in known]:
        raise ValueError(unknown_keys("among the options of DiariZen", unknown, known))


def _trusted(model: Any) -> Any:
    if isinstance(model, (str, Path)):
        return {"checkpoint": model, "weights_only": False}
    return {**model, "weights_only": False} if isinstance(model, Mapping) else model
