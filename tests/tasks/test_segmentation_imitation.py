# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""A segmentation model learns from another."""

import numpy as np
import pytest
import torch
from lightning.pytorch import seed_everything
from pyannote.audio.core.task import Problem, Resolution, Specifications
from pyannote.audio.models.segmentation import PyanNet
from pyannote.database import registry

from pyannote_diarizen.data.corpus import simulate_corpus
from pyannote_diarizen.data.simulation import ConversationSimulator
from pyannote_diarizen.data.speech import SpeechPool
from pyannote_diarizen.models import FBankConformer
from pyannote_diarizen.tasks.powerset_diarization import (
    Imitation,
    PowersetDiarization,
)
from pyannote_diarizen.tasks.segmentation_imitation import SegmentationTeacher


def make_teacher(num_speakers: int = 2) -> PyanNet:
    """Sure of what it says, at frames other than the student's."""
    seed_everything(0)
    teacher = PyanNet(
        lstm={"hidden_size": 8, "num_layers": 1}, linear={"num_layers": 1}
    )
    teacher.specifications = Specifications(
        problem=Problem.MONO_LABEL_CLASSIFICATION,
        resolution=Resolution.FRAME,
        duration=2.0,
        classes=[f"speaker{i}" for i in range(num_speakers)],
        powerset_max_classes=num_speakers,
        permutation_invariant=True,
    )
    teacher.setup()
    torch.nn.init.normal_(teacher.classifier.weight, std=20.0)
    return teacher


@pytest.fixture(scope="module")
def protocol(tmp_path_factory):
    tones = (8000 * np.sin(np.outer([0.1, 0.7], np.arange(32000)))).astype(np.int16)
    pool = SpeechPool.from_utterances(
        ("tones", str(index), tone) for index, tone in enumerate(tones)
    )
    folder = tmp_path_factory.mktemp("corpus")
    for subset in ("train", "development"):
        simulate_corpus(
            ConversationSimulator(pool, num_speakers=(2, 2)),
            folder,
            2,
            3.0,
            subset=subset,
        )
    registry.load_database(folder / "database.yml")
    return registry.get_protocol("Simulated.SpeakerDiarization.Conversations")


def make_task(protocol, imitation: Imitation) -> PowersetDiarization:
    task = PowersetDiarization(
        protocol,
        imitation=imitation,
        duration=2.0,
        max_speakers_per_chunk=2,
        batch_size=8,
        num_workers=0,
    )
    task.model = FBankConformer(
        attention_in=16,
        ffn_hidden=24,
        num_layer=1,
        kernel_size=7,
        residual_channels=(8,),
        residual_blocks=(1,),
        task=task,
    )
    task.prepare_data()
    task.model.setup("validate")
    task.setup_loss_func()
    return task


def test_teacher_is_asked_at_any_instant():
    model = make_teacher()
    teacher = SegmentationTeacher(model, "classifier")
    waveforms = torch.randn(2, 1, 32000)
    scores = model(waveforms).exp()
    own = [model.receptive_field_center(frame) for frame in range(scores.shape[1])]
    told, hidden = teacher(waveforms, np.array(own))
    assert torch.allclose(told, scores, atol=1e-6)
    assert torch.allclose(model.activation(model.classifier(hidden)).exp(), scores)
    between, _ = teacher(waveforms, (np.array(own[:-1]) + own[1:]) / 2)
    assert torch.allclose(between, (scores[:, :-1] + scores[:, 1:]) / 2, atol=1e-6)


def test_student_comes_to_say_what_its_teacher_says(protocol):
    task = make_task(protocol, Imitation(make_teacher(), "classifier", reference=0.0))
    logged: dict[str, list[float]] = {}
    task.model.log = lambda name, value, **_: logged.setdefault(name, []).append(
        float(value.detach())
    )
    optimizer = torch.optim.Adam(task.model.parameters(), 5e-3)
    chunks = task.train__iter__()
    for step in range(60):
        batch = task.collate_fn([next(chunks) for _ in range(8)])
        loss = task.training_step(batch, step)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    for part in ("divergence", "hidden"):
        losses = logged[f"loss/train/{part}"]
        assert np.mean(losses[-5:]) < 0.75 * np.mean(losses[:5]), part


def test_teacher_without_that_layer_is_refused():
    with pytest.raises(ValueError, match=r"no layer 'head' but .*classifier"):
        SegmentationTeacher(make_teacher(), "head")


def test_teacher_of_other_classes_is_refused(protocol):
    with pytest.raises(ValueError, match="tells 8 classes, the student should tell 4"):
        make_task(protocol, Imitation(make_teacher(3), "classifier"))
