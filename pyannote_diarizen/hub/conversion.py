# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Conversion of pipelines to folders in the layout of pyannote.audio or DiariZen.

A folder contains all parts of the pipeline and needs no network. Models are written to
`pytorch_model.bin`, since pyannote.audio cannot read safetensors.
"""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pyannote.audio import Pipeline
from pyannote.audio.core.model import Model

from pyannote_diarizen.atomic import expand_home, new_folder
from pyannote_diarizen.clustering.plda import PLDA
from pyannote_diarizen.export.network import ExportedModel
from pyannote_diarizen.hub.bundled import resolve_pipeline
from pyannote_diarizen.hub.loading import naming_in_errors
from pyannote_diarizen.hub.original_layout import write_original
from pyannote_diarizen.models.checkpoint import WEIGHTS, save_model
from pyannote_diarizen.pipelines import DiariZen
from pyannote_diarizen.pipelines.components import load_network, load_plda
from pyannote_diarizen.pipelines.published import (
    HOST_CONFIG,
    PRESET_FOLDER,
    check_hyper_parameters,
    pretrained_config,
)
from pyannote_diarizen.repository import Repository
from pyannote_diarizen.resources import bundled_pipelines
from pyannote_diarizen.wavlm import WavLM

Layout = Literal["pyannote", "diarizen"]
CARD = "README.md"


def convert(
    source: Path | str,
    destination: Path,
    layout: Layout = "pyannote",
    embedding: Path | str | None = None,
    revision: str | None = None,
    token: str | bool | None = None,
    cache_dir: Path | str | None = None,
    weights_only: bool = True,
) -> None:
    """Write a pipeline into a new folder.

    Parameters
    ----------
    source : Path or str
        Name, folder, configuration file, or owner/name on the Hugging Face Hub; see
        `resolve_pipeline`.
    destination : Path
        Folder to create. It does not exist after an error.
    layout : {"pyannote", "diarizen"}, optional
        "pyannote" for `Pipeline.from_pretrained` of pyannote.audio (default),
        "diarizen" for the original DiariZen.
    embedding : Path or str, optional
        Embedding that replaces the embedding of `source`.
    revision, token, cache_dir : optional
        See `Repository`.
    weights_only : bool, optional
        Refuse models that hold more than weights. False runs the code they hold.
        Defaults to True.

    Raises
    ------
    OSError
        If `source` does not exist, or `destination` exists or cannot be written.
    ValueError
        If `source` cannot be loaded, or not converted to `layout`.
    """
    found = resolve_pipeline(source)
    options: dict[str, Any] = {} if embedding is None else {"embedding": embedding}
    with naming_in_errors(source), new_folder(Path(destination)) as folder:
        config = pretrained_config(
            found,
            revision=revision,
            token=token,
            cache_dir=cache_dir,
            weights_only=weights_only,
            **options,
        )
        params = config["pipeline"]["params"]
        params.update(token=token, cache_dir=cache_dir)
        if layout == "diarizen":
            write_original(config, folder)
            DiariZen.from_pretrained(folder)
        else:
            write_pyannote(config, folder)
            check_hyper_parameters(Pipeline.from_pretrained(folder), config)
            _copy_presets(found, folder)
        if "segmentation" in params:
            _copy_card(params["segmentation"], folder, token, cache_dir)


def _save(model: Model, folder: Path) -> None:
    save_model(model, folder / WEIGHTS)


def write_pyannote(
    config: Mapping[str, Any],
    folder: Path,
    write_model: Callable[[Model, Path], None] = _save,
) -> None:
    """Write a pipeline in the layout of pyannote.audio.

    Parameters
    ----------
    config : Mapping
        Result of `pretrained_config`.
    folder : Path
        Folder to write to.
    write_model : callable, optional
        Function of a model and its folder, which it writes. Defaults to a checkpoint.

    Raises
    ------
    ValueError
        If a model is not one of pyannote.audio, or runs outside of torch.
    """
    params = dict(config["pipeline"]["params"])
    token, cache_dir = params.pop("token", None), params.pop("cache_dir", None)
    for role in [role for role in ("segmentation", "embedding") if role in params]:
        model = load_network(params[role], role, token, cache_dir)
        check_model(model, role)
        (folder / role).mkdir()
        write_model(model, folder / role)
        params[role] = f"$model/{role}"
    plda = load_plda(params.get("plda"), token, cache_dir)
    if isinstance(plda, PLDA):
        plda.save(folder / "plda")
        params["plda"] = _plda(plda)
    written = {**config, "pipeline": {**config["pipeline"], "params": params}}
    text = yaml.safe_dump(written, sort_keys=False)
    (folder / HOST_CONFIG).write_text(text, encoding="utf-8")


def check_model(model: Any, role: str) -> None:
    """Raise a `ValueError` unless a network is a finished model of pyannote.audio."""
    if isinstance(model, ExportedModel):
        raise ValueError(
            f"`{role}` is exported already, to '{model.path}': give the model that it "
            "was made from."
        )
    if not isinstance(model, Model):
        raise ValueError(
            f"`{role}` should be a model of pyannote.audio, got '{model}'."
        )
    wavlm = getattr(model, "wavlm_model", None)
    if isinstance(wavlm, WavLM) and wavlm.config.has_gates:
        raise ValueError(
            f"`{role}` has gates, of the first stage of a pruning: `pyannote-diarizen "
            "average RUN --prune` removes them."
        )


def _plda(plda: PLDA) -> str | dict[str, Any]:
    """Return the reference to `plda/` in config.yaml."""
    if plda.lda_dimension == len(plda.parameters.psi):
        return "$model/plda"
    return {"checkpoint": "$model/plda", "lda_dimension": plda.lda_dimension}


def _copy_presets(source: Path | str, folder: Path) -> None:
    """Copy the presets of a pipeline on disk; presets on the hub cannot be listed."""
    path = expand_home(source)
    presets = (path.parent if path.is_file() else path) / PRESET_FOLDER
    if presets.is_dir():
        shutil.copytree(presets, folder / PRESET_FOLDER)


def _copy_card(segmentation: Any, folder: Path, *hub: Any) -> None:
    """Copy the model card of the segmentation, which states the licence."""
    described = segmentation if isinstance(segmentation, Mapping) else {}
    named: Any = described.get("checkpoint", segmentation)
    checkpoint = bundled_pipelines().get(str(named), named)
    if Path(checkpoint).is_file():
        checkpoint = Path(checkpoint).parent
    repository = Repository(checkpoint, None, described.get("revision"), *hub)
    if card := repository.find(CARD):
        shutil.copyfile(card, folder / CARD)
