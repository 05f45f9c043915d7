# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Containers of audio and video, written by the encoders of PyAV."""

import io
from collections.abc import Callable
from fractions import Fraction

import av
import numpy as np
import pytest
import soundfile
import torch
from scipy.signal import correlate

from pyannote_diarizen.audio import container
from pyannote_diarizen.audio.container import decode_container
from pyannote_diarizen.audio.reader import read_audio
from pyannote_diarizen.audio.sample import sample_file
from pyannote_diarizen.errors import AudioFileError

RATE = 16000
BIT_RATES = {"libopencore_amrnb": 12200}


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    """Twelve seconds of conversation, (1, num_samples)."""
    samples, rate = soundfile.read(sample_file()["audio"], dtype="float32")
    assert rate == RATE
    return samples[None, : 12 * RATE]


class Pipe:
    """What a browser writes to: no going back to the header, hence no length in it."""

    def __init__(self) -> None:
        self.content = b""

    def write(self, content: bytes) -> int:
        self.content += content
        return len(content)


def encode(
    samples: np.ndarray,
    container_format: str,
    codec: str,
    rate: int = RATE,
    *,
    retime: Callable[[float], float] | None = None,
    num_streams: int = 1,
    seconds_of_video: float = 0.0,
    title: str = "",
    target: io.BytesIO | Pipe | None = None,
) -> bytes:
    """File with (num_channels, num_samples) `samples`; `retime` moves its packets."""
    if codec == "libopencore_amrnb" and codec not in av.codecs_available:
        pytest.skip("PyAV 19 reads AMR, but does not write it.")
    layout = "mono" if len(samples) == 1 else "stereo"
    target = io.BytesIO() if target is None else target
    with av.open(target, "w", format=container_format) as output:
        output.metadata["title"] = title
        if seconds_of_video:
            video = output.add_stream("mpeg4", rate=10)
            video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        streams = [output.add_stream(codec, rate=rate) for _ in range(num_streams)]
        for stream in streams:
            stream.layout = layout
            stream.bit_rate = BIT_RATES.get(codec, 64000)
        if seconds_of_video:
            output.mux(pictures(video, seconds_of_video))
        for stream in streams:
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout=layout)
            frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), 0
            for packet in [*stream.encode(frame), *stream.encode(None)]:
                if retime is not None:
                    start = retime(float(packet.pts * packet.time_base))
                    packet.pts = packet.dts = round(start / packet.time_base)
                output.mux(packet)
    return target.getvalue() if isinstance(target, io.BytesIO) else target.content


def pictures(video: av.VideoStream, duration: float) -> list[av.Packet]:
    """Packets of a black picture that stands still."""
    packets = []
    for _ in range(round(10 * duration)):
        frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8))
        packets += video.encode(frame)
    return packets + video.encode(None)


def read(content: bytes) -> np.ndarray:
    """Samples of the only channel, at `RATE`."""
    return read_audio(io.BytesIO(content), RATE)[0].numpy()[0]


def compare(samples: np.ndarray, expected: np.ndarray) -> tuple[float, float]:
    """Milliseconds by which `samples` are late, and their correlation then."""
    products = correlate(samples, expected, method="fft")
    late = int(products.argmax()) - len(expected) + 1
    length = np.linalg.norm(samples) * np.linalg.norm(expected)
    return 1000 * late / RATE, float(products.max() / length)


# Format, codec, rate, how many milliseconds late, give or take how many, and by how
# many the length may differ: an encoder fills its last frame.
FORMATS = {
    "m4a": ("ipod", "aac", 16000, 0, 0, 64),
    "m4a of a telephone": ("ipod", "aac", 44100, 0, 0.1, 24),
    "m4a, lossless": ("ipod", "alac", 16000, 0, 0, 0),
    "mp4": ("mp4", "aac", 48000, 0, 0.1, 22),
    "mov": ("mov", "pcm_s16le", 16000, 0, 0, 0),
    "webm": ("webm", "libopus", 48000, 0, 0.1, 1),
    "mkv": ("matroska", "flac", 16000, 0, 0, 0),
    # the encoder adds one frame of 512 samples, the decoder removes two
    "wma": ("asf", "wmav2", 16000, -32, 0, 32),
    "wma, 44.1 kHz": ("asf", "wmav2", 44100, -46, 1, 47),
    # 5 ms of look-ahead, of which 3GP tells, and frames of 20 ms
    "amr": ("amr", "libopencore_amrnb", 8000, 5, 1, 20),
    "3gp": ("3gp", "libopencore_amrnb", 8000, 0, 2, 20),
    # the file does not mention the 1024 samples that the encoder adds
    "aac": ("adts", "aac", 16000, 64, 0, 128),
}


