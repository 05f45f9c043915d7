# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""whisperX runs our pipelines, and `assign` reads what it writes."""

import json
import os
import subprocess
import sys

import pytest

from pyannote_diarizen.audio.sample import sample_file
from pyannote_diarizen.hub.bundled import bundled_folder
from pyannote_diarizen.results.transcripts import read_words

PROGRAM = """
import json, sys
import soundfile
from whisperx.diarize import DiarizationPipeline, assign_word_speakers

audio, folder, path = sys.argv[1:]
samples, _ = soundfile.read(audio, dtype="float32")
turns, embeddings = DiarizationPipeline(folder, device="cpu")(
    samples, return_embeddings=True
)
assert sorted(embeddings) == ["SPEAKER_00", "SPEAKER_01"]
words = [{"word": "There", "start": 8.2, "end": 9.8}]
words += [{"word": "Yes", "start": 16.0, "end": 17.0}]
segment = {"start": 8.2, "end": 17.0, "text": " There Yes", "words": words}
result = assign_word_speakers(turns, {"segments": [segment]})
json.dump(result, open(path, "w"))
"""


@pytest.mark.slow
@pytest.mark.network
def test_whisperx_loads_our_folder(tmp_path):
    # without its dependencies, of which it pins other versions than ours
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--target", tmp_path / "x", "whisperx"], check=True)
    path = tmp_path / "result.json"
    paths = [*sys.path, str(tmp_path / "x")]
    ran = subprocess.run(
        [
            *(sys.executable, "-c", PROGRAM),
            *(sample_file()["audio"], bundled_folder("diarizen-tiny"), path),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    (segment,) = json.loads(path.read_text())["segments"]
    speakers = [word["speaker"] for word in segment["words"]]
    assert speakers == ["SPEAKER_00", "SPEAKER_01"]
    assert [word.text for word in read_words(path)] == ["There", "Yes"]
