# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""What is wrong with a file is told in one error."""

import io
import os
import sys

import numpy as np
import pytest
import soundfile
import torch

from pyannote_diarizen.audio.reader import read_audio
from pyannote_diarizen.audio.sources import open_audio
from pyannote_diarizen.errors import AudioFileError


def refusal(file):
    with pytest.raises(AudioFileError) as caught, open_audio(file):
        pass
    return str(caught.value)


def test_missing_file_is_both_errors(tmp_path):
    with (
        pytest.raises(FileNotFoundError, match=r"absent.wav' does not exist"),
        open_audio(tmp_path / "absent.wav"),
    ):
        pass
    assert "absent.wav' does not exist" in refusal({"audio": tmp_path / "absent.wav"})


def test_folder_is_no_file(tmp_path):
    assert "is a folder" in refusal(tmp_path)


def test_name_that_no_file_can_have_is_refused():
    assert "cannot be opened" in refusal("x" * 5000)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipe_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert "is a pipe" in refusal(tmp_path / "pipe")


def test_file_without_any_byte_is_empty(tmp_path):
    (tmp_path / "empty.wav").touch()
    assert "empty.wav' is empty (0 bytes)" in refusal(tmp_path / "empty.wav")


@pytest.mark.parametrize("name", ["notes.txt", "notes.wav", "notes.raw", "notes.m4a"])
@pytest.mark.parametrize(
    "content", [b"minutes of the meeting\n" * 100, b"RIFF", b"RIFF\x24\0\0\0WAVEfmt "]
)
def test_what_is_not_audio_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    message = refusal(tmp_path / name)
    assert name in message
    assert "cannot be decoded" in message
    assert "record or export it again" in message


def test_file_objects_are_rewound_even_when_refused():
    stream = io.BytesIO(b"minutes of the meeting")
    stream.read(5)
    assert "BytesIO" in refusal(stream)
    assert stream.tell() == 0


def test_file_objects_should_be_binary_open_and_seekable(tmp_path):
    path = tmp_path / "audio.wav"
    soundfile.write(path, np.zeros(100), 16000)
    with path.open(encoding="latin-1") as text:
        assert "open as text" in refusal(text)
    with path.open("rb") as closed:
        pass
    assert "is closed" in refusal(closed)
    stream = io.BytesIO(path.read_bytes())
    stream.seekable = lambda: False
    assert "cannot seek" in refusal(stream)


@pytest.mark.parametrize("file", [None, 3, ["a.wav"], {"audio": ["a.wav"]}])
def test_other_types_are_refused(file):
    assert "should be a path, a file object, or a mapping" in refusal(file)


def test_mapping_should_have_audio():
    assert "call should have an 'audio' or a 'waveform'" in refusal({"uri": "call"})


@pytest.mark.parametrize(
    ("waveform", "sample_rate", "message"),
    [
        ([0.0, 0.1], 16000, "got list"),
        (torch.zeros(100), 16000, r"waveform[None]"),
        (torch.zeros(1, 1, 100), 16000, r"waveform[None]"),
        (torch.zeros(0, 100), 16000, r"got shape (0, 100)"),
        (torch.zeros(100, 2), 16000, "waveform.T"),
        (torch.zeros(1, 100, dtype=torch.int16), 16000, "divide 16-bit"),
        (torch.zeros(1, 100, dtype=torch.complex64), 16000, "floats"),
        (torch.zeros(1, 100), None, "sample_rate"),
        (torch.zeros(1, 100), 0, "sample_rate"),
        (torch.zeros(1, 100), 44100.5, "sample_rate"),
        (torch.zeros(1, 100), float("nan"), "sample_rate"),
        (torch.zeros(1, 100), "16000", "sample_rate"),
    ],
)
def test_waveform_should_be_well_formed(waveform, sample_rate, message):
    file = {"waveform": waveform, "sample_rate": sample_rate, "uri": "call"}
    refused = refusal(file)
    assert refused.startswith("call: ")
    assert message in refused


def test_waveform_that_learns_is_read_without_its_gradient():
    waveform = torch.zeros(1, 100, requires_grad=True)
    with open_audio({"waveform": waveform, "sample_rate": 16000}) as source:
        assert not source.read(0, 100).requires_grad


def test_names_are_opened_with_an_ascii_locale(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: "ascii")
    path = tmp_path / "réunion.wav"
    with path.open("wb") as file:
        soundfile.write(file, np.zeros(16000), 16000, format="WAV")
    with open_audio(path) as source:
        assert source.info.num_samples == 16000


@pytest.mark.parametrize("kind", ["WAV", "AIFF", "AU", "RF64", "W64"])
def test_truncated_files_are_read_with_a_warning(tmp_path, kind):
    path = tmp_path / "half"
    soundfile.write(path, np.zeros(16000), 16000, format=kind, subtype="PCM_16")
    path.write_bytes(path.read_bytes()[:16044])
    with (
        pytest.warns(
            UserWarning, match=r"half' is truncated. .* 32\d\d\d bytes.* 1[56]"
        ),
        open_audio(path) as source,
    ):
        assert source.info.num_samples == pytest.approx(8000, abs=50)


@pytest.mark.filterwarnings("error")
def test_wav_written_to_a_pipe_is_complete(tmp_path):
    path = tmp_path / "piped.wav"
    soundfile.write(path, np.zeros(16000), 16000)
    content = bytearray(path.read_bytes())
    content[4:8] = content[40:44] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    with open_audio(path) as source:
        assert source.info.num_samples == 16000


def test_wav_whose_recording_was_interrupted_is_complete(tmp_path, rng):
    """Its header still has the length that it was opened with: none."""
    path = tmp_path / "interrupted.wav"
    noise = rng.uniform(-0.5, 0.5, 16000)
    soundfile.write(path, noise, 16000)
    content = bytearray(path.read_bytes())
    content[40:44] = bytes(4)
    path.write_bytes(content)
    with pytest.warns(UserWarning, match="it claims 0 bytes of sound, all 32000 bytes"):
        waveform, _ = read_audio(path)
    np.testing.assert_allclose(waveform[0], noise, atol=2**-15)


def test_truncated_flac_is_damaged(tmp_path, rng):
    path = tmp_path / "half.flac"
    soundfile.write(path, rng.uniform(-0.5, 0.5, 64000), 16000)
    path.write_bytes(path.read_bytes()[:60000])
    with open_audio(path) as source:
        assert source.read(0, 16000).shape == (1, 16000)
        with pytest.raises(AudioFileError, match=r"half.flac' is damaged after 2.0 s"):
            source.read(32000, 64000)
