# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Seconds and memory of a pipeline by stage, each pipeline in a process of its own.

    python -m pyannote_diarizen.evaluation.profiling SYSTEM PIPELINE AUDIO DEVICE

prints a `Profile` as JSON. Memory and imports of one system do not count for another.
"""

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from pyannote.audio.pipelines import SpeakerDiarization

from pyannote_diarizen.allocator import keep_freed_memory
from pyannote_diarizen.audio.reader import audio_info, read_audio
from pyannote_diarizen.hub.loading import load_pipeline
from pyannote_diarizen.pipelines import DiariZen
from pyannote_diarizen.pipelines.components import unused_plda

SYSTEMS = ("configured", "exact", "shared", "stock")
"""The pipeline as its configuration says, with a given `embedding_mode`, and the
pipeline of pyannote.audio with the same models."""
_STAGES = {"discrete_diarization": "clustering"}
_STOCK_CLUSTERINGS = ("VBxClustering", "AgglomerativeClustering")


@dataclass(frozen=True)
class Stage:
    """Cost of one stage.

    Parameters
    ----------
    name : str
        "start" (imports and loading), a stage of the pipeline, or "turns".
    seconds, cpu_seconds : float
        Duration, and CPU time of all threads.
    peak_memory : int or None
        Maximum resident bytes of the process until the end of the stage.
    """

    name: str
    seconds: float
    cpu_seconds: float
    peak_memory: int | None


@dataclass(frozen=True)
class Profile:
    """Cost of diarizing one file.

    Parameters
    ----------
    system : str
        One of `SYSTEMS`.
    duration : float
        Seconds of audio.
    num_threads : int
        Threads of PyTorch.
    turns : str
        Result in RTTM.
    stages : list of Stage
        In order.
    """

    system: str
    duration: float
    num_threads: int
    turns: str
    stages: list[Stage]

    @property
    def seconds(self) -> float:
        """Duration of all stages, start included."""
        return sum(stage.seconds for stage in self.stages)

    @property
    def cpu_seconds(self) -> float:
        """CPU time of all stages, start included."""
        return sum(stage.cpu_seconds for stage in self.stages)

    @property
    def real_time_factor(self) -> float:
        """Seconds of processing per second of audio, without the start."""
        return (self.seconds - self.stages[0].seconds) / self.duration

    @property
    def peak_memory(self) -> int | None:
        """Maximum resident bytes of the process."""
        return self.stages[-1].peak_memory


class StageTimer:
    """Hook of pipelines that measures the time between its calls.

    Parameters
    ----------
    started : float
        Time at which the process started, in seconds since the epoch.
    """

    def __init__(self, started: float) -> None:
        self._costs: dict[str, Stage] = {}
        self._last = started, 0.0
        self("start")

    @property
    def stages(self) -> list[Stage]:
        """Stages in the order of their first call."""
        return list(self._costs.values())

    def __call__(self, stage: str, *_: Any, **__: Any) -> None:
        """Add the time since the last call to `stage`."""
        now = time.time(), time.process_time()
        wall, cpu = now[0] - self._last[0], now[1] - self._last[1]
        self._last = now
        name = _STAGES.get(stage, stage)
        if name in self._costs:
            wall += self._costs[name].seconds
            cpu += self._costs[name].cpu_seconds
        self._costs[name] = Stage(name, wall, cpu, peak_memory())


def peak_memory() -> int | None:
    """Return the maximum resident bytes of this process, None on Windows."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def stock_pipeline(pipeline: DiariZen) -> SpeakerDiarization:
    """Build the pipeline of pyannote.audio with the models of another one.

    Raises
    ------
    ValueError
        If pyannote.audio lacks the clustering.
    """
    name = pipeline.klustering
    if name not in _STOCK_CLUSTERINGS:
        raise ValueError(
            f"pyannote.audio has no {name}: use a pipeline with one of "
            f"{', '.join(_STOCK_CLUSTERINGS)}."
        )
    stock = SpeakerDiarization(
        segmentation=pipeline._segmentation.model,
        segmentation_step=pipeline.segmentation_step,
        embedding=pipeline._embedding.model_,
        embedding_exclude_overlap=pipeline.embedding_exclude_overlap,
        plda=pipeline._plda or unused_plda(),
        clustering=name,
        segmentation_batch_size=pipeline.segmentation_batch_size,
        embedding_batch_size=pipeline.embedding_batch_size,
    )
    return stock.instantiate(pipeline.parameters(instantiated=True))


def profile_in_process(
    system: str, pipeline: str, audio: Path, device: str = "auto"
) -> Profile:
    """Diarize a file in a new process.

    Parameters
    ----------
    system : str
        One of `SYSTEMS`.
    pipeline, device : str
        See `load_pipeline`.
    audio : Path
        Recording.

    Raises
    ------
    ValueError
        If the process fails, with its error.
    """
    module = "pyannote_diarizen.evaluation.profiling"
    started = str(time.time())
    command = [sys.executable, "-m", module, system, pipeline, str(audio), device]
    done = subprocess.run([*command, started], capture_output=True, text=True)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise ValueError(f"'{audio}' cannot be profiled with {system}: {lines[-1]}")
    values = json.loads(done.stdout.splitlines()[-1])
    stages = [Stage(**stage) for stage in values.pop("stages")]
    return Profile(**values, stages=stages)


def profile(
    system: str, pipeline: str, audio: Path, device: str, started: float
) -> Profile:
    """Diarize a file in this process, see `profile_in_process`."""
    if system != "stock":
        keep_freed_memory()
    loaded: Any = load_pipeline(pipeline, device)
    file: dict[str, Any] = {"uri": audio.stem, "audio": audio}
    if system == "stock":
        device_ = loaded.device
        loaded = stock_pipeline(loaded).to(device_)
        # without FFmpeg, pyannote.audio reads no file
        waveform, sample_rate = read_audio(audio)
        file = {"uri": audio.stem, "waveform": waveform, "sample_rate": sample_rate}
    elif system != "configured":
        loaded.embedding_mode = system
    timer = StageTimer(started)
    output = loaded(file, hook=timer)
    timer("turns")
    diarization = getattr(output, "speaker_diarization", output)
    return Profile(
        system=system,
        duration=audio_info(audio).duration,
        num_threads=torch.get_num_threads(),
        turns=diarization.to_rttm(),
        stages=timer.stages,
    )


if __name__ == "__main__":
    system, pipeline, audio, device, started = sys.argv[1:]
    result = profile(system, pipeline, Path(audio), device, float(started))
    sys.stdout.write("\n" + json.dumps(asdict(result)) + "\n")
