# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Segmentation models learn from real and simulated chunks."""

from itertools import islice

import numpy as np
import pytest
import torch
import torch_audiomentations
from lightning.pytorch import Trainer, seed_everything
from lightning.pytorch.loggers import CSVLogger
from pyannote.core import Segment, SlidingWindowFeature, Timeline
from pyannote.database import registry
from tiny_wavlm import CONFIG

from pyannote_diarizen.errors import AudioFileError
from pyannote_diarizen.models import FBankConformer, MultiChannelWavLMConformer
from pyannote_diarizen.models.checkpoint import load_model
from pyannote_diarizen.simulation.conversation import SimulatedConversation
from pyannote_diarizen.simulation.corpus import simulate_corpus
from pyannote_diarizen.simulation.simulator import (
    ConversationSimulator,
    Mixing,
    TurnTaking,
)
from pyannote_diarizen.simulation.speech import SpeechPool
from pyannote_diarizen.tasks.class_balance import shares_in_chunks
from pyannote_diarizen.tasks.powerset_diarization import (
    UNKNOWN,
    PowersetDiarization,
    SinglePrecisionPowerset,
)
from pyannote_diarizen.tasks.segmentation_loss import SegmentationLoss

PITCHES = {"low": 0.1, "high": 0.7}
TINY = {"attention_in": 16, "ffn_hidden": 24, "num_layer": 1, "kernel_size": 7}
RESIDUAL = {"residual_channels": (8,), "residual_blocks": (1,)}


@pytest.fixture(scope="module")
def simulator() -> ConversationSimulator:
    """Two speakers: a low tone and a high one."""
    pool = SpeechPool.from_utterances(
        ("tones", name, (8000 * np.sin(pitch * np.arange(32000))).astype(np.int16))
        for name, pitch in PITCHES.items()
    )
    return ConversationSimulator(
        pool,
        num_speakers=(2, 2),
        turn_taking=TurnTaking(turn_duration=0.7),
        mixing=Mixing(snr=(20, 30), telephone=0.0),
    )


