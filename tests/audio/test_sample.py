# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The sample of pyannote.audio, without FFmpeg."""

import sys

from pyannote_diarizen.audio.reader import read_audio
from pyannote_diarizen.audio.sample import sample_file


def test_sample_is_found_without_importing_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyannote.audio.sample", None)
    file = sample_file()
    waveform, _ = read_audio(file)
    assert waveform.shape == (1, 30 * 16000)
    assert file["uri"] == file["annotation"].uri == "sample"
    assert file["annotation"].labels() == ["speaker90", "speaker91"]
    assert file["annotated"].duration() == 30
    assert file["annotated"].covers(file["annotation"].get_timeline())
