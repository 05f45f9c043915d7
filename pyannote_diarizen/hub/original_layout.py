# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Writer of the layout of the original DiariZen.

A folder holds `config.toml`, `pytorch_model.bin` and `plda/`; `wavlm.bin` if DiariZen
has no name for the structure of the WavLM; and `embedding/`, which DiariZen ignores.
"""

import json
from collections.abc import Iterator, Mapping
from inspect import signature
from pathlib import Path
from typing import Any

import torch
from pyannote.audio.core.model import Model
from pyannote.core.utils.helper import get_class_by_name

from pyannote_diarizen.clustering.plda import PLDA
from pyannote_diarizen.models.checkpoint import WEIGHTS, save_model
from pyannote_diarizen.models.original_checkpoint import ARCHITECTURES, CONFIG, SPEAKERS
from pyannote_diarizen.pipelines import DiariZen
from pyannote_diarizen.pipelines.components import (
    default_parameters,
    load_network,
    load_plda,
)
from pyannote_diarizen.pipelines.original_config import MEDIAN_FILTER, VBX_OPTIONS
from pyannote_diarizen.wavlm.config import CONV_LAYERS
from pyannote_diarizen.wavlm.predefined import ORIGINAL, get_config
from pyannote_diarizen.weights import save_weights

WAVLM = "wavlm.bin"


def write_original(config: Mapping[str, Any], folder: Path) -> None:
    """Write a pipeline in the layout of DiariZen.

    Parameters
    ----------
    config : Mapping
        Result of `pretrained_config`.
    folder : Path
        Folder to write to.

    Raises
    ------
    ValueError
        If DiariZen lacks a feature of the pipeline; the message lists all of them.
    """
    if get_class_by_name(config["pipeline"]["name"]) is not DiariZen:
        raise ValueError(
            "DiariZen can only load its own pipeline, got "
            f"{config['pipeline']['name']}."
        )
    arguments = signature(DiariZen).bind(**config["pipeline"]["params"])
    arguments.apply_defaults()
    options = arguments.arguments
    parameters = {
        "segmentation": {"min_duration_off": 0.0},
        "clustering": default_parameters(options["clustering"]),
        **config.get("params", {}),
    }
    hub = options["token"], options["cache_dir"]
    segmentation = load_network(options["segmentation"], "segmentation", *hub)
    embedding = load_network(options["embedding"], "embedding", *hub)
    plda = load_plda(options["plda"], *hub)
    problems = [
        *_foreign_options(options),
        *_foreign_parameters(parameters),
        *_foreign_model(segmentation),
    ]
    if problems:
        raise ValueError(
            f"DiariZen cannot run this pipeline: it has no {', no '.join(problems)}."
        )

    tables = {
        "model": _model(segmentation),
        "inference": {"args": _inference(options, segmentation)},
        "clustering": {"args": _clustering(options, parameters["clustering"], plda)},
    }
    (folder / CONFIG).write_text(_toml(tables), encoding="utf-8")
    save_weights(segmentation.state_dict(), folder / WEIGHTS)
    if tables["model"]["args"].get("wavlm_src") == WAVLM:
        segmentation.wavlm_model.save(folder / WAVLM)
    if isinstance(plda, PLDA):
        plda.save(folder / "plda")
    if isinstance(embedding, Model):
        save_model(embedding, folder / "embedding" / WEIGHTS)


def _foreign_options(options: Mapping[str, Any]) -> Iterator[str]:
    """Yield the options that DiariZen does not have."""
    if options["median_filter"] not in (MEDIAN_FILTER, None):
        yield f"median_filter={options['median_filter']} (only {MEDIAN_FILTER})"
    if not options["embedding_exclude_overlap"]:
        yield "embedding_exclude_overlap=False"
    known = VBX_OPTIONS if options["clustering"] == "VBxClustering" else {}
    for name in set(options["clustering_options"] or {}) - set(known):
        yield f"{name} of {options['clustering']}"
    if options["clustering"] not in ("VBxClustering", "AgglomerativeClustering"):
        yield options["clustering"]


def _foreign_parameters(parameters: Mapping[str, Any]) -> Iterator[str]:
    """Yield the hyper-parameters that DiariZen does not have."""
    pause = parameters["segmentation"]["min_duration_off"]
    if pause > 0:
        yield f"min_duration_off={pause}"
    method = parameters["clustering"].get("method", "centroid")
    if method != "centroid":
        yield f"agglomerative clustering with method={method}"


def _foreign_model(model: Model) -> Iterator[str]:
    """Yield the properties of a segmentation that DiariZen's models do not have."""
    known = {architecture.model: architecture for architecture in ARCHITECTURES}
    if type(model) not in known:
        yield type(model).__name__
        return
    architecture = known[type(model)]
    if not model.specifications.powerset:
        yield "model that is not powerset"
    elif "max_speakers_per_frame" not in architecture.speakers:
        at_once = model.specifications.powerset_max_classes
        if at_once != SPEAKERS["max_speakers_per_frame"]:
            yield f"{at_once} speakers at once in {architecture.path}"
    # hparams that config.toml lacks must have the fixed values of DiariZen
    with torch.device("meta"):
        options = {name: model.hparams[name] for name in architecture.names.values()}
        theirs = architecture.model(**options, **architecture.fixed)
    for name, value in model.hparams.items():
        if theirs.hparams.get(name) != value:
            yield f"{name}={value} in {architecture.path}"
    if "wavlm" in model.hparams:
        convs = model.wavlm_model.config.extractor_conv_layer_config
        kernels = [conv[1:] for conv in CONV_LAYERS]
        if [conv[1:] for conv in convs] != kernels:
            yield f"convolutions of WavLM other than (kernel, stride) {kernels}"


