# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Tables of utterances, and pools of their speech."""

from pathlib import Path

import numpy as np
import numpy.testing as npt
import pytest
import soundfile

from pyannote_diarizen.errors import AudioFileError
from pyannote_diarizen.simulation.speech import Row, SpeechPool, decode, read_rows

HEADER = "source\tspeaker\tsplit\tfile\tstart_sample\tnum_samples\tutterance\n"
FIRST = "corpus\tann\ttrain\tann.wav\t0\t1000\tone\n"
SECOND = "corpus\tbob\tdev\tbob.wav\t500\t1000\ttwo\n"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "utterances.tsv"
    path.write_text(HEADER + FIRST + SECOND)
    return path


def test_rows_are_those_of_split_and_sources(table):
    ann, bob = Row(2, "corpus", "ann", "ann.wav", 0, 1000), read_rows(table)[1]
    assert read_rows(table) == [ann, bob]
    assert read_rows(table, "dev", ["corpus"]) == [bob]
    assert (bob.line, bob.speaker, bob.start) == (3, "bob", 500)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER.replace("speaker\t", ""), ":1: missing columns speaker"),
        (HEADER + FIRST.replace("\t1000", "\t1e3"), ":2: .*integers"),
        (HEADER + FIRST.replace("\t1000", "\t0"), ":2: .*at least one"),
        (HEADER + FIRST + "corpus\tbob\n", ":3: "),
        (HEADER + FIRST + SECOND.replace("bob.wav", ""), ":3: "),
        (HEADER, "no utterance of split"),
    ],
)
def test_wrong_lines_are_reported(table, text, message):
    table.write_text(text)
    with pytest.raises(ValueError, match=f"{table}.*{message}"):
        read_rows(table, "train")


@pytest.mark.parametrize(
    "speaker", ["José".encode("latin-1"), b"a" * 200_000], ids=["Latin-1", "long"]
)
def test_what_is_no_table_is_named(table, speaker):
    table.write_bytes((HEADER + FIRST).encode().replace(b"ann", speaker))
    with pytest.raises(ValueError, match=f"{table} is no table of utterances"):
        read_rows(table, "train")


def test_unknown_sources_and_splits_list_the_known_ones(table):
    with pytest.raises(ValueError, match=r"\['other'\].*'train', 'corpus'"):
        read_rows(table, "train", ["corpus", "other"])
    with pytest.raises(ValueError, match=r"'test'.*known.*dev"):
        read_rows(table, "test")


def test_a_folder_without_table_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"utterances\.tsv does not exist"):
        read_rows(tmp_path / "utterances.tsv")


def test_utterances_are_cut_by_the_table(table, rng):
    waveform = rng.integers(-1000, 1000, size=2000).astype(np.int16)
    for name in ("ann", "bob"):
        soundfile.write(table.parent / f"{name}.wav", waveform, 16000)
    ann, bob = decode(table.parent, read_rows(table), 16000)
    assert ann[:2] == ("corpus", "ann")
    np.testing.assert_array_equal(ann[2], waveform[:1000])
    np.testing.assert_array_equal(bob[2], waveform[500:1500])


def test_floats_are_read_like_integers(table, rng):
    waveform = rng.integers(-1000, 1000, size=2000).astype(np.int16)
    soundfile.write(table.parent / "ann.wav", waveform / 2**15, 16000, "FLOAT")
    ((_, _, ann),) = decode(table.parent, read_rows(table, "train"), 16000)
    np.testing.assert_array_equal(ann, waveform[:1000])


@pytest.mark.parametrize(
    ("shape", "rate", "message"),
    [
        (1200, 16000, ":3: the utterance ends at sample 1500"),
        (2000, 8000, "at 8000 Hz"),
        ((2000, 2), 16000, "one channel"),
        (None, 16000, ":3: cannot read"),
    ],
)
def test_audio_that_differs_from_the_table_is_named(table, shape, rate, message):
    if shape is not None:
        soundfile.write(table.parent / "bob.wav", np.zeros(shape, np.int16), rate)
    with pytest.raises(AudioFileError, match=message):
        list(decode(table.parent, read_rows(table, "dev"), 16000))


RATE = 16000


