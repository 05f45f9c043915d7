# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Components of a pipeline: its networks, its PLDA, and its clustering by name.

Clusterings are the entry points `pyannote_diarizen.clustering` of all installed
packages. A class registered there is a `BaseClustering` of pyannote.audio. Its
constructor takes `metric`, `plda` if it needs one, and options; a static method
`default_parameters()` returns hyper-parameters to start from, if it has any.
"""

from collections.abc import Mapping
from inspect import signature
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, Literal

import numpy as np
from pyannote.audio.core import plda as host
from pyannote.audio.core.model import Model
from pyannote.audio.core.task import Resolution
from pyannote.audio.models.blocks.sincnet import SincNet
from pyannote.audio.pipelines.clustering import BaseClustering, Clustering
from pyannote.audio.pipelines.utils import PipelineModel, PipelinePLDA
from torch import nn

from pyannote_diarizen import plugins
from pyannote_diarizen.audio.reader import AudioReader
from pyannote_diarizen.clustering.plda import PLDA
from pyannote_diarizen.errors import unknown_keys
from pyannote_diarizen.export.cache import run_by
from pyannote_diarizen.export.network import load_exported
from pyannote_diarizen.functional.plda import PLDAParameters
from pyannote_diarizen.functional.speaker_bounds import check_expected_speakers
from pyannote_diarizen.models.campplus import CAMPPLUS, load_campplus
from pyannote_diarizen.models.checkpoint import load_model
from pyannote_diarizen.pipelines.compatibility import ORIGINAL_CLUSTERING
from pyannote_diarizen.resources import find_part

_OF_HOST = ("KMeansClustering", "OracleClustering")
"""Clusterings of pyannote.audio that `DiariZen` offers beside registered ones."""

WAVEFORM_EPS = 1e-14
"""Constant added to the variance of a waveform: far below that of 16-bit noise."""


def clustering_names() -> list[str]:
    """Names of all clusterings: registered ones, and two of the host."""
    return [*plugins.component_names("clustering"), *_OF_HOST]


def clustering_name(name: str | type[BaseClustering]) -> str:
    """Complete the name of a clustering.

    Parameters
    ----------
    name : str or type
        One of `clustering_names`, or a short name for it. Others are returned as they
        are. A class has its dotted path.

    Returns
    -------
    name : str
        Full name.

    Examples
    --------
    >>> clustering_name("vbx"), clustering_name("auto"), clustering_name("Mine")
    ('VBxClustering', 'AutoClustering', 'Mine')
    """
    if isinstance(name, type):
        return f"{name.__module__}.{name.__qualname__}"
    names = clustering_names()
    short = {full.removesuffix("Clustering").lower(): full for full in names}
    return short.get(name, name)


def find_clustering(name: str) -> type[BaseClustering]:
    """Import the class of a clustering: one of `clustering_names`, or a dotted path.

    Raises
    ------
    ValueError
        If there is no such class.
    """
    if name in _OF_HOST:
        return Clustering[name].value
    if "." not in name:
        return plugins.load_component("clustering", name)
    try:
        found = resolve_name(name)
    except (AttributeError, ImportError, ValueError) as error:
        raise ValueError(f"Clustering '{name}' cannot be imported: {error}") from error
    if not (isinstance(found, type) and issubclass(found, BaseClustering)):
        raise ValueError(
            f"Clustering '{name}' should be a class, a child of `BaseClustering` of "
            "pyannote.audio."
        )
    return found


def needs_plda(name: str) -> bool:
    """Whether the constructor of a clustering takes a PLDA."""
    return "plda" in signature(find_clustering(name)).parameters


def expects_number(clustering: BaseClustering) -> bool:
    """Whether a clustering cannot estimate the number of speakers."""
    return getattr(clustering, "expects_num_clusters", False)


def default_parameters(
    name: str, options: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Hyper-parameters to start from: `default_parameters()` of the class, if any.

    Parameters
    ----------
    name : str
        One of `clustering_names`.
    options : Mapping, optional
        Options of the clustering, some of which add hyper-parameters.

    Returns
    -------
    parameters : dict
        Values by name.
    """
    defaults = getattr(find_clustering(name), "default_parameters", dict)
    if not options or defaults is dict:
        return dict(defaults())
    known = signature(defaults).parameters
    return dict(defaults(**{k: v for k, v in options.items() if k in known}))


def load_plda(
    plda: PipelinePLDA | Path | None,
    token: str | None = None,
    cache_dir: Path | str | None = None,
) -> host.PLDA | None:
    """Load a PLDA.

    Parameters
    ----------
    plda : PLDA, str, Path, dict or None
        A PLDA, its folder, name or folder of a pipeline, an identifier on
        huggingface.co, or the arguments of `PLDA.from_pretrained`.
    token, cache_dir : optional
        See `Repository`.

    Returns
    -------
    plda : PLDA or None
        None if `plda` is None.
    """
    if plda is None or isinstance(plda, host.PLDA):
        return plda
    if isinstance(plda, (str, Path)):
        plda = {"checkpoint": find_part(plda, "plda")}
    checkpoint = plda["checkpoint"]
    if isinstance(checkpoint, Mapping):  # "$model/plda", beside an `lda_dimension`
        plda = {**plda, **checkpoint}
    return PLDA.from_pretrained(**{"token": token, "cache_dir": cache_dir, **plda})


def unused_plda() -> PLDA:
    """Build a PLDA for pyannote.audio where the clustering needs none.

    Version 4.0.7 always loads one, by default a gated one from the hub, and refuses
    None. This PLDA maps a single dimension to itself.
    """
    zero, one = np.zeros(1), np.ones(1)
    identity = PLDAParameters(
        mean1=zero, lda=np.eye(1), mean2=zero, mu=zero, tr=np.eye(1), psi=one
    )
    return PLDA.from_parameters(identity)


