# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Reading audio as users and pyannote.audio ask for it."""

import io
import os
import pickle
import warnings

import numpy as np
import numpy.testing as npt
import pytest
import soundfile
import torch
from pyannote.audio.core.io import Audio
from pyannote.core import Segment
from pyannote.database import ProtocolFile

from pyannote_diarizen.audio.reader import (
    AudioReader,
    audio_info,
    list_audio,
    read_audio,
)
from pyannote_diarizen.errors import AudioFileError

# (suffix, encoding, tolerance of a round trip)
LOSSLESS = [
    ("wav", "PCM_U8", 2**-7),
    ("wav", "PCM_16", 2**-15),
    ("wav", "PCM_24", 2**-23),
    ("wav", "PCM_32", 1e-7),
    ("wav", "FLOAT", 1e-7),
    ("wav", "DOUBLE", 1e-7),
    ("wav", "ULAW", 0.03),
    ("wav", "ALAW", 0.03),
    ("flac", "PCM_16", 2**-15),
    ("flac", "PCM_24", 2**-23),
    ("aiff", "PCM_16", 2**-15),
]
LOSSY = [("mp3", "MPEG_LAYER_III"), ("ogg", "VORBIS"), ("ogg", "OPUS")]


@pytest.fixture
def stereo(rng):
    """Noise, 1.5 s at 16 kHz, (num_samples, 2)."""
    return rng.uniform(-0.5, 0.5, size=(24000, 2)).astype(np.float32)


@pytest.fixture
def path(tmp_path, stereo):
    """The same noise as a file."""
    path = tmp_path / "stereo.wav"
    soundfile.write(path, stereo, 16000, subtype="FLOAT")
    return path


def in_memory(stereo):
    return {"waveform": torch.from_numpy(stereo.T), "sample_rate": 16000}


@pytest.mark.parametrize(("suffix", "subtype", "tolerance"), LOSSLESS)
def test_lossless_files_give_back_their_samples(
    tmp_path, stereo, suffix, subtype, tolerance
):
    path = tmp_path / f"audio.{suffix}"
    soundfile.write(path, stereo, 16000, subtype=subtype)
    waveform, sample_rate = read_audio(path, channel=None)
    assert sample_rate == 16000
    assert waveform.dtype == torch.float32
    np.testing.assert_allclose(waveform.T.numpy(), stereo, rtol=0, atol=tolerance)


@pytest.mark.parametrize(("suffix", "subtype"), LOSSY)
def test_lossy_files_give_back_a_tone(tmp_path, suffix, subtype):
    instants = np.arange(48000) / 48000
    tone = 0.5 * np.sin(2 * np.pi * 440 * instants)
    path = tmp_path / f"audio.{suffix}"
    soundfile.write(path, tone, 48000, subtype=subtype)
    waveform, _ = read_audio(path)
    assert waveform.shape == (1, 16000)
    inside = slice(1600, 14400)
    np.testing.assert_allclose(waveform[0, inside], tone[::3][inside], atol=0.02)


@pytest.mark.parametrize(("suffix", "subtype"), [*LOSSY, ("flac", "PCM_16")])
def test_parts_of_compressed_files_make_up_the_whole(tmp_path, rng, suffix, subtype):
    """Speech after silence: seeking is least exact where the bit rate varies."""
    noise = rng.uniform(-0.3, 0.3, 20 * 16000) * (np.arange(320000) > 10 * 16000)
    path = tmp_path / f"audio.{suffix}"
    soundfile.write(path, noise, 16000, subtype=subtype)
    whole, _ = read_audio(path)
    assert whole.shape == (1, 320000)
    for start in (2.0, 19.0, 11.3, 10.0):
        part, _ = read_audio(path, start=start, duration=1.0)
        first = round(start * 16000)
        torch.testing.assert_close(part, whole[:, first : first + 16000])


@pytest.mark.parametrize("kind", ["path", "str", "stream", "open", "mapping", "lazy"])
def test_every_kind_of_file_reads_the_same(path, stereo, kind):
    file = {
        "path": path,
        "str": str(path),
        "stream": io.BytesIO(path.read_bytes()),
        "open": path.open("rb"),
        "mapping": {"audio": str(path)},
        "lazy": ProtocolFile({"uri": "stereo"}, lazy={"audio": lambda file: path}),
    }[kind]
    expected, _ = read_audio(in_memory(stereo))
    # twice, since whoever reads a file object leaves it rewound
    for _ in range(2):
        waveform, sample_rate = read_audio(file)
        assert sample_rate == 16000
        torch.testing.assert_close(waveform, expected)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_arrays_are_waveforms_too(stereo, dtype):
    file = {"waveform": stereo.T.astype(dtype), "sample_rate": np.int64(16000)}
    waveform, _ = read_audio(file, channel=None)
    np.testing.assert_allclose(waveform.numpy(), stereo.T, atol=5e-4)


def test_result_shares_no_memory_with_the_waveform_given(stereo):
    file = in_memory(stereo[:, :1].copy())
    waveform, _ = read_audio(file)
    waveform.zero_()
    assert file["waveform"].abs().sum() > 0


