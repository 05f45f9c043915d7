# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Checkpoints of models: load and save them, and compare their weights.

pyannote.audio executes code that a checkpoint holds. `load_model` does not: it reads
weights and the few harmless objects that pyannote.audio stores beside them.
"""

import hashlib
from collections.abc import Mapping
from importlib import import_module
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from pyannote.audio.core.model import Model
from pyannote.audio.core.task import Problem, Resolution, Specifications
from pyannote.audio.utils.dependencies import (
    WrongDependencyVersion,
    check_dependencies,
)
from pyannote.audio.utils.hf_hub import AssetFileName
from torch import nn
from torch.torch_version import TorchVersion

from pyannote_diarizen.atomic import expand_home, replacing
from pyannote_diarizen.errors import CheckpointMismatchError
from pyannote_diarizen.models.original_checkpoint import (
    CONFIG,
    OriginalConfig,
    build_original,
)
from pyannote_diarizen.repository import Repository
from pyannote_diarizen.weights import load_weights, read_weights, save_weights

WEIGHTS = AssetFileName.Model.value
_BESIDE_WEIGHTS = [TorchVersion, Specifications, Problem, Resolution]


def load_model(
    checkpoint: Path | str,
    subfolder: str | None = None,
    revision: str | None = None,
    token: str | bool | None = None,
    cache_dir: Path | str | None = None,
    weights_only: bool = True,
) -> Model:
    """Load the model of a checkpoint, for inference.

    Parameters
    ----------
    checkpoint : Path or str
        File, folder, or owner/name on the Hugging Face Hub.
    subfolder, revision, token, cache_dir : optional
        See `Repository`.
    weights_only : bool, optional
        Refuse files that hold more than weights. False executes their code.
        Defaults to True.

    Returns
    -------
    model : Model
        In evaluation mode.

    Raises
    ------
    FileNotFoundError
        If there is no such checkpoint.
    ValueError
        If the file is damaged or not a checkpoint, or holds more than weights.
    CheckpointMismatchError
        If weights do not fit the model; the message lists them.
    """
    path = expand_home(checkpoint)
    if path.is_file():
        repository = Repository(path.parent)
    else:
        repository = Repository(checkpoint, subfolder, revision, token, cache_dir)
        path = repository.file(WEIGHTS)
    content = read_model(path, weights_only)
    if isinstance(content, Mapping) and "pyannote.audio" in content:
        return _build(content, path)
    config = repository.find(CONFIG)
    if config is None or not isinstance(content, Mapping):
        raise ValueError(
            f"'{path}' is not a checkpoint of pyannote.audio, nor one of DiariZen, "
            f"which is a dictionary of weights with a {CONFIG} beside it."
        )
    return build_original(
        OriginalConfig.read(config), content, repository, weights_only
    )


def read_model(path: Path, weights_only: bool = True) -> Any:
    """Read a file of weights, with the objects that pyannote.audio stores beside them.

    Parameters
    ----------
    path : Path
    weights_only : bool, optional
        Refuse a file that holds other objects. Defaults to True.

    Returns
    -------
    content : Any
        A dictionary, for checkpoints.
    """
    with torch.serialization.safe_globals(_BESIDE_WEIGHTS):
        return read_weights(path, weights_only)


def _build(checkpoint: Mapping[str, Any], path: Path) -> Model:
    """Build the model of a checkpoint of pyannote.audio, with its weights."""
    model = build_model(checkpoint, path)
    # losses with weights, used in training only
    state_dict = {
        key: weight
        for key, weight in checkpoint["state_dict"].items()
        if not key.startswith(("loss_func.", "identification_loss."))
    }
    load_weights(model, state_dict, path)
    return model.eval()


_MISFITS = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError)
"""Errors of constructors whose arguments come from another model."""


def build_model(checkpoint: Mapping[str, Any], path: Path) -> Model:
    """Build the model of a checkpoint of pyannote.audio, without its weights.

    Parameters
    ----------
    checkpoint : Mapping
        Output of `read_model`.
    path : Path
        File of the checkpoint, for messages.

    Raises
    ------
    ValueError
        If the model needs a package that is not installed, or a newer version.
    CheckpointMismatchError
        If the checkpoint does not describe a model.
    """
    try:
        versions = checkpoint["pyannote.audio"]["versions"]
        check_dependencies({"pyannote.audio": versions["pyannote.audio"]}, "Model")
        architecture = checkpoint["pyannote.audio"]["architecture"]
        kind = getattr(import_module(architecture["module"]), architecture["class"])
        # a file of weights may name any function, such as one that deletes files
        if not (isinstance(kind, type) and issubclass(kind, Model)):
            raise TypeError(f"{architecture['class']} is no model")
        model = kind(**_arguments(kind, checkpoint.get("hyper_parameters", {})))
        model.on_load_checkpoint(checkpoint)
        if "state_dict" not in checkpoint:
            raise KeyError("state_dict")
    except ImportError as error:
        raise ValueError(
            f"'{path}' needs a package that is not installed: {error}"
        ) from error
    except WrongDependencyVersion as error:
        raise ValueError(f"'{path}' cannot be loaded: {error}") from error
    except _MISFITS as error:
        raise CheckpointMismatchError(
            f"'{path}' does not describe a model of pyannote.audio, "
            f"{type(error).__name__}: {error}"
        ) from error
    return model


def _arguments(kind: type[Model], stored: Mapping[str, Any]) -> Mapping[str, Any]:
    """Keep the arguments of `kind`: Lightning lets models store other values."""
    parameters = signature(kind).parameters
    if any(
        parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters.values()
    ):
        return stored
    return {key: value for key, value in stored.items() if key in parameters}


def save_model(model: Model, path: Path) -> None:
    """Write a checkpoint that pyannote.audio loads, whole or not at all.

    Parameters
    ----------
    model : Model
        Model with specifications.
    path : Path
        File to write. Its folder is created if needed.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    checkpoint = {
        "state_dict": model.state_dict(),
        "hyper_parameters": dict(model.hparams),
        "pytorch-lightning_version": lightning.__version__,
    }
    model.on_save_checkpoint(checkpoint)
    with replacing(path) as temporary:
        save_weights(checkpoint, temporary)


def fingerprint(model: nn.Module) -> str:
    """Digest of the names, shapes and values of all weights and buffers.

    Embeddings of two models can be compared only if their fingerprints are equal.

    Parameters
    ----------
    model : nn.Module
        Model on any device. The file and format that it was loaded from do not matter:
        an exported model has the attribute `fingerprint` of the model it was made from.

    Returns
    -------
    digest : str
        SHA-256, in hexadecimal.
    """
    if exported := getattr(model, "fingerprint", None):
        return exported
    digest = hashlib.sha256()
    for name, weight in sorted(model.state_dict().items()):
        if weight.is_complex():
            weight = torch.view_as_real(weight)
        elif not weight.is_floating_point():
            continue  # counters of batches, which do not change outputs
        values = weight.detach().to("cpu", torch.float32).numpy()
        digest.update(f"{name} {tuple(values.shape)} ".encode())
        digest.update(np.ascontiguousarray(values, dtype="<f4").tobytes())
    return digest.hexdigest()