@pytest.mark.parametrize("name", FORMATS)
def test_sound_is_that_of_the_wav(speech, name):
    container_format, codec, rate, late, tolerance, longer = FORMATS[name]
    waveform = read(encode(speech, container_format, codec, rate))
    assert abs(len(waveform) - speech.shape[1]) <= longer * RATE / 1000
    shift, correlation = compare(waveform, speech[0])
    assert shift == pytest.approx(late, abs=tolerance)
    assert correlation > (0.9 if "amr" in codec else 0.98)


@pytest.mark.parametrize(("codec", "error"), [("pcm_f32le", 0), ("alac", 2**-15)])
def test_samples_keep_their_rate_and_channels(speech, codec, error):
    """Interleaved by the first codec, one channel after the other by the second."""
    stereo = np.concatenate([speech, speech[:, ::-1]])
    content = encode(stereo, "mov", codec)
    waveform, rate, defect = decode_container(io.BytesIO(content), "call")
    assert (rate, defect) == (RATE, None)
    np.testing.assert_allclose(waveform.numpy(), stereo, rtol=0, atol=error)


@pytest.mark.parametrize(
    "subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"]
)
def test_every_sample_format_gives_the_floats_of_soundfile(rng, subtype):
    stream = io.BytesIO()
    noise = rng.uniform(-1, 1, (8000, 3))
    soundfile.write(stream, noise, RATE, format="WAV", subtype=subtype)
    stream.seek(0)
    waveform, *_ = decode_container(stream, "call")
    stream.seek(0)
    expected, _ = soundfile.read(stream, dtype="float32")
    np.testing.assert_array_equal(waveform.T.numpy(), expected)


