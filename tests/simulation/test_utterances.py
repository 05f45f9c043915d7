# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""A broken table is told by file and line."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from pyannote_diarizen.errors import AudioFileError
from pyannote_diarizen.simulation.utterances import Row, decode, read_rows

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
def test_broken_lines_are_named(table, text, message):
    table.write_text(text)
    with pytest.raises(ValueError, match=f"{table}.*{message}"):
        read_rows(table, "train")


def test_unknown_sources_and_splits_list_the_known_ones(table):
    with pytest.raises(ValueError, match=r"\['other'\].*'train', 'corpus'"):
        read_rows(table, "train", ["corpus", "other"])
    with pytest.raises(ValueError, match=r"'test'.*known.*dev"):
        read_rows(table, "test")


def test_a_folder_without_table_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"utterances\.tsv does not exist"):
        read_rows(tmp_path / "utterances.tsv")


def test_utterances_are_cut_where_the_table_says(table, rng):
    waveform = rng.integers(-1000, 1000, size=2000).astype(np.int16)
    for name in ("ann", "bob"):
        soundfile.write(table.parent / f"{name}.wav", waveform, 16000)
    ann, bob = decode(table.parent, read_rows(table), 16000)
    assert ann[:2] == ("corpus", "ann")
    np.testing.assert_array_equal(ann[2], waveform[:1000])
    np.testing.assert_array_equal(bob[2], waveform[500:1500])


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
