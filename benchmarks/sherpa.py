# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Time and memory of the bundled pipeline beside sherpa-onnx 2, with the same networks.

    pip install sherpa-onnx
    python benchmarks/sherpa.py --minutes 10 --write

sherpa-onnx runs our export of the bundled segmentation, and the layers of the bundled
embedding after its spectrogram: sherpa-onnx computes the filterbanks of Kaldi itself,
which are others, so that its speakers are of no use here. Each system runs in a process
of its own, on the same recording, with as many threads.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from reports import table, write_results

DOCUMENT = Path(__file__).parents[1] / "docs" / "speed.md"
NAME = "benchmarks/sherpa.py"
FILTERBANKS = 80
"""Bands that sherpa-onnx computes."""
EXPORT, RUN = "export-networks", "run-sherpa"
HEADER = ["system", "start, s", "rest, s", "CPU s", "peak memory, MiB"]


def add_metadata(path: Path, values: dict[str, Any]) -> None:
    """Add what sherpa-onnx reads from a model to a file of ONNX."""
    import onnx

    model = onnx.load(path)
    for key, value in values.items():
        model.metadata_props.add(key=key, value=str(value))
    onnx.save(model, path)


def export_networks(folder: Path) -> None:
    """Write segmentation.onnx and embedding.onnx for sherpa-onnx."""
    import torch

    from pyannote_diarizen.export import ONNXExporter
    from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE
    from pyannote_diarizen.hub.loading import load_pipeline

    pipeline: Any = load_pipeline(DEFAULT_PIPELINE, "cpu")
    model = pipeline._segmentation.model
    rate = model.hparams.sample_rate
    specifications = model.specifications
    ONNXExporter().write(model, folder / "segmentation.onnx", "float32")
    field = model.receptive_field
    add_metadata(
        folder / "segmentation.onnx",
        {
            "num_speakers": len(specifications.classes),
            "powerset_max_classes": specifications.powerset_max_classes,
            "num_classes": specifications.num_powerset_classes,
            "sample_rate": rate,
            "window_size": round(specifications.duration * rate),
            "receptive_field_size": round(field.duration * rate),
            "receptive_field_shift": round(field.step * rate),
            "model_type": "pyannote-segmentation-3.0",
            "version": 1,
        },
    )
    embedding = pipeline._embedding.model_
    bands = embedding.hparams.num_mel_bins

    class OnFilterbanks(torch.nn.Module):
        """Layers after the spectrogram."""

        def __init__(self) -> None:
            super().__init__()
            self.model = embedding

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            """Map (batch, num_steps, num_bands) to (batch, dimension)."""
            frames = self.model.encoder.encode(x[..., :bands].transpose(1, 2))
            return self.model.forward_embedding(frames, torch.ones_like(frames[:, 0]))

    torch.onnx.export(
        OnFilterbanks().eval(),
        (torch.randn(1, 500, FILTERBANKS),),
        folder / "embedding.onnx",
        input_names=["x"],
        output_names=["embedding"],
        dynamic_axes={"x": {0: "N", 1: "T"}, "embedding": {0: "N"}},
        dynamo=False,
    )
    add_metadata(
        folder / "embedding.onnx",
        {
            "framework": "wespeaker",
            "language": "English",
            "url": "",
            "comment": "",
            "sample_rate": rate,
            "output_dim": pipeline._embedding.dimension,
            "normalize_samples": 1,
            "feature_normalize_type": "global-mean",
        },
    )


def run_sherpa(folder: Path, audio: Path, num_threads: int, started: float) -> None:
    """Diarize in this process, and print a row as JSON."""
    import sherpa_onnx
    import soundfile

    segmentation = sherpa_onnx.OfflineSpeakerSegmentationModelConfig(
        pyannote=sherpa_onnx.OfflineSpeakerSegmentationPyannoteModelConfig(
            model=str(folder / "segmentation.onnx")
        ),
        num_threads=num_threads,
    )
    embedding = sherpa_onnx.SpeakerEmbeddingExtractorConfig(
        model=str(folder / "embedding.onnx"), num_threads=num_threads
    )
    config = sherpa_onnx.OfflineSpeakerDiarizationConfig(
        segmentation=segmentation,
        embedding=embedding,
        clustering=sherpa_onnx.FastClusteringConfig(),
    )
    diarization = sherpa_onnx.OfflineSpeakerDiarization(config)
    loaded, cpu = time.time(), time.process_time()
    samples, _ = soundfile.read(audio, dtype="float32")
    turns = diarization.process(samples).sort_by_start_time()
    now = time.time()
    # not `ru_maxrss`, which starts with the memory of the parent
    status = Path("/proc/self/status").read_text(encoding="ascii")
    row = [
        f"sherpa-onnx {sherpa_onnx.__version__}",
        f"{loaded - started:.1f}",
        f"{now - loaded:.1f}",
        f"{time.process_time() - cpu:.1f}",
        f"{int(status.split('VmHWM:')[1].split()[0]) >> 10}",
    ]
    print(json.dumps({"row": row, "num_turns": len(turns)}))


def python(arguments: list[Any]) -> str:
    """Run this script in a process, and return what it prints."""
    command = [sys.executable, __file__, *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def main(
    minutes: Annotated[float, typer.Option(help="Duration of the recording.")] = 10,
    write: Annotated[bool, typer.Option(help=f"Into {DOCUMENT.name}.")] = False,
) -> None:
    """Print seconds and memory as a Markdown table."""
    import torch
    from speed import write_meeting

    from pyannote_diarizen.evaluation.profiling import profile_in_process
    from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE

    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        audio = folder / "meeting.wav"
        write_meeting(audio, minutes)
        python([EXPORT, folder])
        for system in ("exact", "shared"):
            profile = profile_in_process(system, DEFAULT_PIPELINE, audio, "cpu")
            start = profile.stages[0]
            rows.append(
                [
                    system,
                    f"{start.seconds:.1f}",
                    f"{profile.seconds - start.seconds:.1f}",
                    f"{profile.cpu_seconds - start.cpu_seconds:.1f}",
                    f"{(profile.peak_memory or 0) >> 20}",
                ]
            )
        threads = torch.get_num_threads()
        output = python([RUN, folder, audio, threads, time.time()])
        rows.append(json.loads(output.splitlines()[-1])["row"])
    results = table(HEADER, rows)
    print(results)
    if write:
        write_results(DOCUMENT, NAME, results)


if __name__ == "__main__":
    if sys.argv[1:2] == [EXPORT]:
        export_networks(Path(sys.argv[2]))
    elif sys.argv[1:2] == [RUN]:
        networks, recording, threads, start = sys.argv[2:]
        run_sherpa(Path(networks), Path(recording), int(threads), float(start))
    else:
        typer.run(main)
