# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Segmentation models in the layout of DiariZen: `config.toml` beside weights.

`[model]` of the configuration names a class of DiariZen and its arguments, among them
the numbers of speakers per chunk and per frame. Other tables (trainer, data, optimizer)
are not used.
"""

import logging
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pyannote.audio.core.model import Model
from pyannote.audio.core.task import Problem, Resolution, Specifications
from pyannote.audio.models.segmentation import PyanNet
from torch import Tensor

from pyannote_diarizen.errors import unknown_keys
from pyannote_diarizen.models.fbank_conformer import FBankConformer
from pyannote_diarizen.models.multi_channel_wavlm_conformer import (
    MultiChannelWavLMConformer,
)
from pyannote_diarizen.models.wavlm_conformer import WavLMConformer
from pyannote_diarizen.repository import Repository
from pyannote_diarizen.wavlm.foreign import read_checkpoint
from pyannote_diarizen.wavlm.predefined import ORIGINAL
from pyannote_diarizen.weights import load_weights

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

logger = logging.getLogger(__name__)

CONFIG = "config.toml"
SPEAKERS = {"max_speakers_per_chunk": 4, "max_speakers_per_frame": 2}
"""Numbers of speakers where the configuration lacks them."""

_CONFORMER = (
    *("attention_in", "ffn_hidden", "num_head", "num_layer", "kernel_size", "dropout"),
    *("use_posi", "output_activate_function", "sample_rate"),
)
_CHANNELS = (
    *("channel_fusion_dim", "channel_fusion_layers", "channel_fusion_heads"),
    "num_channels",
)


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


@dataclass(frozen=True)
class Architecture:
    """Class of a segmentation model of DiariZen, and the same class here.

    Parameters
    ----------
    path : str
        `path` in `[model]`.
    model : type of Model
        Our class.
    names : mapping of str to str
        Names of arguments: original to ours.
    fixed : mapping of str to Any
        Arguments of our class that the original lacks.
    implied : tuple of str
        Arguments of the original that follow from others, or have no effect.
    speakers : tuple of str
        Keys of `SPEAKERS` that the original takes.
    """

    path: str
    model: type[Model]
    names: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    implied: tuple[str, ...] = ("selected_channel", "num_channels")
    speakers: tuple[str, ...] = tuple(SPEAKERS)

    @property
    def known(self) -> tuple[str, ...]:
        """Names that `[model.args]` may hold."""
        return (*self.names, *self.implied, "chunk_size", *self.speakers)


_WAVLM_SHAPE = ("wavlm_layer_num", "wavlm_feat_dim")
ARCHITECTURES = (
    Architecture(
        path="diarizen.models.eend.model_wavlm_conformer.Model",
        model=WavLMConformer,
        names={"wavlm_src": "wavlm", **_same(*_CONFORMER)},
        implied=(*_WAVLM_SHAPE, "selected_channel", "num_channels"),
    ),
    Architecture(
        path="diarizen.models.eend.model_wavlm_conformer_mc.Model",
        model=MultiChannelWavLMConformer,
        names={"wavlm_src": "wavlm", **_same(*_CONFORMER, *_CHANNELS)},
        implied=_WAVLM_SHAPE,
    ),
    Architecture(
        path="diarizen.models.eend.model_fbank_conformer.Model",
        model=FBankConformer,
        names={
            "n_fft": "n_fft",
            "n_mels": "n_mels",
            "win_length": "win_length_ms",
            "hop_length": "hop_length_ms",
            **_same(*_CONFORMER),
        },
        speakers=("max_speakers_per_chunk",),
    ),
    Architecture(
        path="diarizen.models.eend.model_pyannote.Model",
        model=PyanNet,
        fixed={"lstm": {"num_layers": 4, "dropout": 0.5}},
        speakers=("max_speakers_per_chunk",),
    ),
)


@dataclass(frozen=True)
class OriginalConfig:
    """Content of a `config.toml` of DiariZen.

    Parameters
    ----------
    path : Path
        Path of the file, for messages.
    tables : mapping
        Content of the file.
    """

    path: Path
    tables: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> "OriginalConfig":
        """Read a file.

        Raises
        ------
        ValueError
            If the file is not TOML; the message gives the line.
        """
        try:
            return cls(path, tomllib.loads(path.read_text(encoding="utf-8")))
        except ValueError as error:  # syntax, or bytes that are not UTF-8
            raise ValueError(f"'{path}' is not TOML: {error}") from error

    def args(self, table: str) -> dict[str, Any]:
        """Return the arguments in `[table.args]`, empty if there is no such table."""
        content = self.tables.get(table, {})
        args = content.get("args", {}) if isinstance(content, Mapping) else None
        if not isinstance(args, Mapping):
            raise ValueError(f"[{table}.args] of '{self.path}' should be a table.")
        return dict(args)

    def get(self, table: str, name: str, kind: type) -> Any:
        """Return a required argument in `[table.args]`.

        Parameters
        ----------
        table, name : str
        kind : {bool, int, float, str}
            Expected type. Integers are valid for float.

        Raises
        ------
        ValueError
            If the argument is missing, or of another type.
        """
        args = self.args(table)
        if name not in args:
            raise ValueError(f"[{table}.args] of '{self.path}' lacks {name}.")
        value = args[name]
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind:
            raise ValueError(
                f"{name} in [{table}.args] of '{self.path}' should be of type "
                f"{kind.__name__}, got {value!r}."
            )
        return value

    def unknown(self, table: str, known: Collection[str]) -> str:
        """Message about unknown arguments in `[table.args]`, "" if there is none."""
        unknown = [name for name in self.args(table) if name not in known]
        if not unknown:
            return ""
        return unknown_keys(f"in [{table}.args] of '{self.path}'", unknown, known)

    @property
    def architecture(self) -> Architecture:
        """Architecture that `[model]` describes.

        Raises
        ------
        ValueError
            If the class or one of its arguments is unknown.
        """
        model = self.tables.get("model")
        path = model.get("path") if isinstance(model, Mapping) else None
        known = {architecture.path: architecture for architecture in ARCHITECTURES}
        if path not in known:
            raise ValueError(
                f"`path` in [model] of '{self.path}' should be one of "
                f"{', '.join(known)}, got {path!r}."
            )
        if unknown := self.unknown("model", known[path].known):
            raise ValueError(unknown)
        return known[path]


def build_original(
    config: OriginalConfig,
    state_dict: Mapping[str, Tensor],
    repository: Repository,
    weights_only: bool = True,
) -> Model:
    """Build the segmentation model that a `config.toml` describes.

    Parameters
    ----------
    config : OriginalConfig
    state_dict : mapping of str to Tensor
        Weights of the model.
    repository : Repository
        Repository of both, which may also hold the WavLM that the configuration names.
    weights_only : bool, optional
        See `read_weights`. Defaults to True.

    Returns
    -------
    model : Model
        Model in evaluation mode. Its chunks last as long as in training, or as in
        inference if the configuration lacks the former.

    Raises
    ------
    ValueError
        If configuration and weights do not fit together.
    """
    architecture = config.architecture
    args = config.args("model")
    options = {
        ours: args[name] for name, ours in architecture.names.items() if name in args
    }
    if "wavlm" in options:
        options["wavlm"] = _find_wavlm(options["wavlm"], repository, weights_only)
    try:
        model = architecture.model(**options, **architecture.fixed)
        model.specifications = _specifications(config)
        model.setup()
    except (TypeError, ValueError, RuntimeError, AssertionError) as error:
        raise ValueError(
            f"[model.args] of '{config.path}' are not valid: {error}"
        ) from error
    load_weights(model, state_dict, str(repository))
    _warn_of_licence()
    return model.eval()


def _specifications(config: OriginalConfig) -> Specifications:
    args = config.args("model")
    for name, value in SPEAKERS.items():
        args[name] = config.get("model", name, int) if name in args else value
    in_chunk, at_once = args["max_speakers_per_chunk"], args["max_speakers_per_frame"]
    if not 1 <= at_once <= in_chunk:
        raise ValueError(
            "max_speakers_per_frame should be at least 1 and at most "
            f"max_speakers_per_chunk, got {at_once} and {in_chunk}."
        )
    # `chunk_size` may be missing: it has a default in DiariZen, used in training only
    table, name = ("model", "chunk_size")
    if name not in args:
        table, name = ("inference", "seg_duration")
    return Specifications(
        problem=Problem.MONO_LABEL_CLASSIFICATION,
        resolution=Resolution.FRAME,
        duration=config.get(table, name, float),
        classes=[f"speaker#{number}" for number in range(1, in_chunk + 1)],
        powerset_max_classes=at_once,
        permutation_invariant=True,
    )


def _find_wavlm(
    source: str, repository: Repository, weights_only: bool
) -> str | dict[str, Any]:
    """Find the configuration of the WavLM that `wavlm_src` names."""
    if source.lower() in ORIGINAL:
        return source.lower()
    # a path of the machine where the model was trained: only its last part is valid
    path = repository.find(Path(source).name)
    if path is None:
        raise FileNotFoundError(
            f"`wavlm_src` in {CONFIG} of '{repository}' should be one of "
            f"{', '.join(ORIGINAL)}, or a file beside it. Put '{source}', the WavLM "
            "that training started from, there."
        )
    wavlm, _ = read_checkpoint(path, weights_only)
    return wavlm.to_dict()


@cache
def _warn_of_licence() -> None:
    """Log the licence of published weights, once per process."""
    logger.warning(
        "Weights published by the authors of DiariZen are licensed CC BY-NC 4.0: not "
        "for commercial use."
    )
