# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Export of models and pipelines to folders, with a report on what has changed.

The folder of a pipeline is in the layout of pyannote.audio. Its models are exported
networks, which `DiariZen` runs outside of torch.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows
from pyannote.audio import Pipeline
from pyannote.audio.core.model import Model
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate

from pyannote_diarizen.atomic import new_folder
from pyannote_diarizen.audio.reader import AudioReader, audio_info
from pyannote_diarizen.audio.sample import sample_file
from pyannote_diarizen.export.comparison import Comparison, compare, write_report
from pyannote_diarizen.export.exporter import find_exporter
from pyannote_diarizen.export.graphs import role_of
from pyannote_diarizen.export.network import write_network
from pyannote_diarizen.hub.bundled import find_result, is_model, resolve_pipeline
from pyannote_diarizen.hub.conversion import check_model, write_pyannote
from pyannote_diarizen.hub.loading import naming_in_errors
from pyannote_diarizen.pipelines.components import load_network
from pyannote_diarizen.pipelines.published import pretrained_config

Progress = Callable[[str], None]
"""Called with the name of each step before it starts."""

DEFAULT_DURATION = 5.0
"""Duration of chunks of models without one, in seconds."""

NUM_CHUNKS = 10
"""Maximum number of chunks per recording of a comparison."""


@dataclass(frozen=True)
class Export:
    """Result of an export.

    Parameters
    ----------
    networks : dict of Comparison
        Differences of each network, by its role.
    error_rate : float or None
        Diarization error rate of the exported pipeline, with the turns of the pipeline
        of torch as the reference. None for models.
    """

    networks: Mapping[str, Comparison]
    error_rate: float | None = None


def export(
    source: Path | str,
    destination: Path,
    format_name: str,
    precision: str | None = None,
    audio: Sequence[Path] = (),
    progress: Progress = lambda step: None,
) -> Export:
    """Export a model or a pipeline to a new folder, and compare it with torch.

    Parameters
    ----------
    source : Path or str
        Pipeline, as `resolve_pipeline` takes it; or a model, as `load_network` does.
    destination : Path
        Folder to create. It does not exist after an error.
    format_name : str
        Name of an exporter, as in "onnx".
    precision : str, optional
        One of the precisions of the exporter. Defaults to its first.
    audio : sequence of Path, optional
        Recordings of the comparison. Default to the sample of pyannote.audio.
    progress : callable, optional
        Called with each step.

    Returns
    -------
    export : Export

    Raises
    ------
    MissingPackagesError
        If a package of the format is missing.
    OSError
        If `source` does not exist, or `destination` exists or cannot be written.
    ValueError
        If `source` cannot be loaded or exported.
    """
    find_exporter(format_name).check(precision)  # before anything is loaded
    job = _Job(format_name, precision, audio or [sample_file()["audio"]], progress)
    with naming_in_errors(source), new_folder(Path(destination)) as folder:
        if is_model(source):
            model = load_network(find_result(source), "model")
            check_model(model, "model")
            job.write(model, folder)
            return Export(job.comparisons)
        config = pretrained_config(resolve_pipeline(source))
        write_pyannote(config, folder, job.write)
        progress("diarization with both pipelines")
        of_torch, exported = map(Pipeline.from_pretrained, (config, folder))
        error_rate = compare_pipelines(of_torch, exported, job.audio)
        return Export(job.comparisons, error_rate)


@dataclass(frozen=True)
class _Job:
    """Options of an export, see `export`, and comparisons by role."""

    format_name: str
    precision: str | None
    audio: Sequence[Path]
    progress: Progress
    comparisons: dict[str, Comparison] = field(default_factory=dict)

    def write(self, model: Model, folder: Path) -> None:
        """Write a network and its report to a folder."""
        role = role_of(model)
        self.progress(f"export of the {role}")
        description = write_network(model, folder, self.format_name, self.precision)
        self.progress(f"comparison of the {role} with torch")
        exported = load_network(folder, role)
        self.comparisons[role] = compare(model, exported, self._chunks(model))
        num_weights = sum(weight.numel() for weight in model.state_dict().values())
        sizes = {
            "num_bytes": (folder / description["file"]).stat().st_size,
            "reference_bytes": 4 * num_weights,
        }
        named = {key: description[key] for key in ("file", "format", "precision")}
        write_report(self.comparisons[role], {**named, **sizes}, folder)

    def _chunks(self, model: Model) -> torch.Tensor:
        """Cut (num_chunks, 1, num_samples) chunks out of the recordings."""
        sample_rate = model.hparams.sample_rate
        reader = AudioReader(sample_rate, mono="downmix")
        chunks = list[torch.Tensor]()
        specifications = getattr(model, "_specifications", None)
        duration = specifications.duration if specifications else DEFAULT_DURATION
        num_samples = round(duration * sample_rate)
        for path in self.audio:
            waveform, _ = reader({"audio": path})  # (1, num_samples of the file)
            missing = max(0, num_samples - waveform.shape[1])
            waveform = F.pad(waveform, (0, missing))
            chunks += waveform.unfold(1, num_samples, num_samples)[0, :NUM_CHUNKS]
        return torch.stack(chunks).unsqueeze(1)


def compare_pipelines(reference: Any, hypothesis: Any, audio: Sequence[Path]) -> float:
    """Diarization error rate of a pipeline, with the turns of another as the reference.

    Without collar; 0 only if all turns are equal.
    """
    metric = DiarizationErrorRate()
    for path in audio:
        whole = Timeline([Segment(0.0, audio_info(path).duration)])
        metric(_diarize(reference, path), _diarize(hypothesis, path), uem=whole)
    return abs(metric)


def _diarize(pipeline: Any, path: Path) -> Annotation:
    output = pipeline({"uri": path.stem, "audio": path})
    return getattr(output, "speaker_diarization", output)
