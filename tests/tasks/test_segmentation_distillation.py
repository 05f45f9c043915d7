# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Knowledge distillation of segmentation models."""

import numpy as np
import pytest
import torch
from lightning.pytorch import seed_everything
from pyannote.audio.core.task import Problem, Resolution, Specifications
from pyannote.audio.models.segmentation import PyanNet
from pyannote.database import registry

from pyannote_diarizen.simulation.corpus import simulate_corpus
from pyannote_diarizen.simulation.simulator import ConversationSimulator
from pyannote_diarizen.simulation.speech import SpeechPool
from pyannote_diarizen.tasks.powerset_diarization import PowersetDiarization
from pyannote_diarizen.tasks.segmentation_distillation import (
    Distillation,
    SegmentationTeacher,
    separate_lstm_layers,
)
from pyannote_diarizen.tasks.teacher_forcing import teacher_forced_outputs

SIZE = {"hidden_size": 8}
LAYERS = ("lstm.0", "lstm.1", "linear.0")


def make_teacher(num_speakers: int = 2, stride: int = 10) -> PyanNet:
    """Teacher with confident posteriors."""
    seed_everything(0)
    teacher = PyanNet({"stride": stride}, lstm={"num_layers": 2, **SIZE}, linear=SIZE)
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
    return teacher.eval()


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


def make_task(
    protocol, distillation: Distillation, stride: int = 10
) -> PowersetDiarization:
    task = PowersetDiarization(
        protocol,
        distillation=distillation,
        duration=2.0,
        max_speakers_per_chunk=2,
        batch_size=8,
        num_workers=0,
    )
    seed_everything(1)
    task.model = PyanNet(
        {"stride": stride},
        lstm={"num_layers": 2, "monolithic": False, **SIZE},
        linear=SIZE,
        task=task,
    )
    task.prepare_data()
    task.model.setup("validate")
    task.setup_loss_func()
    return task


def losses_of(task: PowersetDiarization, num_steps: int) -> dict[str, list[float]]:
    """Train, and return the parts of the loss at each step."""
    logged: dict[str, list[float]] = {}
    task.model.log = lambda name, value, **_: logged.setdefault(name, []).append(
        float(value.detach())
    )
    optimizer = torch.optim.Adam(task.model.parameters(), 5e-3)
    chunks = task.train__iter__()
    for step in range(num_steps):
        batch = task.collate_fn([next(chunks) for _ in range(4)])
        loss = task.training_step(batch, step)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return logged


def test_separate_lstm_layers_give_the_same_scores():
    model = make_teacher()
    waveforms = torch.randn(2, 1, 32000)
    separate = separate_lstm_layers(model).eval()
    torch.testing.assert_close(separate(waveforms), model(waveforms))


def test_teacher_is_evaluated_at_the_nearest_frames():
    model = separate_lstm_layers(make_teacher())
    teacher = SegmentationTeacher(model, LAYERS)
    waveforms = torch.randn(2, 1, 32000)
    scores = model(waveforms)
    own = [model.receptive_field_center(frame) for frame in range(scores.shape[1])]
    expected, inputs = teacher(waveforms, np.array(own) + 100)
    # Kernels of training and inference differ: by 4e-6 on some CPUs, in logarithms of
    # down to -20, where frames differ from their neighbours by a thousand tolerances.
    noise = {"rtol": 0.0, "atol": 1e-4}
    assert scores.diff(dim=1).abs().amax(dim=(0, 2)).min() > 0.1
    torch.testing.assert_close(expected, scores, **noise)
    assert tuple(inputs) == LAYERS
    torch.testing.assert_close(model.lstm[1](inputs["lstm.1"])[0], inputs["linear.0"])
    far, _ = teacher(waveforms, np.array([-9000.0, 90000.0]))
    torch.testing.assert_close(far, scores[:, [0, -1]], **noise)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_divergence_at_a_temperature(protocol, temperature):
    teacher = separate_lstm_layers(make_teacher())
    task = make_task(protocol, Distillation(teacher, temperature=temperature))
    task.model.eval()
    waveforms = torch.randn(2, 1, 32000)
    scores, parts = task._distill(waveforms, step=0)
    p = (teacher(waveforms) / temperature).softmax(dim=-1)
    q = (scores / temperature).softmax(dim=-1)
    expected = temperature**2 * (p * (p / q).log()).sum(dim=-1).mean()
    torch.testing.assert_close(parts["divergence"], expected, rtol=1e-3, atol=1e-5)
    with pytest.raises(ValueError, match="`temperature` should be above 0"):
        Distillation(teacher, temperature=0.0)


