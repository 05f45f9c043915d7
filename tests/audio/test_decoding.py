# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Decoding in order, and what happens where soundfile gives up."""

import io
import sys

import numpy as np
import pytest
import soundfile

from pyannote_diarizen.audio import container, decoding
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


def test_two_mp3_files_in_one_are_read(mp3):
    """soundfile stops after the first."""
    waveform, _ = decode(io.BytesIO(mp3 + mp3), "call")
    # with what the encoder added to the second
    assert waveform.shape[1] / 16000 == pytest.approx(40, abs=0.2)
    silence, noise = (
        waveform[0, second * 16000 : (second + 8) * 16000].square().mean()
        for second in (21, 31)
    )
    assert silence < 1e-4 < noise


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("tag", [bytes(20000), b"APETAGEX" + bytes(20000)])
def test_large_tags_at_the_end_are_no_sound(mp3, tag):
    waveform, _ = decode(io.BytesIO(mp3 + tag), "call")
    assert waveform.shape == (1, 320000)


def test_what_neither_reads_on_is_left_out_with_a_warning(mp3, monkeypatch):
    def fail(stream, name):
        raise ValueError("Invalid data.")

    monkeypatch.setattr(container, "decode_container", fail)
    with pytest.warns(UserWarning, match=r"last \d+ bytes. Only 20.0 s are read"):
        waveform, _ = decode(io.BytesIO(mp3 + mp3), "call")
    assert waveform.shape == (1, 320000)


def test_truncated_mp3_is_read_with_a_warning(mp3):
    with pytest.warns(UserWarning, match=r"call is truncated.*20.0 s.*it holds 1\d\."):
        decode(io.BytesIO(mp3[: len(mp3) * 2 // 3]), "call")


def test_pyav_that_cannot_be_imported_is_an_error_too(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyannote_diarizen.audio.container", None)
    with pytest.raises(AudioFileError, match=r"PyAV: import of .*container halted"):
        decode(io.BytesIO(b"unknown to soundfile"), "call")


def test_error_names_both_libraries():
    with pytest.raises(AudioFileError) as caught:
        decode(io.BytesIO(b"unknown to soundfile"), "call")
    assert str(caught.value) == (
        "call cannot be decoded. soundfile: Format not recognised. PyAV: Invalid data "
        "found when processing input. Is it audio, and complete? If so, record or "
        "export it again."
    )


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


def without_header(mp3: bytes) -> bytes:
    """MP3 without its first frame, which holds the number of frames."""
    return mp3[mp3.find(mp3[:2], mp3.find(b"Xing")) :]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("reverse", [False, True])
def test_mp3_without_a_header_is_read_to_its_end(noise, reverse):
    """Its length is guessed from the first frame: too short, or too long."""
    stream = io.BytesIO()
    soundfile.write(stream, noise[::-1] if reverse else noise, 16000, format="MP3")
    content = without_header(stream.getvalue())
    waveform, _ = decode(io.BytesIO(content), "call")
    assert waveform.shape[1] / 16000 == pytest.approx(20, abs=0.2)


@pytest.fixture(scope="module", params=["OPUS", "VORBIS"])
def ogg(request):
    """Fifteen seconds of a tone in Ogg; it is louder from second to second."""
    time = np.arange(15 * 16000) / 16000
    tone = 0.06 * np.floor(time + 1) * np.sin(2 * np.pi * 440 * time)
    stream = io.BytesIO()
    soundfile.write(stream, tone, 16000, format="OGG", subtype=request.param)
    return stream.getvalue(), tone


def test_a_hole_in_ogg_is_silence_and_moves_nothing(ogg):
    content, tone = ogg
    damaged = bytearray(content)
    middle = len(content) // 2
    damaged[middle : middle + 100] = bytes(100)
    with pytest.warns(UserWarning, match=r"s of its sound are missing. They are read"):
        waveform, rate = decode(io.BytesIO(damaged), "call")
    assert waveform.shape[1] / rate == pytest.approx(15, abs=0.2)
    for second in (1, 13):
        level = waveform[0, second * rate : (second + 1) * rate].square().mean() ** 0.5
        expected = (tone[second * 16000 : (second + 1) * 16000] ** 2).mean() ** 0.5
        assert level == pytest.approx(expected, rel=0.05)


def test_a_second_ogg_stream_is_read(ogg):
    content, _ = ogg
    waveform, rate = decode(io.BytesIO(content + content), "call")
    assert waveform.shape[1] / rate == pytest.approx(30, abs=0.2)