def test_part_of_a_file_is_that_of_the_whole(speech, tmp_path):
    path = tmp_path / "call.m4a"
    path.write_bytes(encode(speech, "ipod", "aac", 44100))
    whole, _ = read_audio(path)
    part, _ = read_audio(path, start=7.0, duration=0.5)
    torch.testing.assert_close(part, whole[:, 7 * RATE : 15 * RATE // 2])


def test_webm_of_a_browser_is_read_although_it_has_no_length(speech):
    content = encode(speech, "webm", "libopus", 48000, target=Pipe())
    with av.open(io.BytesIO(content)) as opened:
        assert opened.duration is None
    waveform = read(content)
    assert compare(waveform, speech[0]) == (0.0, pytest.approx(1, abs=0.01))
    assert len(waveform) == speech.shape[1]


def test_sound_of_a_video_is_read(speech):
    content = encode(speech, "mp4", "aac", 48000, seconds_of_video=12.0)
    assert compare(read(content), speech[0])[0] == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("container_format", ["mp4", "matroska", "mpegts"])
def test_sound_that_starts_after_the_picture_stays_in_time(speech, container_format):
    content = encode(
        speech,
        container_format,
        "aac",
        48000,
        seconds_of_video=14.0,
        retime=lambda seconds: seconds + 2.05,
    )
    assert compare(read(content), speech[0])[0] == pytest.approx(2050, abs=30)


@pytest.mark.parametrize("container_format", ["webm", "mpegts"])
def test_gaps_in_timestamps_are_silence(speech, container_format):
    """As where a recording paused, or packets were lost."""
    content = encode(
        speech,
        container_format,
        "libopus",
        48000,
        retime=lambda seconds: seconds + 3 * (seconds > 5),
    )
    waveform = read(content)
    cut = 5 * RATE
    assert len(waveform) == pytest.approx(speech.shape[1] + 3 * RATE, abs=RATE // 50)
    assert np.abs(waveform[cut + RATE // 10 : cut + 29 * RATE // 10]).max() == 0
    for part, expected in (
        (waveform[:cut], speech[0, :cut]),
        (waveform[cut + 3 * RATE :], speech[0, cut:]),
    ):
        late, correlation = compare(part, expected)
        assert abs(late) <= 10
        assert correlation > 0.98


def test_gaps_that_add_up_are_silence(speech):
    """One packet in ten is lost: 20 ms, which is below what is filled at once."""
    content = encode(
        speech,
        "webm",
        "libopus",
        48000,
        retime=lambda seconds: seconds + 0.02 * (seconds // 0.2),
    )
    extra = len(read(content)) / RATE - 12
    assert extra == pytest.approx(1.2, abs=container.MIN_GAP)


def test_timestamps_that_jitter_leave_the_samples_alone(speech, rng):
    """Those of a microphone whose packets are stamped as they come."""
    regular = read(encode(speech, "webm", "libopus", 48000))
    content = encode(
        speech,
        "webm",
        "libopus",
        48000,
        retime=lambda seconds: seconds + rng.uniform(0, 0.019),
    )
    np.testing.assert_array_equal(read(content), regular)


def test_a_clock_that_jumps_is_no_silence(speech, monkeypatch):
    monkeypatch.setattr(container, "MAX_GAP", 2.0)
    content = encode(
        speech,
        "webm",
        "libopus",
        48000,
        retime=lambda seconds: seconds + 7200 * (seconds > 5),
    )
    with pytest.warns(UserWarning, match=r"BytesIO.*jump by 2.0 h at 5.\d s"):
        assert len(read(content)) == pytest.approx(speech.shape[1], abs=RATE // 50)


def test_files_that_were_concatenated_are_read_one_after_the_other(speech):
    """Timestamps start again; a gap in the second file is still one."""
    first = encode(speech, "mpegts", "libopus", 48000)
    second = encode(
        speech,
        "mpegts",
        "libopus",
        48000,
        retime=lambda seconds: seconds + 2 * (seconds > 5),
    )
    assert len(read(first + second)) / RATE == pytest.approx(26, abs=0.2)


def test_first_audio_stream_is_read_with_a_warning(speech):
    content = encode(speech, "mp4", "aac", num_streams=2)
    with pytest.warns(UserWarning, match="has 2 audio streams, of which the first"):
        assert compare(read(content), speech[0])[0] == 0


def test_video_without_sound_is_one_clear_error(speech):
    content = encode(speech, "mp4", "aac", num_streams=0, seconds_of_video=1.0)
    with pytest.raises(AudioFileError, match=r"BytesIO' has no sound: it holds video"):
        read(content)


def test_channels_that_change_are_refused(speech):
    mono = encode(speech, "adts", "aac")
    stereo = encode(np.repeat(speech, 2, axis=0), "adts", "aac")
    with pytest.raises(AudioFileError, match=r"1 channel.*2 channel.* from 12.\d s on"):
        read(mono + stereo)


def test_codec_without_a_decoder_is_named_as_the_reason(speech):
    content = encode(speech, "matroska", "aac").replace(b"A_AAC", b"A_XYZ")
    with pytest.raises(AudioFileError, match=r"There is no decoder"):
        read(content)


def test_tags_in_any_encoding_are_no_error(speech):
    content = encode(speech, "ipod", "alac", title="REUNION")
    assert b"REUNION" in content
    np.testing.assert_allclose(
        read(content.replace(b"REUNION", b"R\xc9UNION")), speech[0], atol=2**-15
    )


@pytest.mark.parametrize("name", ["m4a", "3gp", "mov"])
def test_file_that_lost_its_index_is_refused(speech, name):
    container_format, codec, rate, *_ = FORMATS[name]
    content = encode(speech, container_format, codec, rate)
    with pytest.raises(AudioFileError, match=r"PyAV: Invalid data.*complete\?.*again"):
        read(content[: len(content) // 2])


def test_truncated_file_is_read_with_a_warning(speech):
    content = encode(speech, "matroska", "aac")
    with pytest.warns(
        UserWarning, match=r"truncated. Its header announces 12.\d s, it"
    ):
        part = read(content[: len(content) // 2])
    assert len(part) / RATE == pytest.approx(6, abs=1)


def test_half_a_packet_at_the_end_is_a_warning(speech):
    content = encode(speech, "amr", "libopencore_amrnb", 8000)
    with pytest.warns(UserWarning, match=r"truncated. 1 of its \d+ packets cannot be"):
        part = read(content[: len(content) // 2])
    assert len(part) / RATE == pytest.approx(6, abs=0.1)


@pytest.mark.parametrize("name", ["m4a", "aac"])
def test_damage_is_told_and_the_rest_read_in_time(speech, name, rng):
    container_format, codec, rate, *_ = FORMATS[name]
    content = bytearray(encode(speech, container_format, codec, rate))
    middle = len(content) // 2
    content[middle : middle + 500] = rng.bytes(500)
    with pytest.warns(UserWarning, match=r"\d of its \d+ packets cannot be decoded"):
        part = read(bytes(content))
    assert len(part) / RATE == pytest.approx(12, abs=0.5)


def test_bytes_that_were_never_audio_are_refused(rng):
    for size in (100, 10_000, 300_000):
        with pytest.raises(AudioFileError, match="cannot be decoded"):
            read(rng.bytes(size))


@pytest.mark.parametrize("path", ["secret.m4a", "/etc/passwd"])
def test_playlists_open_no_other_file(speech, tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.m4a").write_bytes(encode(speech, "ipod", "alac"))
    with pytest.raises(AudioFileError, match="cannot be decoded"):
        read(f"ffconcat version 1.0\nfile {path}\n".encode())