@pytest.fixture(scope="module")
def protocol(simulator, tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    for subset in ("train", "development"):
        simulate_corpus(simulator, folder, 2, 3.0, subset=subset)
    registry.load_database(folder / "database.yml")
    return registry.get_protocol("Simulated.SpeakerDiarization.Conversations")


def make_task(protocol, **options) -> PowersetDiarization:
    task = PowersetDiarization(
        protocol,
        **{
            "duration": 2.0,
            "max_speakers_per_chunk": 2,
            "batch_size": 8,
            "num_workers": 0,
            **options,
        },
    )
    task.model = FBankConformer(**TINY, **RESIDUAL, task=task)
    task.prepare_data()
    task.model.setup("validate")
    task.setup_loss_func()
    return task


def first_chunks(task: PowersetDiarization, num_chunks: int) -> list[dict]:
    seed_everything(0)
    return list(islice(task.train__iter__(), num_chunks))


def test_a_loop_of_ones_own_needs_no_trainer(protocol):
    task = PowersetDiarization(protocol, duration=2.0, batch_size=3, num_workers=0)
    model = FBankConformer(**TINY, **RESIDUAL, task=task)
    model.prepare_data()
    model.setup()
    batch = next(iter(task.train_dataloader()))
    assert batch["X"].shape == (3, 1, 32000)
    with pytest.warns(UserWarning, match=r"self\.log"):
        assert task.training_step(batch, 0)["loss"].requires_grad


def test_share_of_simulated_chunks_is_as_asked(protocol, simulator):
    task = make_task(protocol, simulator=simulator, simulated=0.5)
    simulated = [chunk["meta"]["file"] == UNKNOWN for chunk in first_chunks(task, 100)]
    assert 30 < sum(simulated) < 70


def test_speech_of_an_epoch_is_decoded_before_it(protocol, simulator, monkeypatch):
    prepared: list[dict] = []

    def prepare(generators):
        prepared.extend(rng.bit_generator.state for rng in generators)

    drawn: list[dict] = []

    def simulate(duration, rng):
        drawn.append(rng.bit_generator.state)
        return ConversationSimulator.simulate(simulator, duration, rng)

    task = make_task(protocol, simulator=simulator, simulated=0.5, batches_per_epoch=3)
    monkeypatch.setattr(simulator, "prepare", prepare)
    monkeypatch.setattr(simulator, "simulate", simulate)
    seed_everything(0)
    loader = task.train_dataloader()
    assert prepared
    assert drawn == []
    assert len(list(islice(loader, 3))) == 3
    assert drawn == prepared


def test_frames_of_simulated_chunks_tell_who_speaks_alone(protocol, simulator):
    task = make_task(protocol, simulator=simulator, simulated=1.0)
    for chunk in first_chunks(task, 5):
        alone = chunk["y"].data.sum(axis=1) == 1
        assert ((chunk["speaker"] != UNKNOWN) == alone).all()
        for activity, name in zip(chunk["y"].data.T, chunk["y"].labels, strict=True):
            index = simulator.pool.speakers.index(name)
            assert ((chunk["speaker"] == index) == (alone & (activity == 1))).all()


def test_channel_of_recordings_is_as_asked(protocol):
    assert make_task(protocol, channel=0).model.audio.channel == 0
    with pytest.raises(AudioFileError, match="no channel 1"):
        make_task(protocol, channel=1).prepare_chunk(0, 0.0, 2.0)


def test_chunk_past_the_end_of_a_file_is_padded(protocol):
    chunk = make_task(protocol).prepare_chunk(0, 2.0, 2.0)
    assert chunk["X"].shape == (1, 32000)
    assert not chunk["X"][:, 16000:].any()
    assert not chunk["y"].data[-20:].any()
    assert (chunk["speaker"] == UNKNOWN).all()


@pytest.mark.filterwarnings("ignore:The .*dataloader.* does not have many workers")
def test_a_multi_channel_model_learns(protocol, simulator, tmp_path):
    seed_everything(1)
    task = PowersetDiarization(
        protocol,
        simulator=simulator,
        simulated=0.5,
        batches_per_epoch=6,
        duration=2.0,
        max_speakers_per_chunk=2,
        batch_size=4,
        num_workers=0,
    )
    model = MultiChannelWavLMConformer(
        wavlm=CONFIG.to_dict(),
        channel_fusion_dim=16,
        channel_fusion_layers=2,
        num_channels=3,
        task=task,
        **TINY,
    )
    before = [fusion.linearQ.weight.clone() for fusion in model.channel_fusions]
    trainer = Trainer(
        accelerator="cpu",
        fast_dev_run=6,
        logger=CSVLogger(tmp_path),
        enable_progress_bar=False,
    )
    trainer.fit(model)
    assert trainer.callback_metrics["loss/train"].isfinite()
    for fusion, weight in zip(model.channel_fusions, before, strict=True):
        assert not torch.equal(fusion.linearQ.weight, weight)


def test_real_and_simulated_targets_are_identical(protocol, simulator):
    task = make_task(protocol, simulator=simulator, simulated=1.0)
    frames = first_chunks(task, 1)[0]["y"].sliding_window
    annotation = next(iter(protocol.train()))["annotation"].crop(Segment(0, 2))
    turns = [(t.start, t.end, s) for t, _, s in annotation.itertracks(yield_label=True)]
    conversation = SimulatedConversation(np.zeros(32000), turns, 16000)
    simulated = conversation.activity(frames, task.model.num_frames(32000))
    real = task.prepare_chunk(0, 0.0, 2.0)["y"].data
    assert simulated.any()
    # columns may be in another order
    np.testing.assert_array_equal(np.sort(simulated), np.sort(real))


@pytest.mark.filterwarnings("ignore:Precision bf16-mixed is not supported by the model")
@pytest.mark.filterwarnings("ignore:The .*dataloader.* does not have many workers")
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_two_tones_are_told_apart(protocol, simulator, tmp_path, precision):
    seed_everything(1)
    task = PowersetDiarization(
        protocol,
        simulator=simulator,
        simulated=0.9,
        identification=0.2,
        batches_per_epoch=60,
        duration=2.0,
        max_speakers_per_chunk=2,
        batch_size=4,
        num_workers=0,
    )
    model = FBankConformer(**TINY, **RESIDUAL, task=task)
    model.configure_optimizers = lambda: torch.optim.Adam(model.parameters(), 5e-3)
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=1,
        precision=precision,
        logger=CSVLogger(tmp_path),
        enable_checkpointing=False,
        enable_progress_bar=False,
        num_sanity_val_steps=0,
    )
    trainer.fit(model)
    assert trainer.callback_metrics["loss/train/cross_entropy"] < 1.0
    assert trainer.callback_metrics["DiarizationErrorRate"] < 0.3
    trainer.save_checkpoint(tmp_path / "identified.ckpt")
    loaded = load_model(tmp_path / "identified.ckpt")
    assert not any("identification" in name for name in loaded.state_dict())


