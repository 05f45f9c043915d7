# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Files that a pipeline takes, and those that it writes."""

import numpy as np
import pytest
import soundfile
import torch
from opentelemetry.trace import NoOpTracer
from tone_model import (
    SAMPLE_RATE,
    ToneSegmentation,
    tones,
)

from pyannote_diarizen.errors import AudioFileError
from pyannote_diarizen.pipelines import DiariZen


def test_no_speech_gives_no_speaker(build):
    silence = {"waveform": torch.zeros(1, 3 * SAMPLE_RATE), "sample_rate": SAMPLE_RATE}
    output = build()(silence)
    assert not output.speaker_diarization
    assert not output.exclusive_speaker_diarization
    assert output.speaker_embeddings.shape == (0, 6)


def test_files_shorter_than_a_chunk(build):
    file = {"waveform": tones([(0.1, 0.6, 1)], 0.7), "sample_rate": SAMPLE_RATE}
    (turn,) = build()(file).speaker_diarization.get_timeline()
    assert turn.start == pytest.approx(0.1, abs=0.03)
    assert turn.end == pytest.approx(0.6, abs=0.03)


def test_no_chunk_starts_between_two_frames(build, conversation):
    pipeline = build(segmentation_step=0.245)  # 24.5 frames
    chunks = pipeline.get_segmentations(conversation).sliding_window
    assert chunks.step == pytest.approx(0.49)
    assert chunks.step > 0.49


def test_one_sample_is_silence(build):
    file = {"waveform": torch.ones(1, 1), "sample_rate": SAMPLE_RATE}
    assert not build()(file).speaker_diarization


@pytest.mark.parametrize("duration", [0.7, 2.0, 3.3, 4.0])
def test_no_turn_goes_past_the_end(build, duration):
    class Always(ToneSegmentation):
        def forward(self, waveforms):
            scores = super().forward(waveforms)
            return torch.nn.functional.one_hot(
                torch.ones_like(scores[..., 0], dtype=torch.long), scores.shape[-1]
            ).float()

    file = {"waveform": tones([(0, 9, 0)], duration), "sample_rate": SAMPLE_RATE}
    output = build(segmentation=Always().eval())(file)
    (turn,) = output.speaker_diarization.get_timeline()
    assert duration - 0.05 < turn.end <= duration


def test_a_file_on_disk_needs_no_ffmpeg(build, conversation, tmp_path, monkeypatch):
    # telemetry, on by default, asks pyannote for the duration of the file
    monkeypatch.setenv("PYANNOTE_METRICS_ENABLED", "true")
    monkeypatch.setattr("pyannote.audio.telemetry.metrics.tracer", NoOpTracer())
    monkeypatch.setattr("pyannote.audio.core.io.TORCHCODEC_AVAILABLE", False)
    path = tmp_path / "tones.wav"
    waveform = conversation["waveform"].numpy().T
    soundfile.write(path, waveform, SAMPLE_RATE, subtype="FLOAT")
    expected = build()(conversation).speaker_diarization.to_rttm()
    for file in (path, str(path), {"audio": path}):
        assert build()(file, preload=True).speaker_diarization.to_rttm() == expected
    with path.open("rb") as stream:
        output = build()({"audio": stream})
    assert output.speaker_diarization.uri == "stream"


def test_unreadable_files_are_named(build, tmp_path):
    pipeline = build()
    with pytest.raises(FileNotFoundError, match=r"absent\.wav"):
        pipeline(tmp_path / "absent.wav")
    (tmp_path / "empty.wav").touch()
    with pytest.raises(AudioFileError, match=r"empty\.wav"):
        pipeline(tmp_path / "empty.wav")
    soundfile.write(tmp_path / "header.wav", np.zeros((0, 1)), SAMPLE_RATE)
    with pytest.raises(AudioFileError, match=r"header\.wav.* no sample"):
        pipeline(tmp_path / "header.wav")
    nothing = {"uri": "nil", "waveform": torch.zeros(1, 0), "sample_rate": SAMPLE_RATE}
    with pytest.raises(AudioFileError, match=r"nil.* no sample"):
        pipeline(nothing)


def test_choice_of_channel(build, conversation):
    stereo = {
        **conversation,
        "waveform": torch.cat([torch.zeros_like(conversation["waveform"])] * 2),
    }
    stereo["waveform"][1] = conversation["waveform"]
    expected = build()(dict(conversation)).speaker_diarization.to_rttm()

    assert build(channel=1)(dict(stereo)).speaker_diarization.to_rttm() == expected
    assert not build(channel=0)(dict(stereo)).speaker_diarization
    # the file knows better than the pipeline
    chosen = build(channel=0)({**stereo, "channel": 1})
    assert chosen.speaker_diarization.to_rttm() == expected
    with pytest.raises(AudioFileError, match="no channel 5"):
        build(channel=5)(dict(stereo))


def test_lists_of_files_give_back_the_files_of_the_caller(
    build, conversation, monkeypatch
):
    loaded = []
    apply = DiariZen.apply

    def spy(pipeline, file, **options):
        loaded.append(file)
        return apply(pipeline, file, **options)

    monkeypatch.setattr(DiariZen, "apply", spy)
    short = {"waveform": tones([(0.1, 0.6, 1)], 1.7), "sample_rate": SAMPLE_RATE}
    files = [conversation, {**short, "uri": "short"}]
    outputs = list(build()(files))
    assert all(file._waveform is None for file in loaded), "still in memory"
    assert outputs[0][0] is conversation
    assert len(outputs[1][1].speaker_diarization.labels()) == 1


def test_results_are_written(build, conversation, tmp_path):
    pipeline = build(rttm_out_dir=tmp_path / "rttm")
    short = {"waveform": tones([(0.1, 0.6, 1)], 1.7), "sample_rate": SAMPLE_RATE}
    outputs = {
        file["uri"]: output.speaker_diarization
        for file, output in pipeline([conversation, {**short, "uri": "a call"}])
    }
    rttm = (tmp_path / "rttm" / "tones.rttm").read_text()
    assert rttm == outputs["tones"].to_rttm()
    assert (tmp_path / "rttm" / "a_call.rttm").read_text().split()[1] == "a_call"
    with pytest.raises(ValueError, match="names no file inside"):
        pipeline({**short, "uri": "../up"}, hook=pytest.fail)
    pipeline.training = True
    pipeline({**short, "uri": "trial"})
    assert not (tmp_path / "rttm" / "trial.rttm").exists()
