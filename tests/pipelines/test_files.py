# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import pytest
import torch
from pyannote.audio.core.io import Audio
from pyannote.database import ProtocolFile

from pyannote_diarizen.audio.reader import AudioReader
from pyannote_diarizen.pipelines.files import LoadedFile


class CountingReader(AudioReader):
    calls = 0

    def __call__(self, file):
        self.calls += 1
        return super().__call__(file)


@pytest.fixture
def stereo() -> dict:
    waveform = torch.stack([torch.zeros(44100), torch.ones(44100)])
    return {"uri": "stereo", "waveform": waveform, "sample_rate": 44100, "channel": 1}


def test_readers_see_one_channel_at_the_rate_of_the_reader(stereo):
    file = LoadedFile(stereo, AudioReader(16000))
    waveform, sample_rate = Audio(sample_rate=16000, mono="downmix")(file)
    assert sample_rate == 16000
    assert waveform.shape == (1, 16000)
    assert waveform[0, 8000] == pytest.approx(1.0, abs=1e-3)
    assert "channel" not in file
    assert file.get("channel") is None
    assert file.duration == 1.0


def test_audio_is_read_once_and_only_if_needed(stereo):
    reader = CountingReader(16000)
    file = LoadedFile(stereo, reader)
    assert "waveform" in file
    assert file["uri"] == "stereo"
    assert set(file) == {"waveform", "sample_rate", "uri"}
    assert len(file) == 3
    assert reader.calls == 0
    assert file["waveform"] is file["waveform"]
    assert reader.calls == 1
    file.unload()
    file["waveform"]
    assert reader.calls == 2


def test_what_is_stored_is_stored_in_the_file_of_the_caller(stereo):
    file = LoadedFile(stereo, AudioReader(16000))
    file["artifact"] = {"step": 1}
    assert stereo["artifact"] == {"step": 1}
    del file["artifact"]
    assert "artifact" not in stereo


def test_lazy_keys_stay_lazy(stereo):
    computed = []
    lazy = {"annotation": lambda file: computed.append(file["uri"])}
    file = LoadedFile(ProtocolFile(stereo, lazy=lazy), AudioReader(16000))
    assert file["uri"] == "stereo"
    assert not computed
    file["annotation"]
    assert computed == ["stereo"]
