# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Fine-tune the segmentation of the bundled pipeline on labels, on a GPU.

    python finetune_segmentation.py --speech SPEECH --ami AMI --student MODEL \
        --teacher SEGMENTATION --output SNAPSHOTS --minutes 8

The student is the result of `train_segmentation.py`. Conversations are simulated on the
GPU. Targets are labels, mixed with the posteriors of the teacher.
`interpolate_weights.py` makes the result out of snapshots and the student.
"""

import argparse
import time
from itertools import permutations
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812
from einops import rearrange
from gpu.conversations import (
    LEAD,
    MAX_SPEAKERS,
    NUM_SAMPLES,
    SAMPLE_RATE,
    ConversationDataset,
    read_meetings,
)
from gpu.recorder import BatchRecorder, read_recordings, resample_excerpt
from gpu.rooms import simulate_rooms
from gpu.voices import VOICES, VoiceBank
from pyannote.audio.core.model import Model
from pyannote.audio.models.segmentation import PyanNet
from pyannote.audio.utils.powerset import Powerset
from pyannote.database.util import load_rttm
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader
from training import adam, halve_large, warm_up_cosine

from pyannote_diarizen.atomic import replacing
from pyannote_diarizen.audio.reader import AudioReader
from pyannote_diarizen.simulation.speech import SpeechPool


def layers_after_front_end(model: PyanNet, features: Tensor) -> Tensor:
    """Log-probabilities, from the output of SincNet."""
    hidden = rearrange(features, "batch feature frame -> batch frame feature")
    if model.hparams.lstm["monolithic"]:
        hidden, _ = model.lstm(hidden)
    else:
        for lstm in model.lstm:
            hidden, _ = lstm(hidden)
    for linear in model.linear:
        hidden = F.leaky_relu(linear(hidden))
    return F.log_softmax(model.classifier(hidden).float(), dim=-1)


class Targets:
    """Powerset targets: labels mixed with posteriors of the teacher."""

    def __init__(self, device: torch.device) -> None:
        self.powerset = Powerset(MAX_SPEAKERS, 2).to(device)
        mapping = self.powerset.mapping
        orders = torch.tensor(list(permutations(range(MAX_SPEAKERS))), device=device)
        # classes of each order of speakers: mapping[classes[o]] == mapping[:, order]
        self.classes = torch.stack(
            [
                (mapping[:, order][:, None] == mapping[None]).all(-1).int().argmax(1)
                for order in orders
            ]
        )

    def __call__(self, activity: Tensor, teacher: Tensor, share: Tensor) -> Tensor:
        """Mix: (batch, frame, class).

        Parameters
        ----------
        activity : (batch, frame, MAX_SPEAKERS) Tensor
        teacher : (batch, frame, class) Tensor
            Its log-probabilities, speakers in any order.
        share : (batch,) Tensor
            Weight of labels.
        """
        labels = self.powerset.to_powerset(activity.float())
        reordered = torch.stack([teacher.exp()[..., c] for c in self.classes])
        agreement = (reordered * labels).sum((2, 3))  # (order, batch)
        best = agreement.argmax(0)
        teacher_target = reordered[best, torch.arange(len(best), device=best.device)]
        share = share[:, None, None]
        return share * labels + (1 - share) * teacher_target

    def loss(self, log_probabilities: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """Cross-entropy, in the order of speakers with the lowest cost."""
        costs = torch.stack(
            [
                -(log_probabilities * target[..., c]).sum(-1).mul(weight).mean(1)
                for c in self.classes
            ]
        )
        return costs.amin(0)


class MeetingExcerpts:
    """Excerpts of annotated recordings, at any speed."""

    def __init__(self, ami: Path, device: torch.device, middles: Tensor) -> None:
        audio = AudioReader(sample_rate=SAMPLE_RATE, mono="downmix")
        self.middles, self.device = middles, device
        self.recordings, self.turns = [], []
        references = load_rttm(ami / "train.rttm")
        for uri in (ami / "train.lst").read_text().split():
            waveform, _ = audio({"audio": str(ami / f"{uri}.flac")})
            waveform = waveform[0].to(device)
            self.recordings.append(waveform / waveform.square().mean().sqrt())
            turns = references[uri].itertracks(yield_label=True)
            names = references[uri].labels()
            if len(names) > MAX_SPEAKERS:
                raise ValueError(f"'{uri}' has more than {MAX_SPEAKERS} speakers.")
            self.turns.append(
                [(turn.start, turn.end, names.index(name)) for turn, _, name in turns]
            )

    def draw(self, num: int) -> tuple[Tensor, Tensor]:
        """Waveforms (num, NUM_SAMPLES), activity (num, frame, MAX_SPEAKERS)."""
        shape = num, len(self.middles), MAX_SPEAKERS
        activity = torch.zeros(shape, dtype=torch.uint8, device=self.device)
        waveforms = []
        for index in range(num):
            which = int(torch.randint(len(self.recordings), ()))
            recording = self.recordings[which]
            speed = float(torch.empty(()).uniform_(-0.2, 0.2).exp())
            spare = len(recording) - NUM_SAMPLES * speed
            start = float(torch.rand(())) * max(spare, 0)
            waveforms.append(resample_excerpt(recording, start, speed))
            instants = start / SAMPLE_RATE + self.middles * speed
            for begin, end, speaker in self.turns[which]:
                activity[index, (instants >= begin) & (instants < end), speaker] = 1
        return torch.stack(waveforms), activity


class Snapshots:
    """Exponential moving averages of weights, written at some parts of the training."""

    def __init__(self, model: nn.Module, path: Path, parts: int, decay: float) -> None:
        self.average = AveragedModel(
            model, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True
        )
        self.path, self.parts = path, parts
        self.taken: dict[str, dict[str, Tensor]] = {}

    def update(self, model: nn.Module, progress: float, step: int) -> None:
        """Average; write a snapshot if due."""
        self.average.update_parameters(model)
        due = int(progress * self.parts)
        if due > len(self.taken):
            name = f"{due / self.parts:.2f}"
            self.taken[name] = {
                key: halve_large(tensor.cpu())
                for key, tensor in self.average.module.state_dict().items()
            }
            with replacing(self.path) as temporary:
                torch.save({"steps": step, "snapshots": self.taken}, temporary)
            log(f"snapshot {name} after {step} steps")


def log(message: str) -> None:
    """Print at once."""
    print(f"{time.strftime('%H:%M:%S')} {message}", flush=True)  # noqa: T201


def load_simulation(
    options: argparse.Namespace, middles: Tensor, device: torch.device
) -> tuple[BatchRecorder, DataLoader]:
    """Decode speech, draw rooms, and start the processes that draw conversations."""
    speech: Path = options.speech
    voices = VoiceBank(SpeechPool.from_folder(speech, "train"), device)
    recorder = BatchRecorder(
        voices.samples,
        simulate_rooms(options.rooms, 5, LEAD, options.seed),
        read_recordings(speech / "noise"),
        read_recordings(speech / "picovoice_s2i"),
    )
    dataset = ConversationDataset(
        voices.pool,
        read_meetings(speech / "ami_train_rttm" / "train.rttm.gz"),
        middles.numpy(),
        options.batch_size,
        len(VOICES),
        options.seed,
    )
    loader = DataLoader(
        dataset,
        batch_size=None,
        num_workers=options.workers,
        prefetch_factor=4 if options.workers else None,
    )
    log("conversations are ready")
    return recorder, loader


def train(options: argparse.Namespace) -> None:
    """Train for some minutes."""
    torch.manual_seed(options.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.backends.cuda.matmul.allow_tf32 = True
    student = Model.from_pretrained(options.student).to(device).train()
    teacher = Model.from_pretrained(options.teacher).to(device).eval()
    front_end = student.sincnet.eval().requires_grad_(False)
    frames = student.receptive_field
    num_frames = student.num_frames(NUM_SAMPLES)
    middles = (
        frames.start + frames.duration / 2 + frames.step * torch.arange(num_frames)
    )
    recorder, batches = load_simulation(options, middles, device)
    meetings = MeetingExcerpts(options.ami, device, middles.to(device))
    targets = Targets(device)
    optimizer = adam(student, betas=(0.9, 0.98))
    snapshots = Snapshots(student, options.output, options.parts, decay=options.decay)
    num_real = max(round(options.real * options.batch_size), 1)
    began, progress = time.monotonic(), 0.0
    sums = torch.zeros(4, device=device)
    for step, batch in enumerate(batches):
        batch = batch.to(device)
        with torch.no_grad():
            real, real_activity = meetings.draw(num_real)
            waveforms = recorder.record(batch, real)
            activity = torch.cat([real_activity, batch.activity[num_real:]])
            features = front_end(waveforms)
            posteriors = layers_after_front_end(teacher, features)
            # frames with three speakers have no class, hence no weight
            weight = (activity.sum(-1) <= 2).float()
            share = torch.full((len(activity),), options.labels, device=device)
            share[:num_real] = min(options.labels, 0.5)
            target = targets(activity * weight[..., None], posteriors, share)
        log_probabilities = layers_after_front_end(student, features)
        losses = targets.loss(log_probabilities, target, weight)
        optimizer.zero_grad(set_to_none=True)
        losses.mean().backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = options.peak * max(warm_up_cosine(progress, 0.04), 0.01)
        optimizer.step()
        progress = min((time.monotonic() - began) / (60 * options.minutes), 1.0)
        snapshots.update(student, progress, step + 1)
        with torch.no_grad():
            pure = targets.powerset.to_powerset((activity * weight[..., None]).float())
            sums += torch.stack(
                [
                    losses[num_real:].mean(),
                    losses[:num_real].mean(),
                    targets.loss(log_probabilities, pure, weight)[num_real:].mean(),
                    targets.loss(posteriors, pure, weight)[num_real:].mean(),
                ]
            )
        if (step + 1) % options.log_every == 0:
            mean = (sums / options.log_every).tolist()
            log(
                f"{step + 1}: simulated {mean[0]:.4f}, real {mean[1]:.4f}, labels "
                f"{mean[2]:.4f} (teacher {mean[3]:.4f}), {progress:.3f}"
            )
            sums.zero_()
        if progress >= 1:
            break


def main() -> None:
    """Parse arguments, and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("speech", "ami", "student", "teacher", "output"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--workers", type=int, default=7)
    parser.add_argument("--rooms", type=int, default=500)
    parser.add_argument("--labels", type=float, default=0.7)
    parser.add_argument("--real", type=float, default=0.05)
    parser.add_argument("--peak", type=float, default=1e-3)
    parser.add_argument("--decay", type=float, default=0.995)
    parser.add_argument("--parts", type=int, default=4)
    parser.add_argument("--log-every", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
