# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Outputs of a pruning: the backbone alone, and a report."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from pyannote.database import ProtocolFile

from pyannote_diarizen.atomic import write_file
from pyannote_diarizen.corpora.protocols import load_protocol, subset_files
from pyannote_diarizen.diagnosis.summary import (
    SAMPLE_RATE,
    summarize_model,
    summary_table,
)
from pyannote_diarizen.evaluation.measure import measure
from pyannote_diarizen.evaluation.metrics import DiarizationScore
from pyannote_diarizen.evaluation.plots import save_figure
from pyannote_diarizen.evaluation.pruning_report import compare_cost, draw_remaining
from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE, resolve_pipeline
from pyannote_diarizen.models.checkpoint import WEIGHTS, load_model
from pyannote_diarizen.pipelines import DiariZen
from pyannote_diarizen.training.pruning_stages import Pruning, is_segmentation
from pyannote_diarizen.wavlm.cost import num_macs, num_parameters

BACKBONE = "backbone"
REPORT, PICTURE = "report.md", "report.png"
MARGIN = 0.03
"""Difference of sparsity from its target above which a remedy is named."""


def describe_sparsity(plan: Pruning, into: Path) -> str:
    """Share of the WavLM that was removed, with a remedy if gates missed the target.

    Parameters
    ----------
    plan : Pruning
    into : Path
        Folder of a finished pruning.
    """
    count = num_parameters if plan.measure == "parameters" else num_macs
    before, after = (
        count(load_model(into / name / WEIGHTS).wavlm_model.config)
        for name in ("teacher", "model")
    )
    removed = 1 - after / before
    line = f"Removed: {removed:.1%} of the {plan.measure} of WavLM."
    if plan.method != "l0" or abs(removed - plan.sparsity) < MARGIN:
        return line
    return (
        f"{line} The target was {plan.sparsity:.1%}: the gates did not settle. More "
        "steps of the first stage help (gates:trainer.max_epochs=, "
        "task.batches_per_epoch=), or a higher gates:task.gate_lr=."
    )


def write_backbone(into: Path) -> list[str]:
    """Write the WavLM of a pruning alone, in all layouts that can hold it.

    Parameters
    ----------
    into : Path
        Folder of a finished pruning.

    Returns
    -------
    lines : list of str
        Path of each layout, or the reason why there is none.
    """
    before, after = (
        load_model(into / name / WEIGHTS).wavlm_model for name in ("teacher", "model")
    )
    folder = into / BACKBONE
    path = folder / WEIGHTS
    after.save(path)
    # DiariZen stores the numbers as text, with the same keys
    sizes = {
        "wavlm_original_params": num_parameters(before.config),
        "wavlm_original_macs": num_macs(before.config),
        "wavlm_current_params": num_parameters(after.config),
        "wavlm_current_macs": num_macs(after.config),
    }
    described = after.config.to_dict() | {k: f"{n:,}" for k, n in sizes.items()}
    write_file(json.dumps(described, indent=2), folder / "pruned_config.json")
    readers = "WavLM.from_pretrained"
    readers += " and DiariZen" if after.config.fits_original else ""
    lines = [f"Written: {path}, for {readers}"]
    try:
        after.save_huggingface(folder / "huggingface")
    except ValueError as error:
        return [*lines, f"Not written: layout of Hugging Face. {error}"]
    return [*lines, f"Written: {folder / 'huggingface'}, for transformers"]


def write_report(plan: Pruning, into: Path) -> str:
    """Write a report of a pruning, and a figure of what is left.

    Parameters
    ----------
    plan : Pruning
        Errors are measured on the development subset of its protocol, if it has one.
    into : Path
        Folder of a finished pruning.

    Returns
    -------
    report : str
        Markdown.
    """
    models = [load_model(into / name / WEIGHTS) for name in ("teacher", "model")]
    before, after = models
    configs = [model.wavlm_model.config for model in models]
    duration = before.specifications.duration
    waveforms = torch.randn(
        1, 1, round(SAMPLE_RATE * duration), generator=torch.Generator().manual_seed(0)
    )
    cost = compare_cost(before, after, waveforms)
    summaries = [summarize_model(model) for model in models]
    wholes = [summary[-1] for summary in summaries]
    rows = [
        ("parameters of WavLM", *_pair(map(num_parameters, configs))),
        ("MACs of WavLM, 1 s", *_pair(map(num_macs, configs))),
        ("parameters", *_pair(whole.num_parameters for whole in wholes)),
        ("MACs, 1 s", *_pair(whole.num_macs for whole in wholes)),
        (
            f"time of {duration:g} s of audio",
            "1",
            f"1/{cost.speed_ratio:.2f}",
            f"{cost.lowest:.2f} to {cost.highest:.2f} times faster",
        ),
        (
            "memory of activations",
            *(f"{size / 1e6:.1f} MB" for size in cost.memory),
            _change(*cost.memory),
        ),
    ]
    if plan.protocol is not None:
        rows += _errors(plan, into)
    lines = ["| | before | after | change |", "|---|---:|---:|---:|"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    save_figure(draw_remaining(*configs), into / PICTURE)
    report = "\n".join(
        [
            f"# {plan.source}, {plan.sparsity:.0%} of {plan.measure} pruned by "
            f"{plan.method}",
            "",
            *lines,
            "",
            f"Forward passes in turns, number of threads: {torch.get_num_threads()}.",
            "",
            f"![Remaining units]({PICTURE})",
            "",
            summary_table(summaries[1]),
        ]
    )
    write_file(f"{report}\n", into / REPORT)
    return f"{report}\nWritten: {into / REPORT} and {into / PICTURE}"


def _pair(numbers: Iterable[int]) -> tuple[str, str, str]:
    before, after = numbers
    return f"{before:,}", f"{after:,}", _change(before, after)


def _change(before: int, after: int) -> str:
    return f"{after / before - 1:+.1%}"


def _errors(plan: Pruning, into: Path) -> list[tuple[str, str, str, str]]:
    """Rows of diarization error rates; none without a development subset."""
    protocol = load_protocol(str(plan.protocol), plan.database)
    try:
        files = subset_files(protocol, "development")
    except ValueError:  # the protocol has none
        return []
    source = DEFAULT_PIPELINE if is_segmentation(plan.source) else plan.source
    before, after = (
        _error_rate(source, into / name / WEIGHTS, files)
        for name in ("teacher", "model")
    )
    row = (
        "diarization error rate, development",
        f"{before:.1%}",
        f"{after:.1%}",
        f"{100 * (after - before):+.1f} points",
    )
    return [row]


def _error_rate(
    source: str, segmentation: Path, files: Sequence[ProtocolFile]
) -> float:
    """Error rate of a pipeline with another segmentation model."""
    pipeline = DiariZen.from_pretrained(
        resolve_pipeline(source), segmentation=str(segmentation)
    )
    scores = [measure(pipeline, file).score for file in files]
    return sum(scores, DiarizationScore()).error_rate
