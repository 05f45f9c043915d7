# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Headers that claim less sound than there is."""

import io
import struct

import numpy as np
import pytest
import soundfile

from pyannote_diarizen.audio.headers import BLOCK_SIZE, flac_starts
from pyannote_diarizen.audio.reader import audio_info, read_audio
from pyannote_diarizen.errors import AudioFileError

RATE = 16000
SIZES = {
    "WAV": ((4, "<I"), (40, "<I")),
    "RF64": ((20, "<Q"), (28, "<Q")),
    "AIFF": ((4, ">I"), (42, ">I")),
    "AU": ((8, ">I"),),
}
"""Offsets and formats of the sizes that `soundfile` writes."""


@pytest.fixture
def samples(rng) -> np.ndarray:
    return rng.uniform(-0.5, 0.5, RATE).astype(np.float32)


def claim(samples: np.ndarray, kind: str, missing: int) -> bytes:
    """A file whose header claims `missing` bytes less than there are."""
    stream = io.BytesIO()
    soundfile.write(stream, samples, RATE, format=kind, subtype="PCM_16")
    content = bytearray(stream.getvalue())
    for offset, code in SIZES[kind]:
        (size,) = struct.unpack_from(code, content, offset)
        assert size >= 2 * len(samples)
        struct.pack_into(code, content, offset, size - missing)
    return bytes(content)


@pytest.mark.parametrize("claimed", [0, 5000, 5001])
@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("as_path", [True, False])
def test_all_sound_is_read(tmp_path, samples, kind, claimed, as_path):
    content = claim(samples, kind, missing=2 * len(samples) - claimed)
    path = tmp_path / "recording.wav"
    path.write_bytes(content)
    file = path if as_path else io.BytesIO(content)
    with pytest.warns(UserWarning, match=r"header: it claims \d+ bytes .*all 320\d\d"):
        waveform, _ = read_audio(file)
    assert waveform.shape == (1, RATE)
    np.testing.assert_allclose(waveform[0], samples, atol=2**-15)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("missing", [0, -1])
def test_a_complete_header_is_no_warning(samples, kind, missing):
    content = claim(samples, kind, missing)
    assert read_audio(io.BytesIO(content))[0].shape == (1, RATE)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "after",
    [
        b"LIST" + struct.pack("<I", 6000) + bytes(6000),
        b"TAG" + bytes(6000),
        bytes(2000),
    ],
)
def test_what_follows_the_sound_is_no_sound(samples, after):
    content = claim(samples, "WAV", missing=0) + after
    assert read_audio(io.BytesIO(content))[0].shape == (1, RATE)
    silent = claim(samples[:0], "WAV", missing=0) + after
    assert audio_info(io.BytesIO(silent)).num_samples == 0


def flac(samples: np.ndarray, rate: int = RATE) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, format="FLAC")
    return stream.getvalue()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("as_path", [True, False])
def test_flac_files_that_are_joined_are_all_read(tmp_path, samples, as_path):
    path = tmp_path / "joined.flac"
    path.write_bytes(flac(samples) + flac(samples[::-1]) + flac(samples[:9000]))
    file = path if as_path else io.BytesIO(path.read_bytes())
    assert audio_info(file).num_samples == 2 * RATE + 9000
    second = read_audio(file, start=1.0, duration=1.0)[0][0]
    np.testing.assert_allclose(second, samples[::-1], atol=2**-15)


def test_flac_files_of_two_rates_are_refused(samples):
    file = io.BytesIO(flac(samples) + flac(samples, rate=8000))
    with pytest.raises(AudioFileError, match=r"differ: 16000 Hz, 1 .*, then 8000 Hz"):
        read_audio(file)


@pytest.mark.parametrize("before", [-8, -3, 0])
def test_flac_headers_between_blocks_are_found_once(before):
    content = bytearray(BLOCK_SIZE + 100)
    header = b"fLaC\0\0\0\x22"
    start = 4 + BLOCK_SIZE + before
    content[:8] = content[start : start + 8] = header
    assert flac_starts(io.BytesIO(content)) == [0, start]
