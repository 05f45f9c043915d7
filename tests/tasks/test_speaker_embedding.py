# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
from collections.abc import Iterator
from pathlib import Path
from types import MethodType
from typing import Any

import numpy as np
import pytest
import scipy.signal
import soundfile
import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows
from lightning.pytorch import Callback, Trainer, seed_everything
from pyannote.core import Annotation, Segment
from pyannote.database.protocol import SpeakerDiarizationProtocol
from torch import Tensor

from pyannote_diarizen.models.speaker_resnet import SpeakerResNet
from pyannote_diarizen.simulation.recording import Recorder
from pyannote_diarizen.tasks.speaker_embedding import SpeakerEmbedding, paste

NUM_SPEAKERS = 4


class Voices(SpeakerDiarizationProtocol):
    """Each speaker is noise through a resonance of their own, switched on and off."""

    name = "Voices.SpeakerDiarization.Resonances"

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def train_iter(self) -> Iterator[dict[str, Any]]:
        return self.files("train", num_turns=6)

    def development_iter(self) -> Iterator[dict[str, Any]]:
        return self.files("development", num_turns=4)

    def files(self, subset: str, num_turns: int) -> Iterator[dict[str, Any]]:
        rng = np.random.default_rng(len(subset))
        for speaker in range(NUM_SPEAKERS):
            path = self.folder / f"{subset}{speaker}.wav"
            num_samples = 16000 * num_turns
            resonance = scipy.signal.iirpeak(400 * 2**speaker, Q=3, fs=16000)
            voice = scipy.signal.lfilter(*resonance, rng.standard_normal(num_samples))
            # syllables: what never changes is removed with the mean of the spectrum
            voice *= np.arange(num_samples) % 2400 < 1200
            voice += 0.1 * voice.std() * rng.standard_normal(num_samples)
            soundfile.write(path, 0.3 * voice / np.abs(voice).max(), 16000)
            annotation = Annotation(uri=path.stem)
            for turn in range(num_turns):
                annotation[Segment(turn, turn + 1)] = f"speaker {speaker}"
            yield {
                "uri": path.stem,
                "database": "Voices",
                "scope": "global",
                "audio": path,
                "annotation": annotation,
                "annotated": annotation.get_timeline().support(),
            }


class ResonanceTeacher:
    """One axis per speaker, identified by the octave with most of the energy."""

    def __init__(self) -> None:
        self.num_calls = 0
        self.rng = np.random.default_rng(0)

    def __call__(self, waveforms: Tensor) -> np.ndarray:
        self.num_calls += 1
        power = torch.fft.rfft(waveforms[:, 0]).abs().square()
        hertz = torch.fft.rfftfreq(waveforms.shape[-1], 1 / 16000)
        octave = torch.log2(hertz.clamp(min=1) / 400).round().clamp(-1, 4).long() + 1
        strongest = (power @ F.one_hot(octave, 6).float()).argmax(dim=-1)
        embeddings = 5 * torch.eye(8)[strongest].numpy()
        return embeddings + 0.5 * self.rng.standard_normal(embeddings.shape)


def level_of_frames(waveforms: Tensor) -> np.ndarray:
    """Teach the level of each frame, and its opposite."""
    level = waveforms[:, 0].unfold(-1, 400, 640).square().mean(dim=-1, keepdim=True)
    return torch.log(level + 1e-4).numpy() * [1, -1]


@pytest.fixture
def protocol(tmp_path: Path) -> Voices:
    return Voices(tmp_path)


def make_task(protocol: Voices, **options: Any) -> SpeakerEmbedding:
    defaults: dict[str, Any] = {
        "duration": 0.6,
        "min_duration": 0.4,
        "excerpt_duration": 1.5,
        "batch_size": 8,
        "batches_per_epoch": 40,
    }
    return SpeakerEmbedding(protocol, **(defaults | options))


def train(task: SpeakerEmbedding, **options: Any) -> SpeakerResNet:
    seed_everything(1)
    model = SpeakerResNet(channels=(8, 16), blocks=(1, 1), dimension=8, task=task)
    model.configure_optimizers = MethodType(
        lambda self: torch.optim.AdamW(self.parameters(), lr=1e-2), model
    )
    trainer = Trainer(
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **({"max_epochs": 1} | options),
    )
    trainer.fit(model)
    return model


def prepared(task: SpeakerEmbedding) -> SpeakerEmbedding:
    model = SpeakerResNet(channels=(4,), blocks=(1,), dimension=8, task=task)
    model.prepare_data()
    model.setup()
    return task


def test_margin_loss_falls(protocol: Voices) -> None:
    losses = []

    class Record(Callback):
        def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
            losses.append(float(trainer.callback_metrics["loss/margin"]))

    train(make_task(protocol), callbacks=[Record()])
    assert np.mean(losses[-5:]) < 0.5 * losses[0]


def test_student_follows_teacher(protocol: Voices) -> None:
    model = train(make_task(protocol, teacher=ResonanceTeacher()))
    metrics = model.trainer.callback_metrics
    assert metrics["cosine/teacher"] > 0.6
    assert metrics["PairwiseEqualErrorRate"] < 0.1