def test_nobody_is_identified_in_a_batch_of_real_chunks(protocol, simulator):
    task = make_task(protocol, simulator=simulator, simulated=0.0, identification=1.0)
    logged = {}
    task.model.log = lambda name, value, **_: logged.update({name: value})
    loss = task.training_step(task.collate_fn(first_chunks(task, 3)), 0)["loss"]
    assert logged["loss/train/identification"] == 0
    assert loss == logged["loss/train/cross_entropy"]
    loss.backward()
    # distributed training refuses weights without gradient
    assert not task.model.identification_loss.W.grad.any()


def test_each_part_of_the_loss_is_computed_as_asked(protocol):
    options = {"binary_cross_entropy": 0.5, "smoothness": 0.1, "class_balance": 1.0}
    task = make_task(protocol, loss=options)
    task.model.eval()  # no dropout
    task.model.log = lambda name, value, **_: logged.update({name: value})
    logged = {}
    batch = task.collate_fn(first_chunks(task, 3))
    loss = task.training_step(batch, 0)["loss"]
    parts = "cross_entropy", "binary_cross_entropy", "smoothness"
    assert set(logged) == {"loss/train", *(f"loss/train/{part}" for part in parts)}
    scores = task.model(batch["X"])
    expected, _ = SegmentationLoss(**options)(
        scores, batch["y"], task.model.powerset, task.model.class_weights
    )
    torch.testing.assert_close(loss, expected)
    assert "class_weights" not in task.model.state_dict()


def seconds_by_hand(protocol) -> torch.Tensor:
    silence = alone = overlap = 0.0
    for file in protocol.train():
        turns = file["annotation"].crop(file["annotated"])
        both = turns.get_overlap().duration()
        speech = turns.get_timeline().support().duration()
        silence += file["annotated"].duration() - speech
        alone, overlap = alone + speech - both, overlap + both
    return torch.tensor([silence, alone / 2, alone / 2, overlap])


def test_recordings_are_balanced_by_a_field(protocol):
    """In pyannote.audio 4.0.7, `balance` is a KeyError."""
    name = "Simulated.SpeakerDiarization.Conversations"
    fields = {
        "domain": lambda file: file["uri"][-1],
        # drawn ten times less often otherwise
        "annotated": lambda file: Timeline(
            [Segment(0, 0.3 if file["uri"].endswith("0") else 3)]
        ),
    }
    task = make_task(
        registry.get_protocol(name, fields), balance=["domain"], duration=0.3
    )
    files = [chunk["meta"]["file"] for chunk in first_chunks(task, 100)]
    assert 30 < files.count(0) < 70


def test_balanced_classes_of_recordings_weigh_as_much(protocol):
    task = make_task(protocol, loss=SegmentationLoss(class_balance=1.0))
    seconds = seconds_by_hand(protocol)
    parts = task.model.class_weights * seconds / seconds.sum()
    torch.testing.assert_close(parts, torch.full((4,), 0.25), rtol=0.05, atol=0)


def test_balanced_classes_of_simulations_weigh_as_much(protocol, simulator):
    loss = SegmentationLoss(class_balance=1.0)
    task = make_task(protocol, simulator=simulator, simulated=1.0, loss=loss)
    activities = [chunk["y"].data for chunk in first_chunks(task, 100)]
    shares = torch.from_numpy(shares_in_chunks(activities, 2)).float()
    cardinality = task.model.powerset.cardinality.long()
    frequency = (shares / torch.tensor([1, 2, 1]))[cardinality]
    parts = task.model.class_weights * frequency
    torch.testing.assert_close(parts, torch.full((4,), 0.25), rtol=0.3, atol=0)


