# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import io
import mmap
import tempfile
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.testing as npt
import pytest
import soundfile
from pyannote.audio.core.io import Audio

from pyannote_diarizen.audio.reader import AudioReader, read_audio
from pyannote_diarizen.audio.streams import StreamAdapter, host_file
from pyannote_diarizen.errors import AudioFileError


class Remote:
    """File object with `read` and `seek` only."""

    def __init__(self, content: bytes) -> None:
        self._buffer = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        return self._buffer.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._buffer.seek(offset, whence)


def temporary(path: Path):
    file = tempfile.NamedTemporaryFile(suffix=path.suffix)  # noqa: SIM115
    file.write(path.read_bytes())
    return file


def spooled(path: Path):
    file = tempfile.SpooledTemporaryFile()  # noqa: SIM115
    file.write(path.read_bytes())
    return file


def mapped(path: Path):
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


STREAMS = {
    "named temporary": temporary,
    "spooled": spooled,
    "memory map": mapped,
    "remote": lambda path: Remote(path.read_bytes()),
}


@pytest.fixture(params=["wav", "flac", "mp3"])
def path(request, tmp_path, rng) -> Path:
    path = tmp_path / f"noise.{request.param}"
    soundfile.write(path, 0.1 * rng.standard_normal(16000), 16000)
    return path


@pytest.mark.parametrize("open_stream", STREAMS.values(), ids=STREAMS)
def test_whatever_reads_and_seeks_is_audio(path, open_stream):
    expected, _ = read_audio(path)
    for file in (stream := open_stream(path), {"audio": stream}):
        validated = Audio.validate_file(host_file(file))
        assert validated.get("uri", "stream") == "stream"
        for form in (file, validated):
            npt.assert_array_equal(AudioReader()(form)[0], expected)
    stream.read(1)  # is still open


def test_an_adapter_seeks_like_its_stream():
    stream = StreamAdapter(Remote(b"0123456789"))
    assert stream.read(3) == b"012"
    assert stream.tell() == 3
    assert stream.seek(-2, io.SEEK_END) == 8
    assert stream.read() == b"89"


def test_what_pyannote_accepts_is_left_alone(path):
    for file in (path, str(path), {"audio": path}, io.BytesIO(path.read_bytes())):
        assert host_file(file) is file
    assert host_file(MappingProxyType({"audio": path})) == {"audio": path}


def test_arrays_of_any_byte_order_and_stride(rng):
    waveform = rng.uniform(-1, 1, (1, 1600)).astype(np.float32)
    backwards = np.ascontiguousarray(waveform[:, ::-1])[:, ::-1]
    for array in (waveform, waveform.astype(">f4"), backwards):
        read, _ = read_audio({"waveform": array, "sample_rate": 16000})
        npt.assert_array_equal(read, waveform)


def test_a_misspelt_sample_rate_is_named(rng):
    file = {"waveform": np.zeros((1, 160)), "sampling_rate": 16000}
    with pytest.raises(AudioFileError, match="Rename the key 'sampling_rate'"):
        read_audio(file)


@pytest.mark.parametrize("channel", [0.0, 5.0, "left", 1])
def test_channels_are_integers(path, channel):
    with pytest.raises(AudioFileError, match="there is no channel"):
        read_audio({"audio": path, "channel": channel})
