# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen simulate`."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import typer
from pyannote.database.util import load_lst, load_rttm
from typer.testing import CliRunner, Result

from pyannote_diarizen.cli.simulate import simulate

COLUMNS = "source\tspeaker\tsplit\tfile\tstart_sample\tnum_samples\n"


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    """Two speakers of the train split, two of the dev split."""
    folder = tmp_path / "speech"
    folder.mkdir()
    lines = [COLUMNS]
    for name, split in zip("abcd", ("train", "train", "dev", "dev"), strict=True):
        tone = 0.2 * np.sin(0.3 * np.arange(32000))
        soundfile.write(folder / f"{name}.wav", tone, 16000)
        lines.append(f"tones\t{name}\t{split}\t{name}.wav\t0\t32000\n")
    (folder / "utterances.tsv").write_text("".join(lines))
    return folder


def run(speech: Path, into: Path, *options: str, **sizes: int) -> Result:
    app = typer.Typer()
    app.command()(simulate)
    for name, value in sizes.items():
        options += (f"--{name.replace('_', '-')}", str(value))
    return CliRunner().invoke(app, [str(speech), str(into), *options])


def test_corpus_is_written_with_speakers_kept_apart(speech, tmp_path):
    into, noise = tmp_path / "corpus", tmp_path / "noise.wav"
    soundfile.write(noise, 0.1 * np.cos(np.arange(8000)), 16000)
    options = ["--speakers", "1", "2", "--noise", str(noise)]
    result = run(speech, into, *options, num=3, num_development=2, duration=4)
    assert result.exit_code == 0, result.output
    assert "database.yml" in result.stdout
    for subset, num, speakers in (("train", 3, "ab"), ("development", 2, "cd")):
        uris = load_lst(into / f"{subset}.lst")
        assert len(uris) == num
        for uri in uris:
            assert soundfile.info(into / f"audio/{uri}.flac").duration == 4
            labels = load_rttm(into / f"rttm/{uri}.rttm")[uri].labels()
            assert set(labels) <= set(speakers)


def test_turns_are_taken_as_in_an_rttm(speech, tmp_path):
    rttm = tmp_path / "turns.rttm"
    rttm.write_text(
        "".join(
            f"SPEAKER x 1 {start} 9 <NA> <NA> {name} <NA> <NA>\n"
            for start, name in ((0, "a"), (14, "b"), (28, "a"))
        )
    )
    into = tmp_path / "corpus"
    options = ["--speakers", "2", "2", "--turns", str(rttm)]
    result = run(speech, into, *options, num=1, num_development=0, duration=300)
    assert result.exit_code == 0, result.output
    annotation = load_rttm(into / "rttm/train_00000.rttm")["train_00000"]
    assert not annotation.get_overlap()
    durations = [segment.duration for segment in annotation.itersegments()]
    assert np.median(durations) == pytest.approx(9, abs=0.5)


def test_more_speakers_than_there_are_is_an_error(speech, tmp_path):
    result = run(speech, tmp_path / "corpus", "--speakers", "1", "5")
    assert isinstance(result.exception, ValueError)
    assert "2 speakers of the pool" in str(result.exception)