def test_powerset_is_exact_under_autocast():
    powerset = SinglePrecisionPowerset(3, 2)
    scores = torch.randn(2, 10, 7)
    with torch.autocast("cpu", torch.bfloat16):
        multilabel = powerset.to_multilabel(scores)
        assert multilabel.dtype == torch.float32
        assert powerset.to_powerset(multilabel).argmax(-1).equal(scores.argmax(-1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"simulated": 0.5}, "need a `simulator`"),
        ({"balance": ["domain"], "shift": 1.0}, "leave out `shift`"),
        ({"identification": 0.5}, "need a `simulator`"),
        ({"simulated": 90}, "between 0 and 1"),
        ({"loss": {"focal": 2}}, "of the loss: focal"),
        ({"duration": -1.0}, "`duration` should be at least 0.01, got -1"),
        ({"batch_size": 0}, "`batch_size` should be at least 1, got 0"),
        ({"batches_per_epoch": 0}, "`batches_per_epoch` should be at least 1"),
        ({"num_workers": -1}, "`num_workers` should be at least 0, got -1"),
        ({"shift": 0.0}, "`shift` should be at least 0.01"),
        ({"max_speakers_per_chunk": 0}, "`max_speakers_per_chunk` should be at least"),
        (
            {"max_speakers_per_chunk": 2, "max_speakers_per_frame": 3},
            "at most `max_speakers_per_chunk`, got 3 and 2",
        ),
    ],
)
def test_contradictory_options_are_refused(protocol, options, message):
    with pytest.raises(ValueError, match=message):
        PowersetDiarization(protocol, **options)


# -- chunks by a shift, mixed chunks, augmentation


@pytest.fixture
def shifting(protocol) -> PowersetDiarization:
    # two recordings of 3 s
    task = make_task(protocol, duration=1.0, shift=0.5, batch_size=2)
    task.model.trainer = Trainer(logger=False, barebones=True)
    return task


def test_chunks_by_a_shift_are_seen_once_in_an_epoch(shifting):
    assert shifting.train__len__() == 10
    chunks = first_chunks(shifting, 20)
    seen = [(int(c["meta"]["file"]), c["X"].sum().item()) for c in chunks]
    assert len(set(seen[:10])) == 10
    assert set(seen[10:]) == set(seen[:10])
    assert seen[10:] != seen[:10]


def test_processes_share_the_chunks_of_an_epoch(shifting, monkeypatch):
    monkeypatch.setattr(Trainer, "world_size", 2)
    seen = []
    for rank in (0, 1):
        monkeypatch.setattr(Trainer, "global_rank", rank)
        chunks = first_chunks(shifting, shifting.train__len__())
        seen += [(int(c["meta"]["file"]), c["X"].sum().item()) for c in chunks]
    assert len(seen) == len(set(seen)) == 10


def test_chunks_are_mixed_in_training_only(protocol):
    task = make_task(protocol, mixing={"share": 1.0}, max_speakers_per_chunk=4)
    chunks = first_chunks(task, 8)
    validated = task.collate_fn(chunks, stage="val")["X"]
    torch.testing.assert_close(validated, torch.stack([c["X"] for c in chunks]))
    trained = task.collate_fn(chunks, stage="train")
    assert not torch.allclose(trained["X"], validated)
    assert trained["y"].shape == (8, validated_frames(task), 4)


def validated_frames(task: PowersetDiarization) -> int:
    return task.model.num_frames(round(task.duration * 16000))


def test_those_who_speak_most_are_kept(protocol):
    task = make_task(protocol)
    frames = first_chunks(task, 1)[0]["y"].sliding_window
    drawn = np.zeros((5, 3), dtype=np.uint8)
    drawn[:2, 1], drawn[:, 2] = 1, 1  # the first speaker is silent
    sample = {"y": SlidingWindowFeature(drawn, frames, labels=[0, 1, 2])}
    assert task.collate_y([sample]).sum(dim=1).tolist() == [[5, 2]]


def test_augmentation_after_which_labels_are_wrong(protocol):
    shift = torch_audiomentations.Shift(output_type="dict")
    with pytest.raises(ValueError, match="moves speech away from its labels"):
        make_task(protocol, augmentation=shift)
