# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen plda`, on speakers that are noises of different colours."""

import re
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile
from published import write_embedding

from pyannote_diarizen.clustering import PLDA
from pyannote_diarizen.functional.detection import Calibration

NAME = "Colours.SpeakerDiarization.Noises"
YML = """
Databases:
  Colours: ./{uri}.wav
Protocols:
  Colours:
    SpeakerDiarization:
      Noises:
        scope: database
        train: {uri: train.lst, annotation: all.rttm}
        development: {uri: development.lst, annotation: all.rttm}
        test: {uri: test.lst, annotation: all.rttm}
"""

# the registry, which all tests share, warns of databases that replace others
pytestmark = pytest.mark.filterwarnings("ignore:Replacing existing")


@pytest.fixture
def database(here: Path) -> Path:
    """Eight training speakers, four others, a file without annotation."""
    rng = np.random.default_rng(1)
    rttm = []
    for index, hertz in enumerate(np.geomspace(300, 5000, 12)):
        subset = "development" if index % 3 == 1 else "train"
        resonance = scipy.signal.iirpeak(hertz, Q=4, fs=16000)
        noise = rng.standard_normal(16000 * 6)
        # syllables: a constant sound is removed with the mean of the spectrum
        noise *= np.arange(len(noise)) % 2400 < 1200
        voice = scipy.signal.lfilter(*resonance, noise)
        soundfile.write(here / f"{index}.wav", 0.3 * voice / abs(voice).max(), 16000)
        rttm.append(f"SPEAKER {index} 1 0 6 <NA> <NA> speaker{index} <NA> <NA>\n")
        with (here / f"{subset}.lst").open("a") as uris:
            uris.write(f"{index}\n")
    soundfile.write(here / "nobody.wav", np.zeros(16000), 16000)
    (here / "test.lst").write_text("nobody\n")
    (here / "all.rttm").write_text("".join(rttm))
    path = here / "database.yml"
    path.write_text(YML)
    return path


@pytest.fixture
def embedding(here: Path) -> Path:
    return write_embedding(here / "embedding")


@pytest.fixture
def train(run, database, embedding):
    """Run the command on the protocol."""

    def train(*options: str):
        places = ["--database", str(database), "--embedding", str(embedding)]
        return run("plda", NAME, *places, "--duration", "0.8", "1.5", *options)

    return train


def test_trained_then_adapted(train, here):
    result = train("--into", "plda", "--dimension", "4", "--evaluate", "development")
    assert result.exit_code == 0, result.output
    counts, rates, written = result.stdout.splitlines()
    assert counts == "8 speakers, 32 embeddings, 4 dimensions."
    assert written == "Written: plda"
    told = re.fullmatch(r"Equal .* development: cosine (.*)%, PLDA (.*)%\.", rates)
    assert float(told[2]) < 25
    trained = PLDA.from_pretrained(here / "plda")
    assert trained.phi.shape == (4,)

    assert "--adapt one instead" in result.stderr

    result = train("--into", "adapted", "--adapt", "plda", "--subset", "development")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("4 speakers, 16 embeddings, 4 dimensions.\n")
    adapted = PLDA.from_pretrained(here / "adapted")
    assert not np.allclose(adapted.phi, trained.phi)

    assert "--adapt one instead" not in result.stderr

    only = ["--adapt", "plda", "--weight", "0", "--calibrate", "development"]
    result = train("--into", "again", *only)
    assert result.exit_code == 0, result.output
    calibrated = PLDA.from_pretrained(here / "again")
    np.testing.assert_allclose(calibrated.phi, trained.phi)
    assert calibrated.calibration != trained.calibration == Calibration()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--subset", "dev"], "one of train, development, test"),
        (["--calibrate", "dev"], "one of train, development, test"),
        (["--subset", "test"], "'test.lst', line 1: 'nobody' has no turn"),
        (["--adapt", "nowhere"], "'nowhere' is neither a folder"),
        (["--dimension", "9"], "`lda_dimension` should be between 2 and 7"),
        (["--duration", "2", "1"], "shortest and longest"),
        (["--embedding", "nowhere"], "`embedding`: 'nowhere' is neither"),
        (["--adapt", "x", "--dimension", "9"], "--dimension is fixed by the PLDA"),
    ],
)
def test_mistakes_are_errors_in_one_line(train, here, options: list[str], message: str):
    result = train("--into", "plda", *options)
    assert result.exit_code == 2
    # boxes of usage errors break lines
    assert message in " ".join(result.stderr.replace("│", " ").split())
    assert not (here / "plda").exists()