def test_downmix_is_the_average_and_a_channel_is_itself(path, stereo):
    torch.testing.assert_close(
        read_audio(path)[0][0], torch.from_numpy(stereo.mean(axis=1))
    )
    for channel in (0, 1):
        expected = torch.from_numpy(stereo[:, channel])
        torch.testing.assert_close(read_audio(path, channel=channel)[0][0], expected)
        reader = AudioReader(channel=channel)
        torch.testing.assert_close(reader(path)[0][0], expected)
        file = {"audio": path, "channel": channel}
        torch.testing.assert_close(
            AudioReader(channel=1 - channel)(file)[0][0], expected
        )


def test_random_channel_is_one_of_them(path, stereo):
    waveform, _ = AudioReader(mono="random")(path)
    assert any(np.array_equal(waveform[0], channel) for channel in stereo.T)


@pytest.mark.parametrize("channel", [2, -1, "left"])
def test_absent_channel_is_refused(path, channel):
    with pytest.raises(AudioFileError, match=r"stereo.wav.*2 channel.*no channel"):
        read_audio(path, channel=channel)


@pytest.mark.parametrize("num_samples", [1, 16, 160])
def test_a_few_milliseconds_are_audio(tmp_path, num_samples):
    path = tmp_path / "short.wav"
    soundfile.write(path, np.zeros(num_samples), 8000)
    waveform, _ = read_audio(path)
    assert waveform.shape == (1, 2 * num_samples)
    assert waveform.abs().max() == 0


def test_no_sample_is_one_clear_error(tmp_path):
    path = tmp_path / "empty.wav"
    soundfile.write(path, np.zeros(0), 16000)
    assert audio_info(path).num_samples == 0
    for read in (read_audio, AudioReader()):
        with pytest.raises(AudioFileError, match=r"empty.wav.*no sample"):
            read(path)
    with pytest.raises(AudioFileError, match=r"empty.wav.*no sample"):
        AudioReader().crop(path, Segment(0, 1), mode="pad")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused(tmp_path, stereo, value):
    stereo[8000, 1] = value
    path = tmp_path / "nan.wav"
    soundfile.write(path, stereo, 16000, subtype="FLOAT")
    with pytest.raises(AudioFileError, match=r"nan.wav.*first one at 0.500 s"):
        read_audio(path)
    assert read_audio(path, start=0.6)[0].isfinite().all()


def test_huge_samples_are_numbers():
    file = {"waveform": torch.full((1, 100), 3e38), "sample_rate": 16000}
    assert read_audio(file)[0].isfinite().all()


def test_implausible_sample_rate_is_refused(tmp_path):
    path = tmp_path / "rate.wav"
    soundfile.write(path, np.zeros(10), 2_000_000_000)
    with pytest.raises(AudioFileError, match=r"rate.wav.*header"):
        read_audio(path)


@pytest.mark.parametrize("option", ["start", "duration"])
def test_negative_times_are_refused(path, option):
    with pytest.raises(ValueError, match=f"`{option}` should be in seconds"):
        read_audio(path, **{option: -0.1})


def test_what_lies_past_the_end_is_left_out(path):
    assert read_audio(path, start=1.0, duration=9.0)[0].shape == (1, 8000)
    assert read_audio(path, start=9.0)[0].shape == (1, 0)


def test_info_tells_the_size_of_a_file(path):
    info = audio_info(path)
    assert (info.num_samples, info.sample_rate, info.num_channels) == (24000, 16000, 2)
    assert info.duration == AudioReader().get_duration(path) == 1.5


@pytest.mark.parametrize("mono", ["downmix", None])
@pytest.mark.parametrize("sample_rate", [None, 8000, 16000, 44100])
def test_reader_agrees_with_pyannote(stereo, sample_rate, mono):
    """pyannote.audio reads waveforms in memory, if nothing else, without FFmpeg."""
    file = in_memory(stereo)
    ours, host = AudioReader(sample_rate, mono), Audio(sample_rate, mono)
    waveform, rate = ours(file)
    expected, expected_rate = host(file)
    assert rate == expected_rate
    torch.testing.assert_close(waveform, expected, atol=1e-6, rtol=0)
    # where the host resamples what it cropped, its edges are those of a file
    cropped, _ = ours.crop(file, Segment(0.25, 0.75))
    expected, _ = host.crop(file, Segment(0.25, 0.75))
    inside = slice(100, -100)
    assert cropped.shape == expected.shape
    torch.testing.assert_close(cropped[:, inside], expected[:, inside])
    assert ours.get_duration(file) == host.get_duration(file)


@pytest.mark.parametrize("segment", [Segment(-1.0, 2.0), Segment(1.3, 1.8)])
def test_reader_pads_as_pyannote_does(stereo, segment):
    file = in_memory(stereo)
    waveform, _ = AudioReader().crop(file, segment, mode="pad")
    expected, _ = Audio(16000, "downmix").crop(file, segment, mode="pad")
    torch.testing.assert_close(waveform, expected)


