# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""From what a configuration says to the components of a pipeline."""

from collections.abc import Mapping
from inspect import signature
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pyannote.audio.core import plda as host
from pyannote.audio.pipelines.clustering import BaseClustering, Clustering
from pyannote.audio.pipelines.utils import PipelineModel, PipelinePLDA

from pyannote_diarizen.clustering.agglomerative import AgglomerativeClustering
from pyannote_diarizen.clustering.auto import AutoClustering
from pyannote_diarizen.clustering.hybrid import HybridClustering
from pyannote_diarizen.clustering.plda import PLDA
from pyannote_diarizen.clustering.vbx import VBxClustering
from pyannote_diarizen.functional.plda import PLDAParameters
from pyannote_diarizen.models.checkpoint import load_model

OURS: dict[str, type[BaseClustering]] = {
    "VBxClustering": VBxClustering,
    "AgglomerativeClustering": AgglomerativeClustering,
    "HybridClustering": HybridClustering,
    "AutoClustering": AutoClustering,
}
"""Clusterings in place of those of pyannote.audio, or beside them."""

CLUSTERING_PARAMETERS: dict[str, dict[str, Any]] = {
    **{name: ours.default_parameters() for name, ours in OURS.items()},
    "KMeansClustering": {},
    "OracleClustering": {},
}
"""Hyper-parameters to start from, for each clustering that a name can stand for."""

_NEED_PLDA = ("VBxClustering", "HybridClustering", "AutoClustering")


def clustering_name(name: str) -> str:
    """Full name of a clustering.

    Parameters
    ----------
    name : str
        One of `CLUSTERING_PARAMETERS`, or a short name for it. Others are left alone.

    Returns
    -------
    name : str

    Examples
    --------
    >>> clustering_name("vbx"), clustering_name("auto"), clustering_name("Mine")
    ('VBxClustering', 'AutoClustering', 'Mine')
    """
    short = {full.removesuffix("Clustering").lower(): full for full in OURS}
    return short.get(name, name)


def check_options(
    clustering: str,
    plda: PipelinePLDA | Path | None,
    seg_duration: float | None,
    segmentation_step: float,
    embedding_mode: Literal["exact", "shared"],
    median_filter: int | None,
    channel: Literal["downmix"] | int,
    compatibility: Literal["diarizen"] | None,
) -> None:
    """Raise a `ValueError` for options of `DiariZen` that cannot work."""
    if clustering not in CLUSTERING_PARAMETERS:
        raise ValueError(
            f"`clustering` should be one of {', '.join(CLUSTERING_PARAMETERS)}, got "
            f"{clustering!r}."
        )
    if clustering in _NEED_PLDA and plda is None:
        raise ValueError(
            f"{clustering} needs a `plda`: give the folder or the hub identifier of "
            "one that was fitted on embeddings of the same model, or choose "
            "clustering='AgglomerativeClustering', which needs none."
        )
    if seg_duration is not None and seg_duration <= 0:
        raise ValueError(
            f"`seg_duration` should be in seconds, above 0, got {seg_duration}."
        )
    if not 0 < segmentation_step <= 1:
        raise ValueError(
            "`segmentation_step` should be a ratio of the duration of chunks, above 0 "
            f"and at most 1, got {segmentation_step}: is it in seconds?"
        )
    if median_filter is not None and (median_filter < 1 or median_filter % 2 == 0):
        raise ValueError(
            "`median_filter` should be an odd number of frames, or None for no filter, "
            f"got {median_filter}."
        )
    if channel != "downmix" and not (isinstance(channel, int) and channel >= 0):
        raise ValueError(
            f"`channel` should be 'downmix' or a number from 0, got {channel!r}."
        )
    if embedding_mode != "exact":
        raise ValueError(
            f"`embedding_mode` should be 'exact', got {embedding_mode!r}: 'shared' is "
            "reserved for a later version."
        )
    if compatibility not in (None, "diarizen"):
        raise ValueError(
            f"`compatibility` should be 'diarizen' or None, got {compatibility!r}."
        )