def tone(seconds: float, amplitude: float = 8000) -> np.ndarray:
    """Half a second of silence on both sides of a tone."""
    wave = amplitude * np.sin(0.3 * np.arange(round(seconds * RATE)))
    return np.pad(wave, RATE // 2).astype(np.int16)


@pytest.fixture
def pool() -> SpeechPool:
    """Utterances of 1, 2 and 3 s, the last one loud; a silent one is dropped."""
    return SpeechPool.from_utterances(
        [
            ("near", "ann", tone(1.0)),
            ("far", "bob", tone(2.0)),
            ("far", "eve", np.zeros(RATE, dtype=np.int16)),
            ("near", "ann", tone(3.0, 16000)),
        ]
    )


def test_utterances_are_trimmed(pool):
    lengths = [len(pool.utterance(index)) / RATE for index in range(len(pool))]
    npt.assert_allclose(lengths, [1, 2, 3], atol=0.03)
    assert pool.utterance(2).dtype == np.float32
    npt.assert_allclose(np.abs(pool.utterance(2)).max(), 16000 / 2**15, rtol=1e-3)


def test_utterances_of_each_speaker(pool):
    assert pool.speakers == ["ann", "bob"]
    assert pool.sources == ["near", "far"]
    assert [u.tolist() for u in pool.utterances_of] == [[0, 2], [1]]
    npt.assert_allclose(pool.durations, [4, 2], atol=0.05)


def test_levels_are_those_of_speech(pool):
    expected = np.array([8000, 8000, 16000]) / np.sqrt(2) / 2**15
    npt.assert_allclose(pool.levels, expected, rtol=0.03)


def test_pauses_do_not_count():
    speech = np.concatenate([tone(1.0), tone(1.0)])
    pool = SpeechPool.from_utterances([("near", "ann", speech)])
    assert pool.first_segment.tolist() == [0, 2]
    assert len(pool.utterance(0)) == pytest.approx(3 * RATE, abs=RATE // 25)
    npt.assert_allclose(pool.durations, [2], atol=0.05)
    npt.assert_allclose(pool.levels, 8000 / np.sqrt(2) / 2**15, rtol=0.03)


def test_utterances_without_speech_are_an_error():
    with pytest.raises(ValueError, match="detects no speech"):
        SpeechPool.from_utterances([("near", "ann", np.zeros(RATE, dtype=np.int16))])


def test_round_trip(pool, tmp_path):
    pool.save(tmp_path / "pool")
    loaded = SpeechPool.load(tmp_path / "pool")
    assert (loaded.speakers, loaded.sources) == (pool.speakers, pool.sources)
    assert loaded.sample_rate == RATE
    for name in ("samples", "bounds", "segments", "labels", "levels"):
        npt.assert_array_equal(getattr(loaded, name), getattr(pool, name))


@pytest.fixture
def ann(tmp_path) -> Path:
    """Folder of one utterance, of one second."""
    folder = tmp_path / "speech"
    folder.mkdir()
    soundfile.write(folder / "ann.wav", tone(1.0), RATE)
    (folder / "utterances.tsv").write_text(
        HEADER + "near\tann\ttrain\tann.wav\t0\t32000\tone\n"
    )
    return folder


@pytest.mark.parametrize("named", [True, False])
def test_the_cache_is_used_the_second_time(ann, tmp_path, monkeypatch, named):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    cache = tmp_path / "cache" if named else None
    first = SpeechPool.from_folder(ann, cache=cache)
    monkeypatch.setattr("pyannote_diarizen.simulation.speech.decode", None)
    again = SpeechPool.from_folder(ann, cache=cache)
    npt.assert_array_equal(again.samples, first.samples)
    folder = cache or tmp_path / "home" / "pyannote-diarizen"
    assert len(list(folder.glob("speech-*"))) == 2


def test_changed_audio_is_decoded_again(ann):
    first = SpeechPool.from_folder(ann)
    soundfile.write(ann / "ann.wav", tone(1.0, 2000), RATE)
    again = SpeechPool.from_folder(ann)
    assert again.levels[0] != pytest.approx(first.levels[0], rel=0.1)
    (ann / "ann.wav").unlink()
    with pytest.raises(AudioFileError):
        SpeechPool.from_folder(ann)


def test_a_cache_that_cannot_be_written_is_a_warning(ann, tmp_path):
    (tmp_path / "file").touch()
    with pytest.warns(UserWarning, match="not cached"):
        pool = SpeechPool.from_folder(ann, cache=tmp_path / "file")
    assert len(pool) == 1


def test_folders_do_not_share_their_cache(tmp_path):
    pools = []
    for amplitude in (4000, 8000):
        folder = tmp_path / str(amplitude)
        folder.mkdir()
        soundfile.write(folder / "ann.wav", tone(1.0, amplitude), RATE)
        (folder / "utterances.tsv").write_text(
            HEADER + "near\tann\ttrain\tann.wav\t0\t32000\tone\n"
        )
        pools.append(SpeechPool.from_folder(folder, cache=tmp_path / "cache"))
    npt.assert_allclose([*pools[1].levels], 2 * pools[0].levels, rtol=0.01)


def test_equal_names_in_two_sources_are_different_speakers():
    pool = SpeechPool.from_utterances(
        [
            ("near", "ann", tone(1.0)),
            ("far", "bob", tone(1.0)),
            ("far", "ann", tone(2.0)),
        ]
    )
    assert pool.speakers == ["near/ann", "bob", "far/ann"]
    assert pool.sources == ["near", "far", "far"]
    npt.assert_allclose(pool.durations, [1, 1, 2], atol=0.05)
