import io

import numpy as np
import pytest
import soundfile
import torch
from pyannote.core import Segment

from pyannote_diarizen.data.audio import AudioReader, audio_info, list_audio, read_audio
from pyannote_diarizen.errors import AudioFileError


@pytest.fixture
def noise(rng):
    """Two channels of noise, 1.5 s at 16 kHz."""
    return rng.uniform(-0.5, 0.5, size=(24000, 2)).astype(np.float32)


@pytest.mark.parametrize("kind", ["path", "str", "bytes", "mapping", "waveform"])
def test_every_kind_of_file_reads_the_same(tmp_path, noise, kind):
    path = tmp_path / "audio.wav"
    soundfile.write(path, noise, 16000, subtype="FLOAT")
    file = {
        "path": path,
        "str": str(path),
        "bytes": io.BytesIO(path.read_bytes()),
        "mapping": {"audio": path},
        "waveform": {"waveform": torch.from_numpy(noise.T), "sample_rate": 16000},
    }[kind]
    waveform, sample_rate = read_audio(file, channel=None)
    assert sample_rate == 16000
    torch.testing.assert_close(waveform, torch.from_numpy(noise.T))


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000, 15999])
def test_part_of_a_file_equals_the_same_part_of_the_whole(tmp_path, rng, rate):
    path = tmp_path / "audio.wav"
    soundfile.write(path, rng.uniform(-0.5, 0.5, 3 * rate), rate, subtype="FLOAT")
    whole, _ = read_audio(path)
    assert whole.shape == (1, 48000)
    part, _ = read_audio(path, start=1.2345, duration=0.5)
    start = round(1.2345 * 16000)
    torch.testing.assert_close(
        part, whole[:, start : start + 8000], atol=1e-5, rtol=1e-5
    )


def test_crop_pads_both_ends_with_zeros(tmp_path, noise):
    path = tmp_path / "audio.wav"
    soundfile.write(path, noise[:, 0], 16000, subtype="FLOAT")
    waveform, _ = AudioReader().crop(path, Segment(-0.5, 2.0), mode="pad")
    expected = np.concatenate([np.zeros(8000), noise[:, 0], np.zeros(8000)])
    np.testing.assert_allclose(waveform[0].numpy(), expected, atol=1e-7)


def test_missing_file_is_both_errors(tmp_path):
    with pytest.raises(AudioFileError, match="does not exist"):
        audio_info(tmp_path / "absent.wav")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        list_audio([tmp_path / "absent"])