@pytest.mark.parametrize("teacher_forcing_steps", [0, 100])
def test_student_approaches_its_teacher(protocol, teacher_forcing_steps):
    stride = 40  # faster
    teacher = separate_lstm_layers(make_teacher(stride=stride))
    distillation = Distillation(teacher, LAYERS, teacher_forcing_steps, reference=0.0)
    losses = losses_of(make_task(protocol, distillation, stride), 60)
    for part in ("divergence", *LAYERS):
        of_part = losses[f"loss/train/{part}"]
        assert np.mean(of_part[-5:]) < 0.75 * np.mean(of_part[:5]), part


def test_forced_layers_take_the_inputs_of_the_teacher(protocol):
    """A student that shares all later layers with its teacher has its posteriors."""
    teacher = separate_lstm_layers(make_teacher())
    task = make_task(protocol, Distillation(teacher, LAYERS, teacher_forcing_steps=1))
    names = ("lstm.", "linear.", "classifier.")
    weights = {k: v for k, v in teacher.state_dict().items() if k.startswith(names)}
    task.model.load_state_dict(weights, strict=False)
    waveforms = torch.randn(2, 1, 32000)
    _, forced = task._distill(waveforms, step=0)
    _, free = task._distill(waveforms, step=1)
    for name in ("divergence", *LAYERS[1:]):
        assert forced[name] < 1e-6 < free[name], name
    assert forced["lstm.0"] == free["lstm.0"] > 0.1


def test_scheduled_sampling_feeds_lstm_layers_their_own_outputs(protocol):
    teacher = separate_lstm_layers(make_teacher())
    waveforms = torch.randn(16, 1, 32000)
    errors = {}
    for share in (0.0, 0.5, 1.0):
        task = make_task(protocol, Distillation(teacher, LAYERS, 1, share))
        _, parts = task._distill(waveforms, step=0)
        errors[share] = float(parts["linear.0"].detach())
    centers = [task.model.receptive_field_center(frame) for frame in range(115)]
    _, targets = task._distill._teacher(waveforms, np.array(centers))
    expected = targets["linear.0"]
    assert task.model.num_frames(32000) == expected.shape[1] == 115
    by_itself, _ = task.model.lstm[1](targets["lstm.1"])
    variance = expected.var(dim=(0, 1), correction=0).mean()
    alone = torch.nn.functional.mse_loss(by_itself, expected).detach() / variance
    assert errors[1.0] == pytest.approx(float(alone), rel=1e-5)
    assert len(set(errors.values())) == 3


def test_teacher_forced_outputs_are_those_of_the_layers():
    seed_everything(2)
    options = {"batch_first": True, "bidirectional": True}
    layers = [torch.nn.LSTM(5, 4, **options), torch.nn.LSTM(8, 4, **options)]
    first = torch.randn(3, 20, 5)
    second, _ = layers[0](first)
    third, _ = layers[1](second)
    outputs = teacher_forced_outputs(layers, [first, second], [second, third])
    torch.testing.assert_close(outputs, [second, third])
    # a wrong target changes only the frames after it
    wrong = second.detach().clone()
    wrong[:, 7] = 0.0
    (forward, backward), (right, left) = (
        outputs.chunk(2, dim=-1)
        for outputs in (*teacher_forced_outputs(layers[:1], [first], [wrong]), second)
    )
    torch.testing.assert_close(forward[:, :8], right[:, :8])
    torch.testing.assert_close(backward[:, 7:], left[:, 7:])
    assert not torch.allclose(forward[:, 8], right[:, 8])
    assert not torch.allclose(backward[:, 6], left[:, 6])


@pytest.mark.parametrize(
    ("teacher_forcing_steps", "scheduled_sampling", "message"),
    [(5, 1.5, "between 0 and 1, got 1.5"), (0, 0.5, "without `teacher_forcing_steps`")],
)
def test_impossible_scheduled_sampling_is_refused(
    teacher_forcing_steps, scheduled_sampling, message
):
    with pytest.raises(ValueError, match=message):
        Distillation(make_teacher(), LAYERS, teacher_forcing_steps, scheduled_sampling)


def test_teacher_without_that_layer_is_refused():
    with pytest.raises(ValueError, match=r"no layer 'head' but .*classifier"):
        SegmentationTeacher(make_teacher(), ["head"])


def test_teacher_of_other_classes_is_refused(protocol):
    with pytest.raises(ValueError, match="has 8 classes, the student 4"):
        make_task(protocol, Distillation(make_teacher(3)))
