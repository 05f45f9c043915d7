# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Decoding in order, and what happens where soundfile gives up."""

import io
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch

from pyannote_diarizen.audio import decoding
from pyannote_diarizen.audio.decoding import decode, decode_path
from pyannote_diarizen.audio.reader import read_audio
from pyannote_diarizen.errors import AudioFileError


@pytest.fixture
def noise(rng):
    """Ten seconds of silence, then ten of noise: a bit rate that varies."""
    return rng.uniform(-0.3, 0.3, 320000) * (np.arange(320000) > 160000)


@pytest.fixture
def mp3(noise):
    """The same as an MP3 file."""
    stream = io.BytesIO()
    soundfile.write(stream, noise, 16000, format="MP3")
    return stream.getvalue()


@pytest.fixture
def fake_torchcodec(monkeypatch):
    """A torchcodec that decodes any file to three samples."""

    class AudioDecoder:
        def __init__(self, stream):
            assert stream.tell() == 0

        def get_all_samples(self):
            return SimpleNamespace(
                data=torch.tensor([[0.1, 0.2, 0.3]]), sample_rate=48000
            )

    decoders = ModuleType("torchcodec.decoders")
    decoders.AudioDecoder = AudioDecoder
    monkeypatch.setitem(sys.modules, "torchcodec", ModuleType("torchcodec"))
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", decoders)


def test_blocks_of_mp3_join_without_seams(mp3, monkeypatch):
    """soundfile seeks after each read, which changes the samples of such a file."""
    monkeypatch.setattr(decoding, "BLOCK", 7777)
    waveform, sample_rate = decode(io.BytesIO(mp3), "call")
    expected, _ = soundfile.read(io.BytesIO(mp3), dtype="float32")
    assert sample_rate == 16000
    np.testing.assert_allclose(waveform[0].numpy(), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("encoding", ["GSM610", "G721_32"])
def test_encodings_that_cannot_seek_are_read(encoding):
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)
    stream = io.BytesIO()
    soundfile.write(stream, tone, 8000, format="WAV", subtype=encoding)
    waveform, _ = decode(stream, "call")
    assert np.corrcoef(waveform[0, :8000], tone)[0, 1] > 0.95


def test_flac_written_to_a_pipe_is_read_to_its_end(tmp_path, noise):
    path = tmp_path / "piped.flac"
    soundfile.write(path, noise, 16000)
    content = bytearray(path.read_bytes())
    # 36 bits of the header tell the number of samples, zero if unknown
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    path.write_bytes(content)
    waveform, _ = read_audio(path)
    np.testing.assert_allclose(waveform[0], noise, atol=2**-15)


@pytest.mark.usefixtures("no_torchcodec")
def test_two_mp3_files_in_one_are_half_read_with_a_warning(mp3):
    with pytest.warns(UserWarning, match=r"call: only 20.0 s are read.*ffmpeg"):
        waveform, _ = decode(io.BytesIO(mp3 + mp3), "call")
    assert waveform.shape == (1, 320000)


def test_truncated_mp3_is_read_with_a_warning(mp3):
    with pytest.warns(UserWarning, match=r"call is truncated.*20.0 s.*it holds 1\d\."):
        decode(io.BytesIO(mp3[: len(mp3) * 2 // 3]), "call")


@pytest.mark.usefixtures("fake_torchcodec")
def test_torchcodec_reads_what_soundfile_does_not(tmp_path, mp3):
    path = tmp_path / "call.m4a"
    path.write_bytes(b"unknown to soundfile")
    waveform, sample_rate = read_audio(path, sample_rate=None)
    assert sample_rate == 48000
    torch.testing.assert_close(waveform, torch.tensor([[0.1, 0.2, 0.3]]))
    # nor the second half of this
    assert decode(io.BytesIO(mp3 + mp3), "call")[0].shape == (1, 3)


@pytest.mark.usefixtures("no_torchcodec")
def test_error_says_what_both_libraries_say():
    with pytest.raises(AudioFileError) as caught:
        decode(io.BytesIO(b"unknown to soundfile"), "call")
    assert str(caught.value) == (
        "call cannot be decoded. soundfile: Format not recognised. torchcodec: It "
        "needs FFmpeg, which it does not find here. Is it audio, and complete? If so, "
        "convert it: `ffmpeg -i INPUT OUTPUT.wav`."
    )


def test_error_of_torchcodec_is_told_without_its_source(fake_torchcodec, monkeypatch):
    def fail(self):
        raise RuntimeError("decode, /src/torchcodec/Decoder.cpp:79, No stream\nat 1")

    decoder = sys.modules["torchcodec.decoders"].AudioDecoder
    monkeypatch.setattr(decoder, "get_all_samples", fail)
    with pytest.raises(AudioFileError, match=r"torchcodec: No stream Is it audio"):
        decode(io.BytesIO(b"unknown to soundfile"), "call")


def test_last_file_is_decoded_once(tmp_path, mp3, monkeypatch):
    path = tmp_path / "call.mp3"
    path.write_bytes(mp3)
    decode_path.cache_clear()
    parts = [read_audio(path, start=start, duration=1.0)[0] for start in (3.0, 15.0)]
    assert decode_path.cache_info().misses == 1
    # a caller who writes to what it got changes nothing for the next one
    parts[1].zero_()
    assert read_audio(path, start=15.0, duration=1.0)[0].abs().max() > 0
    path.write_bytes(mp3[: len(mp3) // 2])
    with pytest.warns(UserWarning, match="call.mp3"):
        read_audio(path)


def test_torchcodec_reads_m4a(tmp_path):
    try:
        from torchcodec.encoders import AudioEncoder
    except (ImportError, RuntimeError):
        pytest.skip("needs FFmpeg")
    tone = 0.5 * torch.sin(2 * torch.pi * 440 * torch.arange(96000) / 48000)
    path = tmp_path / "tone.m4a"
    AudioEncoder(tone[None], sample_rate=48000).to_file(path)
    waveform, _ = read_audio(path)
    inside = slice(1600, 30000)
    torch.testing.assert_close(
        waveform[0, inside], tone[::3][inside], atol=0.05, rtol=0
    )
    part, _ = read_audio(path, start=1.0, duration=0.5)
    torch.testing.assert_close(part, waveform[:, 16000:24000], atol=1e-5, rtol=0)