def test_teacher_is_asked_once(protocol: Voices, tmp_path: Path) -> None:
    teacher = ResonanceTeacher()
    options = {"teacher": teacher, "cache": tmp_path / "teacher.npy"}
    first = prepared(make_task(protocol, **options)).targets
    num_calls = teacher.num_calls
    again = prepared(make_task(protocol, **options)).targets
    assert teacher.num_calls == num_calls > 0
    np.testing.assert_array_equal(again, first)
    np.testing.assert_allclose(np.linalg.norm(first, axis=1), 1, rtol=1e-6)


def test_cache_of_other_excerpts_is_refused(protocol: Voices, tmp_path: Path) -> None:
    cache = tmp_path / "teacher.npy"
    np.save(cache, np.zeros((3, 8)))
    with pytest.raises(ValueError, match="3 excerpts"):
        prepared(make_task(protocol, teacher=ResonanceTeacher(), cache=cache))


def test_student_follows_frames_of_a_teacher(protocol: Voices, tmp_path: Path) -> None:
    def never(waveforms: Tensor) -> np.ndarray:
        raise AssertionError

    cache = tmp_path / "frames.npy"
    task = make_task(protocol, frame_teacher=level_of_frames, frame_cache=cache)
    assert train(task).trainer.callback_metrics["loss/frames"] < 0.3
    # they are read from the file the second time
    again = make_task(protocol, frame_teacher=never, frame_cache=cache)
    np.testing.assert_array_equal(prepared(again).frame_targets, task.frame_targets)


def test_frames_of_a_teacher_belong_to_the_crop(
    protocol: Voices, tmp_path: Path
) -> None:
    task = make_task(
        protocol,
        duration=1.0,
        excerpt_duration=1.25,
        speeds=(0.8, 1.0),
        frame_teacher=level_of_frames,
        frame_cache=tmp_path / "frames.npy",
    )
    model = SpeakerResNet(channels=(4, 8), blocks=(1, 1), dimension=8, task=task)
    model.setup()
    crops = [crop for crop, _ in zip(task.train__iter__(), range(200), strict=False)]
    incomplete = 0
    for crop in crops:
        expected = level_of_frames(torch.from_numpy(crop["X"])[None])[0]
        assert crop["frames"].shape == expected.shape
        known = ~np.isnan(crop["frames"][:, 0])
        assert known.sum() > 0
        incomplete += not known.all()
        np.testing.assert_allclose(crop["frames"][known], expected[known], atol=0.4)
    # the last excerpt of a speaker is shorter than the longest crop
    assert 0 < incomplete < len(crops)


def test_frames_of_a_teacher_need_a_file(protocol: Voices) -> None:
    with pytest.raises(ValueError, match="frame_cache"):
        make_task(protocol, frame_teacher=level_of_frames)


def test_each_speed_of_a_speaker_is_a_class(protocol: Voices) -> None:
    task = prepared(make_task(protocol, speeds=(0.9, 1.0)))
    assert len(task.specifications.classes) == 2 * NUM_SPEAKERS
    assert task.specifications.classes[:2] == ["speaker 0 x0.9", "speaker 0"]
    slow, normal = task.excerpts_of[0], task.excerpts_of[1]
    assert {task.excerpts[i].speed for i in slow} == {0.9}
    assert {task.excerpts[i].excerpt.speaker for i in normal} == {0}


def test_pasted_speech_has_no_weight(protocol: Voices) -> None:
    task = prepared(make_task(protocol, paste=1.0))
    waveforms = torch.arange(1.0, 5.0)[:, None, None].expand(-1, 1, 16000)
    where = task._draw_pasted(len(waveforms))
    pasted, weights = paste(waveforms, where, dim=2), (~where(25)).float()
    own = (pasted == waveforms)[:, 0].float()
    assert (own.mean(dim=1) < 1).all()
    expected = F.interpolate(own[:, None], weights.shape[1], mode="area")[:, 0]
    # frames across an edge count for one side
    assert (expected - weights).abs().sum(dim=1).max() <= 1.0
    assert set(weights.unique().tolist()) == {0.0, 1.0}
    # frames of a teacher follow
    frames = paste(
        torch.arange(1.0, 5.0)[:, None, None].expand(-1, 25, 2), where, dim=1
    )
    own_frames = (frames == torch.arange(1.0, 5.0)[:, None, None]).all(dim=2)
    assert torch.equal(own_frames.float(), weights)


def test_development_crops_are_the_same_each_time(protocol: Voices) -> None:
    task = prepared(make_task(protocol, recorder=Recorder()))
    np.testing.assert_array_equal(
        task.val__getitem__(1)["X"], task.val__getitem__(1)["X"]
    )


def test_durations_in_disorder_are_refused(protocol: Voices) -> None:
    with pytest.raises(ValueError, match="should not decrease"):
        make_task(protocol, min_duration=2.0)