def build_clustering(
    name: str,
    plda: host.PLDA | None,
    metric: str,
    options: Mapping[str, Any],
    compatibility: Literal["diarizen"] | None = None,
) -> BaseClustering:
    """Build a clustering.

    Parameters
    ----------
    name : str
        One of `clustering_names`.
    plda : PLDA or None
        PLDA, for the clusterings that take one.
    metric : str
        Distance between embeddings.
    options : Mapping
        Other arguments of the constructor.
    compatibility : {"diarizen"}, optional
        Build the clustering of the original, where it differs from ours.

    Returns
    -------
    clustering : BaseClustering
        Clustering whose hyper-parameters are not set yet.

    Raises
    ------
    ValueError
        If the clustering has no such option.
    """
    original = ORIGINAL_CLUSTERING.get(name) if compatibility else None
    clustering = original or find_clustering(name)
    needed = {"plda": plda} if needs_plda(name) else {}
    known = set(signature(clustering).parameters) - {"plda", "metric"}
    if unknown := set(options) - known:
        where = f"among the options of {clustering.__name__}"
        raise ValueError(unknown_keys(where, sorted(unknown), sorted(known)))
    return clustering(metric=metric, **needed, **options)


def check_file(name: str, file: Mapping[str, Any]) -> None:
    """Check what a clustering takes from a file.

    Parameters
    ----------
    name : str
        Name of the clustering.
    file : Mapping
        File.

    Raises
    ------
    TypeError, ValueError
        If "expected_speakers" is not a number above 0, or a needed reference is absent.
    """
    check_expected_speakers(file.get("expected_speakers"))
    if name == "OracleClustering" and "annotation" not in file:
        raise ValueError(
            f"OracleClustering needs the reference of {file['uri']}: give "
            "{'audio': ..., 'annotation': ...}."
        )


def check_evidence(name: str) -> None:
    """Raise a `ValueError` if a clustering has no method `evidence`."""
    if not hasattr(find_clustering(name), "evidence"):
        raise ValueError(
            f"{name} computes no evidence: build the pipeline with "
            "clustering='VBxClustering', 'HybridClustering' or 'AutoClustering'."
        )


def build_reader(segmentation: Model, channel: Literal["downmix"] | int) -> AudioReader:
    """Build the reader of files for a segmentation model."""
    return AudioReader(
        segmentation.hparams.sample_rate,
        # a multi-channel model takes all channels
        mono="downmix" if segmentation.hparams.num_channels == 1 else None,
        channel=None if channel == "downmix" else channel,
    )


def _check_role(model: Model, role: str) -> None:
    """Refuse an embedding model for segmentation, and the reverse."""
    outputs = {"segmentation": Resolution.FRAME, "embedding": Resolution.CHUNK}
    specifications = getattr(model, "specifications", None)
    found = getattr(specifications, "resolution", None)
    other = "segmentation" if role == "embedding" else "embedding"
    if role in outputs and found == outputs[other]:
        raise ValueError(
            f"`{role}` is a {type(model).__name__}, a model for `{other}`: are the two "
            "swapped?"
        )


def load_network(
    model: PipelineModel | Path,
    role: str,
    token: str | bool | None = None,
    cache_dir: Path | str | None = None,
    backend: str | None = None,
) -> PipelineModel:
    """Load the segmentation or embedding network of a pipeline.

    Parameters
    ----------
    model : Model, str, Path or dict
        A model, a checkpoint of pyannote.audio or DiariZen, its folder, the folder of
        an exported network, name or folder of a pipeline, an identifier on
        huggingface.co, "campplus" (see `load_campplus`), or the arguments of
        `load_model`.
    role : str
        Name of the parameter, for error messages.
    token, cache_dir : optional
        See `Repository`.
    backend : str, optional
        Runtime of the network, see `run_by`. Defaults to torch, or to that of an
        exported network.

    Returns
    -------
    model : Model or str
        A loaded `PyanNet` does not depend on the level of a recording.
        A string is the name of an embedding of another toolkit: pyannote.audio
        recognizes it by words in the name, and loads it itself.

    Raises
    ------
    FileNotFoundError
        If the checkpoint does not exist.
    ValueError
        If it cannot be loaded, or is a model for the other role.
    """
    if isinstance(model, (str, Path)):
        if _is_of_another_toolkit(model):
            return model
        if str(model) == CAMPPLUS and not Path(model).exists():
            return load_campplus()
        model = {"checkpoint": find_part(model, role)}
    if isinstance(model, Mapping):
        options = {"token": token, "cache_dir": cache_dir, **model}
        try:
            model = load_exported(**options) or load_model(**options)
        except FileNotFoundError as error:
            raise FileNotFoundError(f"`{role}`: {error}") from error
        _check_role(model, role)
        _ignore_level(model)
    return model if backend is None else run_by(backend, model)


def _ignore_level(model: nn.Module) -> None:
    """Let `PyanNet` give the same output for a quiet recording as for a loud one.

    It divides the waveform by sqrt(variance + eps). The default eps, 1e-5, is as large
    as the variance of quiet speech, and turns depended on the level.
    """
    for module in model.modules():
        if isinstance(module, SincNet):
            module.wav_norm1d.eps = WAVEFORM_EPS


def _is_of_another_toolkit(name: Path | str) -> bool:
    if Path(name).exists() or "pyannote" in str(name):
        return False
    return any(word in str(name) for word in ("speechbrain", "nvidia", "wespeaker"))
