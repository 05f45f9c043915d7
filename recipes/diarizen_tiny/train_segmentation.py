# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Train the segmentation model of the bundled pipeline on one CPU core.

    python train_segmentation.py --speech SPEECH --ami AMI --output RUN --hours 1.4

`SPEECH` holds `utterances.tsv`, `noise/` and `picovoice_s2i/`; `AMI` holds
`database.yml` of a few real recordings. Run again, training goes on from
`RUN/last.ckpt`. The latest model is `RUN/pytorch_model.bin`. With `--pretrained MODEL`,
a first run starts from the weights of another.
"""

import argparse
from pathlib import Path
from types import MethodType

import torch
from lightning.pytorch import Callback, LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from pyannote.database import registry
from training import TimedCosine, adam, release, start_from

from pyannote_diarizen.data.acoustics import Rooms, read_noises
from pyannote_diarizen.data.simulation import ConversationSimulator, Mixing, TurnTaking
from pyannote_diarizen.data.speech import SpeechPool
from pyannote_diarizen.models.fbank_conformer import FBankConformer
from pyannote_diarizen.tasks.powerset_diarization import PowersetDiarization

PROTOCOL = "AMIExcerpts.SpeakerDiarization.Excerpts"
MIN_PAUSE = 0.8
"""Annotators of meetings join turns over pauses shorter than this, in seconds."""


class ReleaseLatest(Callback):
    """Write `pytorch_model.bin` after each validation."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_validation_end(self, trainer: Trainer, module: LightningModule) -> None:
        """Save what inference needs."""
        release(trainer, self.path)


def make_simulator(speech: Path, cache: Path) -> ConversationSimulator:
    """Conversations of one to three speakers."""
    return ConversationSimulator(
        SpeechPool.from_folder(speech, "train", cache=cache),
        rooms=Rooms.simulate(num_rooms=128, num_positions=3),
        noises=read_noises(sorted((speech / "noise").glob("*.opus"))),
        babble=read_noises(sorted((speech / "picovoice_s2i").glob("*.opus"))),
        num_speakers=(1, 3),
        min_pause=MIN_PAUSE,
        turn_taking=TurnTaking(silence=0.1),
        mixing=Mixing(
            speaker_spread=5.0, phrase_spread=3.0, snr=(3.0, 45.0), telephone=0.2
        ),
    )


def train(
    speech: Path, ami: Path, output: Path, hours: float, pretrained: Path | None
) -> None:
    """Train, or go on training, until `hours` have been spent in all."""
    seed_everything(1)
    registry.load_database(ami / "database.yml")
    task = PowersetDiarization(
        registry.get_protocol(PROTOCOL),
        simulator=make_simulator(speech, output.parent / "speech"),
        simulated=0.95,
        identification=0.2,
        batches_per_epoch=150,
        duration=8.0,
        max_speakers_per_chunk=3,
        max_speakers_per_frame=2,
        batch_size=12,
        num_workers=1,
    )
    model = FBankConformer(
        residual_channels=(16, 32, 64, 128),
        residual_blocks=(1, 1, 1, 1),
        attention_in=192,
        ffn_hidden=384,
        num_layer=4,
        kernel_size=15,
        task=task,
    )
    if pretrained is not None:
        start_from(pretrained, model)
    model.configure_optimizers = MethodType(adam, model)
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
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--hours", type=float, default=1.4)
    parser.add_argument("--pretrained", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.output.mkdir(parents=True, exist_ok=True)
    train(
        options.speech, options.ami, options.output, options.hours, options.pretrained
    )


if __name__ == "__main__":
    main()
