# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
r"""Train the segmentation model of the bundled pipeline.

    python train_segmentation.py --speech SPEECH --ami AMI --teacher SEGMENTATION \
        --output RUN --hours 3.3

`SPEECH` holds `utterances.tsv`, `noise/` and `picovoice_s2i/`; `AMI` holds
`database.yml` of a few real recordings; `SEGMENTATION` is segmentation-3.0 of
pyannote.audio. The student starts from its front end and learns its LSTM layers, each
by itself, by Muon (torch 2.9 or later). Run again, training goes on from
`RUN/last.ckpt`. The latest model is `RUN/pytorch_model.bin`. With `--pretrained`, a
first run starts from the weights of another segmentation.
"""

import argparse
from pathlib import Path
from types import MethodType

import numpy as np
from lightning.pytorch import Callback, LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from pyannote.audio.core.model import Model
from pyannote.audio.core.task import Task
from pyannote.audio.models.segmentation import PyanNet
from pyannote.core import Segment, Timeline
from pyannote.database import FileFinder, registry
from pyannote.database.protocol.protocol import Protocol
from training import TimedCosine, muon, release, start_from

from pyannote_diarizen.audio.reader import AudioReader
from pyannote_diarizen.simulation.acoustics import Rooms, read_noises
from pyannote_diarizen.simulation.simulator import (
    ConversationSimulator,
    Mixing,
    TurnTaking,
)
from pyannote_diarizen.simulation.speech import SpeechPool
from pyannote_diarizen.tasks.powerset_diarization import PowersetDiarization
from pyannote_diarizen.tasks.segmentation_distillation import (
    Distillation,
    separate_lstm_layers,
)

PROTOCOL = "AMIExcerpts.SpeakerDiarization.Excerpts"
MIN_PAUSE = 0.8
"""Annotators of meetings join turns over pauses shorter than this, in seconds."""
LAYERS = ("lstm.0", "lstm.1", "lstm.2", "lstm.3", "linear.0")
"""Layers whose inputs are distilled."""
ALL = 10**9
"""Number of steps above that of any run."""


class ReleaseLatest(Callback):
    """Write `pytorch_model.bin` after each validation."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_validation_end(self, trainer: Trainer, module: LightningModule) -> None:
        """Save what inference needs."""
        release(trainer, self.path)


def read_pauses(protocol: Protocol) -> list[np.ndarray]:
    """Return what training recordings hold while nobody speaks, as noises."""
    audio = AudioReader(sample_rate=16000, mono="downmix")
    pauses = []
    for file in protocol.train():
        turns = Timeline(
            [
                Segment(turn.start - 0.5, turn.end + 0.5)
                for turn in file["annotation"].itersegments()
            ]
        )
        for pause in turns.gaps(support=file["annotated"]):
            if pause.duration > 1:
                waveform, _ = audio.crop(file, pause)
                pauses.append((waveform[0].numpy() * 2**15).astype(np.int16))
    return pauses


def make_simulator(
    speech: Path, pauses: list[np.ndarray], cache: Path
) -> ConversationSimulator:
    """Conversations of one to three speakers."""
    noises = read_noises(sorted((speech / "noise").glob("*.opus")))
    return ConversationSimulator(
        SpeechPool.from_folder(speech, "train", cache=cache),
        rooms=Rooms.simulate(num_rooms=128, num_positions=3),
        noises=[*noises, *pauses * (len(noises) // (2 * len(pauses)))],
        babble=read_noises(sorted((speech / "picovoice_s2i").glob("*.opus"))),
        num_speakers=(1, 3),
        speed=(0.83, 1.2),
        min_pause=MIN_PAUSE,
        turn_taking=TurnTaking(silence=0.15),
        mixing=Mixing(
            speaker_spread=5.0,
            segment_spread=3.0,
            snr=(3.0, 45.0),
            events=0.4,
            telephone=0.3,
        ),
    )


def make_student(teacher: PyanNet, task: Task) -> PyanNet:
    """Start from the front end of the teacher, which stays as it is."""
    student = PyanNet(
        sincnet={"stride": teacher.hparams.sincnet["stride"]},
        lstm={**teacher.hparams.lstm, "dropout": 0.0},
        linear=teacher.hparams.linear,
        task=task,
    )
    student.sincnet.load_state_dict(teacher.sincnet.state_dict())
    student.sincnet.requires_grad_(False)
    return student


def train(
    speech: Path,
    ami: Path,
    teacher: Path,
    output: Path,
    hours: float,
    pretrained: Path | None,
) -> None:
    """Train, or go on training, until `hours` have been spent in all."""
    seed_everything(1)
    registry.load_database(ami / "database.yml")
    protocol = registry.get_protocol(PROTOCOL, {"audio": FileFinder()})
    teacher_model = separate_lstm_layers(Model.from_pretrained(teacher))
    task = PowersetDiarization(
        protocol,
        simulator=make_simulator(
            speech, read_pauses(protocol), output.parent / "speech"
        ),
        simulated=0.9,
        distillation=Distillation(
            teacher_model,
            LAYERS,
            teacher_forcing_steps=ALL,
            scheduled_sampling=0.9,
            reference=0.0,
        ),
        batches_per_epoch=100,
        duration=10.0,
        max_speakers_per_chunk=3,
        max_speakers_per_frame=2,
        batch_size=10,
        num_workers=1,
    )
    model = make_student(teacher_model, task)
    if pretrained is not None:
        start_from(pretrained, model)
    model.configure_optimizers = MethodType(muon, model)
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=-1,
        gradient_clip_val=1.0,
        num_sanity_val_steps=0,
        logger=CSVLogger(output, name="log", version=0),
        enable_progress_bar=False,
        callbacks=[
            TimedCosine(hours, peak=1e-2),
            ReleaseLatest(output / "pytorch_model.bin"),
            ModelCheckpoint(output, "latest", save_last=True),
        ],
    )
    last = output / "last.ckpt"
    trainer.fit(model, ckpt_path=last if last.is_file() else None, weights_only=False)


def main() -> None:
    """Parse arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--ami", type=Path, required=True)
    parser.add_argument("--teacher", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--hours", type=float, required=True)
    parser.add_argument("--pretrained", type=Path)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    train(
        options.speech,
        options.ami,
        options.teacher,
        options.output,
        options.hours,
        options.pretrained,
    )


if __name__ == "__main__":
    main()