def _model(model: Model) -> dict[str, Any]:
    (architecture,) = (known for known in ARCHITECTURES if known.model is type(model))
    speakers = {
        "max_speakers_per_chunk": len(model.specifications.classes),
        "max_speakers_per_frame": model.specifications.powerset_max_classes,
    }
    named = {name: model.hparams[ours] for name, ours in architecture.names.items()}
    args = {name: value for name, value in named.items() if value is not None}
    args["chunk_size"] = model.specifications.duration
    args |= {name: speakers[name] for name in architecture.speakers}
    if "wavlm_src" in args:
        wavlm = get_config(args["wavlm_src"])
        names = [name for name, config in ORIGINAL.items() if config == wavlm]
        args["wavlm_src"] = names[0] if names else WAVLM
        # the output of the front end counts as a layer
        args["wavlm_layer_num"] = wavlm.encoder_num_layers + 1
        args["wavlm_feat_dim"] = wavlm.encoder_embed_dim
    return {"path": architecture.path, "args": args}


def _inference(options: Mapping[str, Any], model: Model) -> dict[str, Any]:
    return {
        "seg_duration": options["seg_duration"] or model.specifications.duration,
        "segmentation_step": options["segmentation_step"],
        "batch_size": options["segmentation_batch_size"],
        "apply_median_filtering": options["median_filter"] is not None,
    }


def _clustering(
    options: Mapping[str, Any], parameters: Mapping[str, Any], plda: PLDA | None
) -> dict[str, Any]:
    args = {
        "method": options["clustering"],
        "min_speakers": options["min_speakers"] or 1,
        "max_speakers": options["max_speakers"] or 20,
        "ahc_threshold": parameters["threshold"],
    }
    if plda is None or options["clustering"] != "VBxClustering":
        return {**args, "min_cluster_size": parameters["min_cluster_size"]}
    vbx = {**VBX_OPTIONS, **(options["clustering_options"] or {})}
    return {
        **args,
        "ahc_criterion": vbx["ahc_criterion"],
        "Fa": parameters["Fa"],
        "Fb": parameters["Fb"],
        "lda_dim": plda.lda_dimension,
        "max_iters": vbx["max_iterations"],
    }


def _toml(tables: Mapping[str, Mapping[str, Any]]) -> str:
    lines = []
    for name, table in tables.items():
        lines.append(f"[{name}]")
        if "path" in table:
            lines.append(f"path = {json.dumps(table['path'])}")
        lines.append(f"[{name}.args]")
        for key, value in table["args"].items():
            # DiariZen needs integers for counts, and accepts them for floats
            whole = isinstance(value, float) and value.is_integer()
            lines.append(f"{key} = {json.dumps(int(value) if whole else value)}")
        lines.append("")
    return "\n".join(lines)
