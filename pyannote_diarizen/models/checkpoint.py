# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Models from checkpoints of pyannote.audio or DiariZen, and back.

pyannote.audio runs the code that its checkpoints hold. Here they are read for their
weights, and for the few harmless objects that it puts beside them.
"""

from collections.abc import Mapping
from importlib import import_module
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

import lightning
import torch
from pyannote.audio.core.model import Model
from pyannote.audio.core.task import Problem, Resolution, Specifications
from pyannote.audio.utils.dependencies import (
    WrongDependencyVersion,
    check_dependencies,
)
from pyannote.audio.utils.hf_hub import AssetFileName
from torch.torch_version import TorchVersion

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
    """Model of a checkpoint, ready for inference.

    Parameters
    ----------
    checkpoint : Path or str
        File, folder, or owner/name on the Hugging Face Hub.
    subfolder, revision, token, cache_dir : optional
        See `Repository`.
    weights_only : bool, optional
        Refuse files that hold more than weights. False runs the code they hold.
        Defaults to True.

    Returns
    -------
    model : Model
        In evaluation mode.

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If it is damaged or no checkpoint, or holds more than weights.
    CheckpointMismatchError
        If its weights are not those of its model; the message lists them.
    """
    path = Path(checkpoint).expanduser()
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
            f"'{path}' is no checkpoint of pyannote.audio, nor one of DiariZen, which "
            f"is a dictionary of weights and has a {CONFIG} beside it."
        )
    return build_original(
        OriginalConfig.read(config), content, repository, weights_only
    )


def read_model(path: Path, weights_only: bool = True) -> Any:
    """Read what `read_weights` reads, and what pyannote.audio puts beside weights.

    Parameters
    ----------
    path : Path
    weights_only : bool, optional
        Refuse a file that holds more. Defaults to True.

    Returns
    -------
    content : Any
        A dictionary, in checkpoints.
    """
    with torch.serialization.safe_globals(_BESIDE_WEIGHTS):
        return read_weights(path, weights_only)


def _build(checkpoint: Mapping[str, Any], path: Path) -> Model:
    """Build the model of a checkpoint of pyannote.audio, with its weights."""
    model = build_model(checkpoint, path)
    # the loss of a trained embedding has weights of its own, of use in training only
    state_dict = {
        key: weight
        for key, weight in checkpoint["state_dict"].items()
        if not key.startswith("loss_func.")
    }
    load_weights(model, state_dict, path)
    return model.eval()


def build_model(checkpoint: Mapping[str, Any], path: Path) -> Model:
    """Build the model of a checkpoint of pyannote.audio, without its weights.

    Parameters
    ----------
    checkpoint : Mapping
        What `read_model` returns.
    path : Path
        Where it comes from, for messages.

    Raises
    ------
    ValueError
        If it needs a package that is not installed, or a newer one.
    CheckpointMismatchError
        If it describes no model.
    """
    try:
        versions = checkpoint["pyannote.audio"]["versions"]
        check_dependencies({"pyannote.audio": versions["pyannote.audio"]}, "Model")
        architecture = checkpoint["pyannote.audio"]["architecture"]
        kind = getattr(import_module(architecture["module"]), architecture["class"])
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
    except (AttributeError, KeyError, TypeError) as error:
        raise CheckpointMismatchError(
            f"'{path}' does not describe a model of pyannote.audio, "
            f"{type(error).__name__}: {error}"
        ) from error
    return model


def _arguments(kind: type[Model], stored: Mapping[str, Any]) -> Mapping[str, Any]:
    """Leave out what is no argument: some models store more, as Lightning lets them."""
    parameters = signature(kind).parameters
    if any(
        parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters.values()
    ):
        return stored
    return {key: value for key, value in stored.items() if key in parameters}


def save_model(model: Model, path: Path) -> None:
    """Write a checkpoint that pyannote.audio loads.

    Parameters
    ----------
    model : Model
        With specifications.
    path : Path
        File to write; its folder is made if needed.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    checkpoint = {
        "state_dict": model.state_dict(),
        "hyper_parameters": dict(model.hparams),
        "pytorch-lightning_version": lightning.__version__,
    }
    model.on_save_checkpoint(checkpoint)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_weights(checkpoint, path)
