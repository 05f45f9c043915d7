# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Exported networks in a folder, and their use as models of pyannote.audio.

The folder has two files: `network` with the suffix of the format, and `network.json`,
which holds what the graph does not: sample rate, position of frames, classes, and
architecture and hyper-parameters of the model.
"""

import json
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from pyannote.audio.core.model import Model
from pyannote.audio.core.task import Problem, Resolution, Specifications
from torch import Tensor

from pyannote_diarizen.atomic import expand_home
from pyannote_diarizen.audio.reader import AudioReader
from pyannote_diarizen.export.exporter import Exporter, Runner, find_exporter
from pyannote_diarizen.export.graphs import GRAPHS, role_of
from pyannote_diarizen.models.checkpoint import build_model, fingerprint
from pyannote_diarizen.repository import Repository
from pyannote_diarizen.weights import load_weights, read_weights, save_safetensors

DESCRIPTION = "network.json"
_STEM = Path(DESCRIPTION).stem

TOLERANCE = 1e-3
"""Largest difference between the outputs of a network in float32 and of its model, as a
ratio of the largest output."""


def write_network(
    model: Model, folder: Path, format_name: str, precision: str | None = None
) -> dict[str, Any]:
    """Export a model to a folder.

    Parameters
    ----------
    model : Model
        Segmentation or embedding model.
    folder : Path
        Folder that exists.
    format_name : str
        Name of the exporter, as in "onnx".
    precision : str, optional
        One of the `precisions` of the exporter. Defaults to the first.

    Returns
    -------
    description : dict
        Content of `network.json`.

    Raises
    ------
    MissingPackagesError
        If a package is missing.
    ValueError
        If the model or precision cannot be exported to this format.
    """
    if isinstance(model, ExportedModel):
        raise ValueError(f"'{model.path}' is exported already: give its model.")
    exporter = find_exporter(format_name)
    precision = exporter.check(precision)
    path = folder / f"{_STEM}{exporter.suffix}"
    description = {
        "format": format_name,
        "file": path.name,
        "precision": precision,
        **_describe(model),
    }
    exporter.write(model, path, precision)
    text = json.dumps(description, indent=2, default=_plain)
    (folder / DESCRIPTION).write_text(text + "\n", encoding="utf-8")
    exported = load_exported(folder)
    if precision == "float32" and isinstance(exported, ExportedModel):
        _check_output(model, exported)
    return description


def load_exported(
    checkpoint: Path | str,
    subfolder: str | None = None,
    revision: str | None = None,
    token: str | bool | None = None,
    cache_dir: Path | str | None = None,
    weights_only: bool = True,
) -> Model | None:
    """Load an exported network.

    Parameters
    ----------
    checkpoint : Path or str
        Folder, or owner/name on the Hugging Face Hub.
    subfolder, revision, token, cache_dir : optional
        See `Repository`.
    weights_only : bool, optional
        Has no effect: networks hold no Python code.

    Returns
    -------
    model : Model or None
        None if the folder has no `network.json`.

    Raises
    ------
    FileNotFoundError
        If the file of the network is missing.
    MissingPackagesError
        If the runtime is not installed.
    ValueError
        If the description or the file is damaged.
    """
    if expand_home(checkpoint).is_file():
        return None
    repository = Repository(checkpoint, subfolder, revision, token, cache_dir)
    found = repository.find(DESCRIPTION)
    if found is None:
        return None
    try:
        description = json.loads(found.read_text(encoding="utf-8"))
        exporter = find_exporter(description["format"])
        path = repository.file(description["file"])
        for suffix in exporter.companions:
            repository.file(path.with_suffix(suffix).name)
        if isinstance(exporter, SafetensorsExporter):
            return exporter.load(path, description)
        kinds = {"segmentation": ExportedModel, "embedding": ExportedEmbedding}
        return kinds[description["role"]](description, exporter, path)
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(
            f"'{found}' does not describe a network, {type(error).__name__}: {error}. "
            "Export it again."
        ) from error


@dataclass(frozen=True)
class FrameGrid:
    """Position of the frames of a model, in samples.

    A composition of convolutions is one convolution: frame t starts `step` samples
    after frame t - 1, and n samples have 1 + floor((n - `offset`) / `step`) frames.

    Parameters
    ----------
    size : int
        Size of the receptive field.
    step : int
        Step between frames.
    center : int
        Centre of the first frame.
    offset : int
        Number of samples of the first frame: `size` minus the padding.
    """

    size: int
    step: int
    center: int
    offset: int

    @classmethod
    def of(cls, model: Model, num_frames: int = 100) -> "FrameGrid":
        """Find the grid of a model, from the shortest waveform of `num_frames`."""
        size = model.receptive_field_size(1)
        step = model.receptive_field_size(2) - size
        shortest = bisect_left(
            range(size + num_frames * step), num_frames, key=model.num_frames
        )
        offset = shortest - (num_frames - 1) * step
        return cls(size, step, model.receptive_field_center(0), offset)


class ExportedModel(Model):
    """Model whose network runs outside of torch.

    Parameters
    ----------
    description : Mapping
        Content of `network.json`.
    exporter : Exporter
        Exporter of the format.
    path : Path
        File of the network, which is opened at once, on the CPU.
    """

    def __init__(
        self, description: Mapping[str, Any], exporter: Exporter, path: Path
    ) -> None:
        super().__init__()
        self.hparams.sample_rate = description["sample_rate"]
        self.audio = AudioReader(self.hparams.sample_rate, mono="downmix")
        if description["specifications"] is not None:
            self.specifications = _specifications(description["specifications"])
        self.description, self.exporter, self.path = description, exporter, path
        self.frames = FrameGrid(**description["frames"])
        exporter.check()
        self._runners: dict[str, Runner] = {}
        self._runner(torch.device("cpu"))
        self.eval()

    @property
    def dimension(self) -> int:
        """Number of classes, or dimension of embeddings."""
        return self.description["dimension"]

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the exported model: embeddings of both are comparable."""
        return self.description["fingerprint"]

    def num_frames(self, num_samples: int) -> int:
        """Return the number of frames of `num_samples` samples."""
        return max(0, (num_samples - self.frames.offset) // self.frames.step + 1)

    def receptive_field_size(self, num_frames: int = 1) -> int:
        """Return the number of samples that `num_frames` frames depend on."""
        return self.frames.size + (num_frames - 1) * self.frames.step

    def receptive_field_center(self, frame: int = 0) -> int:
        """Return the sample at the centre of the receptive field of `frame`."""
        return self.frames.center + frame * self.frames.step

    def forward(self, waveforms: Tensor) -> Tensor:
        """Map (batch, 1, num_samples) to (batch, num_frames, num_classes)."""
        return self.run(waveforms)

    def run(self, waveforms: Tensor, *others: Tensor) -> Tensor:
        """Run the network.

        Raises
        ------
        ValueError
            If `waveforms` are not (batch, 1, num_samples), or less than one frame.
        """
        shortest = max(1, self.frames.offset)
        if waveforms.ndim != 3 or waveforms.shape[1] != 1:
            raise ValueError(
                "`waveforms` should be (batch, channel, sample) with one channel, got "
                f"shape {tuple(waveforms.shape)}."
            )
        if waveforms.shape[2] < shortest:
            raise ValueError(
                f"`waveforms` should have at least {shortest} samples, got shape "
                f"{tuple(waveforms.shape)}."
            )
        return self._runner(waveforms.device)(waveforms, *others)

    def _runner(self, device: torch.device) -> Runner:
        if str(device) not in self._runners:
            self._runners[str(device)] = self.exporter.open(self.path, device)
        return self._runners[str(device)]

    def __getstate__(self) -> dict[str, Any]:
        """Leave open files out of copies, which open them again."""
        return {**super().__getstate__(), "_runners": {}}


class ExportedEmbedding(ExportedModel):
    """Exported embedding model: one graph computes frames and pools them."""

    def forward_frames(self, waveforms: Tensor) -> Tensor:
        """Return the waveforms, input of `forward_embedding`."""
        return waveforms

    def forward_embedding(
        self, frames: Tensor, weights: Tensor | None = None
    ) -> Tensor:
        """Extract embeddings.

        Parameters
        ----------
        frames : (batch, 1, num_samples) Tensor
            Waveforms.
        weights : (batch, num_weights) or (batch, num_speakers, num_weights) Tensor
            Weight of each instant. Defaults to equal weights.

        Returns
        -------
        embeddings : (batch, dimension) or (batch, num_speakers, dimension) Tensor
        """
        if weights is None:
            weights = frames.new_ones(len(frames), 1)
        if weights.ndim == 3:
            return self.run(frames, weights)
        return self.run(frames, weights.unsqueeze(1)).squeeze(1)

    def forward(self, waveforms: Tensor, weights: Tensor | None = None) -> Tensor:
        """Extract embeddings, see `forward_embedding`."""
        return self.forward_embedding(waveforms, weights)


class SafetensorsExporter(Exporter):
    """Weights without code, in the format of safetensors; torch runs the model."""

    suffix = ".safetensors"

    def write(self, model: Model, path: Path, precision: str) -> None:
        """Write the weights of a model."""
        save_safetensors(model.state_dict(), path)

    def open(self, path: Path, device: torch.device) -> Runner:
        """Refuse: weights alone cannot be run."""
        raise ValueError(
            f"'{path}' holds weights only: load it as the model of a pipeline."
        )

    def load(self, path: Path, description: Mapping[str, Any]) -> Model:
        """Build the model that `network.json` describes."""
        checkpoint = {
            "pyannote.audio": {
                "versions": description["versions"],
                "architecture": description["architecture"],
                "specifications": _specifications(description["specifications"]),
            },
            "hyper_parameters": description["hyper_parameters"],
            "state_dict": read_weights(path),
        }
        model = build_model(checkpoint, path)
        load_weights(model, checkpoint["state_dict"], path)
        return model.eval()


@torch.inference_mode()
def _check_output(model: Model, exported: ExportedModel) -> None:
    """Raise a `ValueError` if a network gives another output than its model.

    Half of the input is silent: errors of small constants show there only.
    """
    inputs = GRAPHS[role_of(model)].example(model)
    inputs[0][..., inputs[0].shape[-1] // 2 :] = 0
    expected, computed = (each(*inputs).float() for each in (model, exported))
    difference = (computed - expected).abs().amax().item()
    if not difference <= TOLERANCE * expected.abs().amax().item():
        raise ValueError(
            f"The exported {type(model).__name__} gives another output than the model: "
            f"they differ by {difference:.2g}. The format cannot hold it."
        )


def _describe(model: Model) -> dict[str, Any]:
    """Describe what a graph does not hold."""
    stored = getattr(model, "_specifications", None)
    return {
        "role": role_of(model),
        "sample_rate": model.hparams.sample_rate,
        "dimension": model.dimension,
        "frames": asdict(FrameGrid.of(model)),
        "specifications": stored
        and {field.name: getattr(stored, field.name) for field in fields(stored)},
        "architecture": {
            "module": type(model).__module__,
            "class": type(model).__name__,
        },
        "hyper_parameters": dict(model.hparams),
        "fingerprint": fingerprint(model),
        "versions": {
            name: version(name)
            for name in ("pyannote.audio", "pyannote-diarizen", "torch")
        },
    }


def _plain(value: Any) -> Any:
    """Convert a value to one that JSON holds."""
    return value.name if isinstance(value, (Problem, Resolution)) else str(value)


def _specifications(stored: Mapping[str, Any]) -> Specifications:
    return Specifications(
        **{
            **stored,
            "problem": Problem[stored["problem"]],
            "resolution": Resolution[stored["resolution"]],
            "warm_up": tuple(stored["warm_up"]),
        }
    )
