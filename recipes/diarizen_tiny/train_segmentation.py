# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
r"""Train the segmentation model of the bundled pipeline.

    python train_segmentation.py --speech SPEECH --ami AMI --embedding MODEL \
        --teacher SEGMENTATION --output RUN --hours 1.5

`SPEECH` holds `utterances.tsv`, `noise/` and `picovoice_s2i/`; `AMI` holds
`database.yml` of a few real recordings; `MODEL` is a wide embedding, from whose encoder
training starts; `SEGMENTATION` is segmentation-3.0 of pyannote.audio, which is
imitated. Run again, training goes on from `RUN/last.ckpt`. The latest model is
`RUN/pytorch_model.bin`. With `--pretrained`, a first run starts from the weights of
another segmentation.
"""

import argparse
from pathlib import Path
from types import MethodType

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from pyannote.audio.core.model import Model
from pyannote.core import Segment, Timeline
from pyannote.database import FileFinder, registry
from pyannote.database.protocol.protocol import Protocol
from training import TimedCosine, adam, release, start_from

from pyannote_diarizen.data.acoustics import Rooms, read_noises
from pyannote_diarizen.data.audio import AudioReader
from pyannote_diarizen.data.simulation import ConversationSimulator, Mixing, TurnTaking
from pyannote_diarizen.data.speech import SpeechPool
from pyannote_diarizen.models.speaker_conformer import SpeakerConformer
from pyannote_diarizen.tasks.powerset_diarization import (
    Imitation,
    PowersetDiarization,
)

PROTOCOL = "AMIExcerpts.SpeakerDiarization.Excerpts"
MIN_PAUSE = 0.8
"""Annotators of meetings join turns over pauses shorter than this, in seconds."""


def adam_slow_encoder(model: Model) -> torch.optim.Optimizer:
    """Let what the embedding knows change slowly."""
    return adam(model, slow="encoder.")


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
        min_pause=MIN_PAUSE,
        turn_taking=TurnTaking(silence=0.15),
        mixing=Mixing(
            speaker_spread=5.0,
            phrase_spread=3.0,
            snr=(3.0, 45.0),
            events=0.4,
            telephone=0.3,
        ),
    )


def train(
    speech: Path,
    ami: Path,
    embedding: Path,
    teacher: Path,
    output: Path,
    hours: float,
    pretrained: Path | None,
) -> None:
    """Train, or go on training, until `hours` have been spent in all."""
    seed_everything(1)
    registry.load_database(ami / "database.yml")
    protocol = registry.get_protocol(PROTOCOL, {"audio": FileFinder()})
    task = PowersetDiarization(
        protocol,
        simulator=make_simulator(
            speech, read_pauses(protocol), output.parent / "speech"
        ),
        simulated=0.93,
        identification=0.1,
        imitation=Imitation(
            Model.from_pretrained(teacher), layer="linear.0", hidden=2.0
        ),
        batches_per_epoch=150,
        duration=10.0,
        max_speakers_per_chunk=3,
        max_speakers_per_frame=2,
        batch_size=10,
        num_workers=1,
    )
    voices = Model.from_pretrained(embedding)
    architecture = {
        name: voices.hparams[name]
        for name in (
            "num_mel_bins",
            "channels",
            "blocks",
            "temporal_channels",
            "temporal_blocks",
        )
    }
    model = SpeakerConformer(
        **architecture,
        attention_in=192,
        ffn_hidden=384,
        num_layer=4,
        kernel_size=15,
        task=task,
    )
    if pretrained is not None:
        start_from(pretrained, model)
    else:
        model.encoder.load_state_dict(voices.encoder.state_dict())
    model.configure_optimizers = MethodType(adam_slow_encoder, model)
    trainer = Trainer(
        accelerator="cpu",
        precision="bf16-mixed",
        max_epochs=-1,
        gradient_clip_val=5.0,
        num_sanity_val_steps=0,
        logger=CSVLogger(output, name="log", version=0),
        enable_progress_bar=False,
        callbacks=[
            TimedCosine(hours, peak=1e-3),
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
    parser.add_argument("--embedding", type=Path, required=True)
    parser.add_argument("--teacher", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--hours", type=float, default=1.5)
    parser.add_argument("--pretrained", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.output.mkdir(parents=True, exist_ok=True)
    train(
        options.speech,
        options.ami,
        options.embedding,
        options.teacher,
        options.output,
        options.hours,
        options.pretrained,
    )


if __name__ == "__main__":
    main()
