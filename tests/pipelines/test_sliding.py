# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import numpy.testing as npt
import pytest
import torch
from pyannote.audio import Inference
from pyannote.audio.core.task import Problem, Resolution, Specifications
from pyannote.audio.models.segmentation import PyanNet

from pyannote_diarizen.audio.reader import AudioReader
from pyannote_diarizen.pipelines import files
from pyannote_diarizen.pipelines.files import LoadedFile
from pyannote_diarizen.pipelines.sincnet import SharedSincNet
from pyannote_diarizen.pipelines.sliding import slide

RATE = 16000


@pytest.fixture(scope="module")
def pyannet() -> PyanNet:
    torch.manual_seed(0)
    small = {"hidden_size": 16, "num_layers": 1}
    model = PyanNet(lstm=small, linear=small)
    model.specifications = Specifications(
        problem=Problem.MULTI_LABEL_CLASSIFICATION,
        resolution=Resolution.FRAME,
        duration=2.0,
        classes=["first", "second"],
        permutation_invariant=True,
    )
    model.build()
    norm = model.sincnet.wav_norm1d
    torch.nn.init.constant_(norm.weight, -0.7)
    torch.nn.init.constant_(norm.bias, 0.3)
    return model.eval()


def file_of(waveform: torch.Tensor) -> LoadedFile:
    file = {"uri": "some", "waveform": waveform, "sample_rate": RATE}
    return LoadedFile(file, AudioReader(RATE))


@pytest.mark.parametrize("step", [8000, 4010])  # on the grid of pooling, and off it
def test_shared_filters_give_the_output_of_each_chunk(pyannet, rng, step):
    inference = Inference(pyannet, duration=2.0, step=step / RATE)
    assert SharedSincNet.supports(inference, step)
    assert not SharedSincNet.supports(inference, 8001)
    # a loud part, a quiet part and an offset
    waveform = torch.tensor(rng.standard_normal((1, 5 * RATE))).float()
    waveform[:, 3 * RATE :] = 0.01 * waveform[:, 3 * RATE :] + 0.2
    chunks = waveform.unfold(1, 2 * RATE, step).transpose(0, 1)
    shared = SharedSincNet(inference, 2 * RATE, step)
    with torch.inference_mode():
        expected = pyannet.sincnet(chunks)
    # the second batch shares a second with the first one; the others share nothing, the
    # last one is half of the one before
    for batch in (slice(0, 3), slice(2, 5), slice(0, 2), slice(0, 1)):
        start, stop = batch.start * step, (batch.stop - 1) * step + 2 * RATE
        filtered = shared.filter(waveform[:, start:stop], start)
        torch.testing.assert_close(
            shared.features(filtered), expected[batch], rtol=1e-4, atol=1e-4
        )
        npt.assert_allclose(
            shared.infer([filtered]),
            inference.infer(chunks[batch]),
            rtol=1e-4,
            atol=1e-5,
        )
    other = waveform.flip(1)[:, : 2 * RATE]
    with torch.inference_mode():
        expected = pyannet.sincnet(other[None])
    filtered = shared.filter(other, recording="another one")
    torch.testing.assert_close(
        shared.features(filtered), expected, rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("duration", [0.5, 2.0, 2.3, 7.25])
def test_output_is_that_of_pyannote(pyannet, rng, duration):
    waveform = torch.tensor(rng.standard_normal((1, round(duration * RATE)))).float()
    inference = Inference(pyannet, duration=2.0, step=0.5, batch_size=4)
    expected = inference({"waveform": waveform, "sample_rate": RATE})
    progress = []
    (output,) = slide(
        [file_of(waveform)], inference, lambda **now: progress.append(now)
    )
    npt.assert_allclose(output.data, expected.data, rtol=1e-4, atol=1e-5)
    assert output.sliding_window.step == expected.sliding_window.step
    assert progress[0] == {"completed": 0, "total": len(expected.data)}
    assert progress[-1] == {
        "completed": len(expected.data),
        "total": len(expected.data),
    }


def test_long_files_are_read_in_blocks(pyannet, rng, monkeypatch):
    monkeypatch.setattr(files, "MAX_LOADED", 3.0)
    monkeypatch.setattr(files, "BLOCK", 1)
    waveform = torch.tensor(rng.standard_normal((1, round(4.2 * RATE)))).float()
    file, read = file_of(waveform), []

    def spy(reader, file, start, stop):
        read.append(start)
        return waveform_part(reader, file, start, stop)

    waveform_part = AudioReader.read
    monkeypatch.setattr(AudioReader, "read", spy)
    inference = Inference(pyannet, duration=2.0, step=0.5, batch_size=2)
    (output,) = slide([file], inference)
    assert file._waveform is None
    assert read == [0, RATE, 2 * RATE, 3 * RATE, 4 * RATE]
    expected = inference({"waveform": waveform, "sample_rate": RATE})
    npt.assert_allclose(output.data, expected.data, rtol=1e-4, atol=1e-5)
