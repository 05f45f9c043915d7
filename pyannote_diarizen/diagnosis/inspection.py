# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Loading of a checkpoint of any kind, and its description."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from pyannote.audio import Pipeline
from pyannote.audio.core.model import Model
from pyannote.audio.core.task import Specifications
from torch import nn

from pyannote_diarizen.atomic import expand_home
from pyannote_diarizen.clustering.plda import FILES, PLDA
from pyannote_diarizen.export.network import ExportedModel, load_exported
from pyannote_diarizen.hub.bundled import (
    CONFIGS,
    find_result,
    is_model,
    resolve_pipeline,
)
from pyannote_diarizen.hub.loading import naming_in_errors
from pyannote_diarizen.models.checkpoint import WEIGHTS, load_model, read_model
from pyannote_diarizen.models.original_checkpoint import CONFIG
from pyannote_diarizen.pipelines import DiariZen
from pyannote_diarizen.repository import Repository
from pyannote_diarizen.wavlm import WavLM, huggingface

Loaded: TypeAlias = Pipeline | Model | WavLM | PLDA


def load_checkpoint(
    checkpoint: Path | str,
    revision: str | None = None,
    token: str | bool | None = None,
    cache_dir: Path | str | None = None,
    weights_only: bool = True,
) -> Loaded:
    """Load a checkpoint, whatever it is.

    Parameters
    ----------
    checkpoint : Path or str
        File or folder of a pipeline, a model, a WavLM or a PLDA; name of a pipeline;
        or owner/name on the Hugging Face Hub.
    revision, token, cache_dir : optional
        See `Repository`.
    weights_only : bool, optional
        Refuse files that hold more than weights. False runs the code they hold.
        Defaults to True.

    Returns
    -------
    loaded : Pipeline, Model, WavLM or PLDA

    Raises
    ------
    OSError
        If it does not exist or cannot be downloaded.
    ValueError
        If it cannot be loaded.
    """
    hub: dict[str, Any] = {"revision": revision, "token": token, "cache_dir": cache_dir}
    checkpoint = find_result(checkpoint)
    path = expand_home(checkpoint)
    if path.is_dir() and is_model(path):
        path = path / WEIGHTS  # of a model, or of a WavLM
    if path.is_file():
        return _load_file(path, weights_only)
    if not path.is_dir():
        named = resolve_pipeline(checkpoint)
        if isinstance(named, Path):
            return _load_pipeline(named, weights_only=weights_only, **hub)
    repository = Repository(checkpoint, **hub)
    exported = load_exported(checkpoint, **hub)
    if exported is not None:
        return exported
    found = repository.file(*CONFIGS, huggingface.CONFIG, *FILES, WEIGHTS).name
    if found in FILES:
        return PLDA.from_pretrained(checkpoint, **hub)
    hub["weights_only"] = weights_only
    if found in CONFIGS:
        return _load_pipeline(checkpoint, **hub)
    if found == huggingface.CONFIG:
        return WavLM.from_pretrained(checkpoint, **hub)
    return load_model(checkpoint, **hub)


def _load_file(path: Path, weights_only: bool) -> Loaded:
    if path.suffix in (".yaml", ".yml", ".toml"):
        return _load_pipeline(path, weights_only=weights_only)
    if path.name in FILES:
        return PLDA.from_pretrained(path.parent)
    content = read_model(path, weights_only)
    keys = set(content) if isinstance(content, Mapping) else set()
    bare = path.with_name(CONFIG).is_file() and not {"config", "state_dict"} <= keys
    if bare or "pyannote.audio" in keys:
        return load_model(path, weights_only=weights_only)
    return WavLM.from_pretrained(path, weights_only=weights_only)


def _load_pipeline(source: Path | str, **options: Any) -> Pipeline:
    with naming_in_errors(source):
        return DiariZen.from_pretrained(source, **options)


def describe(loaded: Loaded) -> str:
    """Describe a checkpoint in one line: kind, class and size."""
    if isinstance(loaded, PLDA):
        return _plda(loaded)
    if isinstance(loaded, WavLM):
        return _wavlm(loaded)
    return _model(loaded) if isinstance(loaded, Model) else _pipeline(loaded)


def network(loaded: Loaded) -> nn.Module | None:
    """Return the network of a checkpoint in torch: of a pipeline, its segmentation."""
    if isinstance(loaded, DiariZen):
        loaded = loaded._segmentation.model
    if isinstance(loaded, ExportedModel):
        return None
    return loaded if isinstance(loaded, nn.Module) else None


def _pipeline(pipeline: Pipeline) -> str:
    kind = type(pipeline).__name__
    if not isinstance(pipeline, DiariZen):
        return f"pipeline {kind}"
    segmentation = pipeline._segmentation.model
    return (
        f"pipeline {kind} of {type(segmentation).__name__} in chunks of "
        f"{pipeline._segmentation.duration:g} s, with {pipeline.klustering}"
    )


def _model(model: Model) -> str:
    described = f"model {type(model).__name__}, {_size(model)}"
    if isinstance(model, ExportedModel):
        names = ("role", "format", "precision")
        role, kind, precision = map(model.description.get, names)
        described = f"{role} exported to {kind} in {precision}"
    specifications = getattr(model, "_specifications", None)
    if not isinstance(specifications, Specifications) or not specifications.powerset:
        return described
    return (
        f"{described}, up to {len(specifications.classes)} speakers in chunks of "
        f"{specifications.duration:g} s, {specifications.powerset_max_classes} at once"
    )


def _wavlm(wavlm: WavLM) -> str:
    return f"WavLM of {wavlm.config.encoder_num_layers} layers, {_size(wavlm)}"


def _plda(plda: PLDA) -> str:
    dimension = len(plda.parameters.mean1)
    return f"PLDA, from {dimension} to {plda.lda_dimension} dimensions"


def _size(module: nn.Module) -> str:
    num_parameters = sum(parameter.numel() for parameter in module.parameters())
    return f"{num_parameters / 1e6:.1f} million parameters"