@pytest.mark.parametrize(
    ("segment", "first", "last"),
    [
        (Segment(0.0, 1.5), 0, 24000),
        (Segment(0.25, 0.75), 4000, 12000),
        (Segment(-0.5, 0.5), -8000, 8000),
        (Segment(1.0, 2.0), 16000, 32000),
        (Segment(-1.0, 3.0), -16000, 48000),
        (Segment(-2.0, -1.0), -32000, -16000),
        (Segment(5.0, 6.0), 80000, 96000),
        (Segment(0.00003, 0.50003), 0, 8000),
        (Segment(0.00004, 0.50004), 1, 8001),
    ],
)
def test_crop_pads_with_zeros(path, stereo, segment, first, last):
    padded = np.concatenate([np.zeros(40000), stereo[:, 0], np.zeros(80000)])
    waveform, _ = AudioReader(channel=0).crop(path, segment, mode="pad")
    expected = padded[40000 + first : 40000 + last]
    np.testing.assert_allclose(waveform[0].numpy(), expected, atol=1e-7)


@pytest.mark.parametrize("sample_rate", [8000, 16000, 22050])
def test_crop_always_has_the_length_asked_for(path, rng, sample_rate):
    reader = AudioReader(sample_rate)
    for start in rng.uniform(-1, 2, size=20):
        for duration in (0.5, 0.3333):
            waveform, _ = reader.crop(
                path, Segment(start, start + duration), mode="pad"
            )
            assert waveform.shape == (1, round(duration * sample_rate))


@pytest.mark.parametrize("segment", [Segment(-0.1, 1.0), Segment(1.0, 1.6)])
def test_crop_outside_of_the_file_raises_unless_padding(path, segment):
    with pytest.raises(ValueError, match=r"stereo.wav.*lasts 1.500 s.*mode='pad'"):
        AudioReader().crop(path, segment)


def test_crop_up_to_the_very_end_is_inside(path):
    """As are the ends of segments that went through single precision."""
    for end in (1.5, 1.5005):
        waveform, _ = AudioReader().crop(path, Segment(end - 1.0, end))
        assert waveform.shape == (1, 16000)


def test_reader_pickles_for_data_loaders(path):
    reader = pickle.loads(pickle.dumps(AudioReader(8000, channel=1)))
    torch.testing.assert_close(reader(path), AudioReader(8000, channel=1)(path))


def test_reading_is_silent(path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, rate = read_audio(path, sample_rate=8000)
    assert rate == 8000


def test_folders_expand_to_their_audio_files(tmp_path):
    names = ["b.wav", "sub/a.FLAC", "a.mp3", "notes.txt", "._b.wav", "dir.wav/c.ogg"]
    for name in names:
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.touch()
    found = list_audio([tmp_path / "notes.txt", tmp_path, tmp_path / "a.mp3"])
    expected = ["notes.txt", "a.mp3", "b.wav", "dir.wav/c.ogg", "sub/a.FLAC"]
    assert found == [tmp_path / name for name in expected]


def test_folder_without_audio_is_an_error(tmp_path):
    with pytest.raises(AudioFileError, match=r"no audio file.*\.wav"):
        list_audio([tmp_path])
    with pytest.raises(FileNotFoundError, match="absent"):
        list_audio([tmp_path / "absent"])


@pytest.mark.parametrize("residue", [0.0, 0.01])
def test_channels_that_cancel_out_are_a_warning(rng, residue):
    channel = rng.uniform(-0.5, 0.5, 16000)
    file = {"waveform": np.stack([channel, residue - channel]), "sample_rate": 16000}
    with pytest.warns(UserWarning, match="channels of waveform cancel out.*--channel"):
        read_audio(file)


@pytest.mark.filterwarnings("error")
def test_other_channels_are_no_warning(rng):
    for channels in (rng.uniform(-0.5, 0.5, (16, 16000)), np.zeros((2, 16000))):
        mono, _ = read_audio({"waveform": channels, "sample_rate": 16000})
        npt.assert_allclose(mono[0], channels.mean(axis=0), atol=1e-6)
    cancelled = np.array([[0.5], [-0.5]]) * np.ones(16000)
    file = {"waveform": cancelled, "sample_rate": 16000, "channel": 1}
    npt.assert_array_equal(read_audio(file)[0], cancelled[1:])


def test_links_of_a_folder_are_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.wav").touch()
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "gone.wav").symlink_to("nowhere")
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "parent").symlink_to(folder)
    assert list_audio([folder]) == [folder / "gone.wav", folder / "linked" / "a.wav"]


def test_folders_that_cannot_be_read_are_a_warning(tmp_path, monkeypatch):
    (tmp_path / "a.wav").touch()
    (tmp_path / "closed").mkdir()
    scan = os.scandir

    def refuse(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.warns(UserWarning, match="closed' is left out: Permission denied"):
        assert list_audio([tmp_path]) == [tmp_path / "a.wav"]