def load_plda(
    plda: PipelinePLDA | Path | None,
    token: str | None = None,
    cache_dir: Path | str | None = None,
) -> host.PLDA | None:
    """Load the PLDA that `plda` describes, if any.

    Parameters
    ----------
    plda : PLDA, str, Path, dict or None
        A PLDA, its folder, an identifier on huggingface.co, or the arguments of
        `PLDA.from_pretrained`.
    token, cache_dir : optional
        Used to download.

    Returns
    -------
    plda : PLDA or None
    """
    if plda is None or isinstance(plda, host.PLDA):
        return plda
    if isinstance(plda, (str, Path)):
        plda = {"checkpoint": str(plda)}
    checkpoint = plda["checkpoint"]
    if isinstance(checkpoint, Mapping):  # "$model/plda", beside an `lda_dimension`
        plda = {**plda, **checkpoint}
    return PLDA.from_pretrained(**{"token": token, "cache_dir": cache_dir, **plda})


def unused_plda() -> PLDA:
    """Build what to hand to pyannote.audio where no PLDA is needed.

    Version 4.0.7 loads one whatever the clustering, by default a gated one from the
    hub, and refuses None. This one maps a single dimension to itself.
    """
    zero, one = np.zeros(1), np.ones(1)
    identity = PLDAParameters(
        mean1=zero, lda=np.eye(1), mean2=zero, mu=zero, tr=np.eye(1), psi=one
    )
    return PLDA.from_parameters(identity)


def build_clustering(
    name: str, plda: host.PLDA | None, metric: str, options: Mapping[str, Any]
) -> BaseClustering:
    """Build the clustering called `name`.

    Parameters
    ----------
    name : str
        One of `CLUSTERING_PARAMETERS`.
    plda : PLDA or None
        Needed by all but "AgglomerativeClustering" among ours.
    metric : str
        Distance between embeddings.
    options : Mapping
        Other arguments of its constructor.

    Returns
    -------
    clustering : BaseClustering
        With hyper-parameters to be instantiated.

    Raises
    ------
    ValueError
        If the clustering has no such option.
    """
    clustering = OURS[name] if name in OURS else Clustering[name].value
    needed = {"plda": plda} if name in _NEED_PLDA else {}
    known = set(signature(clustering).parameters) - {"plda", "metric"}
    if unknown := set(options) - known:
        raise ValueError(
            f"{name} has no option {', '.join(sorted(unknown))}; its options are: "
            f"{', '.join(sorted(known)) or 'none'}."
        )
    return clustering(metric=metric, **needed, **options)


def load_component(
    model: PipelineModel | Path,
    role: str,
    token: str | bool | None = None,
    cache_dir: Path | str | None = None,
) -> PipelineModel:
    """Load the model that `model` describes.

    Parameters
    ----------
    model : Model, str, Path or dict
        A model, a checkpoint of pyannote.audio or DiariZen, its folder, an identifier
        on huggingface.co, or the arguments of `load_model`.
    role : str
        Name of the parameter, for the message.
    token, cache_dir : optional
        Used to download.

    Returns
    -------
    model : Model or str
        The string is the name of an embedding of another toolkit: pyannote.audio
        tells those by words in it, and loads them itself.

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If it cannot be loaded.
    """
    if isinstance(model, (str, Path)):
        if _is_of_another_toolkit(model):
            return model
        model = {"checkpoint": model}
    if not isinstance(model, Mapping):
        return model
    try:
        return load_model(**{"token": token, "cache_dir": cache_dir, **model})
    except FileNotFoundError as error:
        raise FileNotFoundError(f"`{role}`: {error}") from error


def _is_of_another_toolkit(name: Path | str) -> bool:
    if Path(name).exists() or "pyannote" in str(name):
        return False
    return any(word in str(name) for word in ("speechbrain", "nvidia", "wespeaker"))
