# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""A simulated corpus is a complete protocol, and reproducible."""

from pathlib import Path

import numpy as np
import numpy.testing as npt
import pytest
import soundfile
from pyannote.core import Annotation, Segment, Timeline
from pyannote.database import registry

from pyannote_diarizen.simulation.corpus import simulate_corpus
from pyannote_diarizen.simulation.simulator import ConversationSimulator
from pyannote_diarizen.simulation.speech import SpeechPool
from pyannote_diarizen.simulation.turn_taking import TurnTaking

SECONDS = 3.0


def make_simulator(**options) -> ConversationSimulator:
    tone = (8000 * np.sin(0.3 * np.arange(32000))).astype(np.int16)
    pool = SpeechPool.from_utterances([("tones", name, tone) for name in "ab"])
    return ConversationSimulator(pool, num_speakers=(1, 2), **options)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    simulate_corpus(make_simulator(), folder, 3, SECONDS)
    simulate_corpus(make_simulator(), folder, 2, SECONDS, subset="development")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_protocol_loads(corpus):
    registry.load_database(corpus / "database.yml")
    protocol = registry.get_protocol("Simulated.SpeakerDiarization.Conversations")
    train, development = list(protocol.train()), list(protocol.development())
    assert [file["uri"] for file in train] == [f"train_0000{i}" for i in range(3)]
    assert len(development) == 2
    for file in train + development:
        assert file["scope"] == "global"
        assert file["annotated"] == Timeline([Segment(0, SECONDS)])
        assert isinstance(file["annotation"], Annotation)
        assert set(file["annotation"].labels()) <= {"a", "b"}
        waveform, rate = soundfile.read(registry_audio(corpus, file["uri"]))
        assert (len(waveform), rate) == (round(SECONDS * 16000), 16000)
    assert train[0]["annotation"] != development[0]["annotation"]


def registry_audio(corpus: Path, uri: str) -> Path:
    """Path of the audio of a file, by the registry."""
    (template,) = registry.sources["Simulated"]
    return Path(str(template).format(uri=uri))


def test_files_have_the_simulated_conversations(corpus):
    rng = np.random.default_rng([0, 0, 1])
    conversation = make_simulator().simulate(SECONDS, rng)
    waveform, _ = soundfile.read(corpus / "audio/train_00001.flac")
    npt.assert_allclose(waveform, conversation.waveform, atol=2**-15)
    rttm = (corpus / "rttm/train_00001.rttm").read_text()
    assert rttm == conversation.annotation("train_00001").to_rttm()


def test_missing_conversations_only_are_simulated_again(corpus):
    before = contents(corpus)
    (corpus / "rttm/train_00001.rttm").unlink()
    kept = corpus / "audio/train_00000.flac"
    modified = kept.stat().st_mtime_ns
    done: list[str] = []
    simulate_corpus(make_simulator(), corpus, 3, SECONDS, hook=done.append)
    assert done == ["train_00000", "train_00001", "train_00002"]
    assert contents(corpus) == before
    assert kept.stat().st_mtime_ns == modified


def test_other_settings_do_not_mix_with_the_old_ones(corpus):
    with pytest.raises(ValueError, match=r"\(duration, seed differ from train\.json\)"):
        simulate_corpus(make_simulator(), corpus, 3, 2 * SECONDS, seed=1)
    other = make_simulator(turn_taking=TurnTaking(pause=2.0))
    with pytest.raises(ValueError, match=r"\(turn_taking differ"):
        simulate_corpus(other, corpus, 3, SECONDS)
    faster = make_simulator(speed=(1.1, 1.1))
    with pytest.raises(ValueError, match=r"\(speed differ"):
        simulate_corpus(faster, corpus, 3, SECONDS)


def test_silent_conversations_are_drawn_again(tmp_path):
    simulator = make_simulator(turn_taking=TurnTaking(silence=0.9))
    simulate_corpus(simulator, tmp_path, 3, SECONDS)
    assert all(path.read_text() for path in (tmp_path / "rttm").iterdir())
    silent = make_simulator(turn_taking=TurnTaking(silence=1.0))
    with pytest.raises(ValueError, match="No conversation"):
        simulate_corpus(silent, tmp_path / "other", 1, SECONDS)


@pytest.mark.parametrize(("num", "duration"), [(0, 3.0), (1, 0.0)])
def test_nothing_to_simulate_is_an_error(tmp_path, num, duration):
    with pytest.raises(ValueError, match="positive"):
        simulate_corpus(make_simulator(), tmp_path, num, duration)
    assert not list(tmp_path.iterdir())
