# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen apply`."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from pyannote_diarizen.pipelines import processes
from pyannote_diarizen.pipelines.batch import diarize_files


def rttm(uri: str, end: float = 1.0, speaker: str = "SPEAKER_00") -> str:
    return f"SPEAKER {uri} 1 0.500 {end - 0.5:.3f} <NA> <NA> {speaker} <NA> <NA>\n"


def test_rttm_goes_to_standard_output(run, pipeline, write_audio):
    write_audio("b.wav", end=1.5)
    write_audio("a.wav")
    result = run("apply", "b.wav", "a.wav", "--pipeline", pipeline)
    assert result.exit_code == 0
    assert result.stdout == rttm("b", 1.5) + rttm("a")


def test_rttm_goes_to_a_folder(run, pipeline, write_audio, here):
    write_audio("calls/a.wav")
    write_audio("calls/monday/b.flac")
    result = run("apply", "calls", "--pipeline", pipeline, "--into", "out/rttm")
    assert result.exit_code == 0
    assert result.stdout == ""
    rttms = (here / "out/rttm").glob("*.rttm")
    written = {path.name: path.read_text() for path in rttms}
    assert written == {"a.rttm": rttm("a"), "b.rttm": rttm("b")}


def test_a_second_call_skips_finished_files(run, pipeline, write_audio, here):
    write_audio("calls/a.wav")
    write_audio("calls/b.wav")
    (here / "calls/bad.wav").write_text("not audio")
    command = ("apply", "calls", "--pipeline", pipeline, "--into", "out")
    assert run(*command).exit_code == 1
    lines = (here / "out/finished.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    assert [(some["uri"], some["num_speakers"]) for some in entries] == [
        ("a", 1),
        ("b", 1),
    ]
    result = run(*command)
    assert result.exit_code == 1  # of the bad file, which is tried again
    assert "2 of 3 files are finished" in result.stderr
    assert (here / "out/finished.jsonl").read_text().splitlines() == lines


@pytest.mark.parametrize(
    "change", ["recording", "result", "missing", "options", "pipeline", "again", "cut"]
)
def test_what_has_changed_is_diarized_again(change, run, pipeline, write_audio, here):
    write_audio("calls/a.wav")
    write_audio("calls/b.wav")
    command = ["apply", "calls", "--pipeline", pipeline, "--into", "out"]
    run(*command)
    journal = here / "out/finished.jsonl"
    num_finished = 1
    if change == "recording":
        write_audio("calls/a.wav", end=1.5)
    elif change == "result":
        (here / "out/a.rttm").write_text(rttm("a", 1.7))
    elif change == "missing":
        (here / "out/a.rttm").unlink()
    elif change == "cut":
        journal.write_text(journal.read_text()[:-20])
    else:
        num_finished = 0
        command += {
            "options": ["--num-speakers", "2"],
            "again": ["--again"],
            "pipeline": [],
        }[change]
    if change == "pipeline":
        config = Path(pipeline) / "config.yaml"
        config.write_text(config.read_text() + "params: {loudness: 0.2}\n")
    result = run(*command)
    assert result.exit_code == 0
    assert ("1 of 2 files are finished" in result.stderr) == (num_finished == 1)
    assert "2 of 2" not in result.stderr
    end = 1.5 if change == "recording" else 1.0
    if change != "options":
        assert (here / "out/a.rttm").read_text() == rttm("a", end)


def test_several_formats_are_written_at_once(run, pipeline, write_audio, here):
    write_audio("a.wav")
    write_audio("b.wav", end=1.5)
    command = ["apply", ".", "--pipeline", pipeline, "--into", "out", "--format"]
    result = run(*command, "rttm,json,seglst,textgrid", "--exclusive")
    assert result.exit_code == 0
    suffixes = ("json", "rttm", "seglst.json", "TextGrid")
    names = {f"{uri}.{suffix}" for uri in "ab" for suffix in suffixes}
    assert {path.name for path in (here / "out").iterdir()} == {
        *names,
        "finished.jsonl",
    }
    assert (here / "out/b.rttm").read_text() == rttm("b", 1.5)
    content = json.loads((here / "out/b.json").read_text())
    assert content["duration"] == 2.0
    assert content["audio"] == str(here / "b.wav")
    assert content["pipeline"]["name"] == pipeline
    assert content["pipeline"]["settings"] == {"loudness": 0.1}
    (speaker,) = content["speakers"]
    assert speaker == {"label": "SPEAKER_00", "speaking_time": 1.0, "num_turns": 1}


def test_a_new_format_is_written_by_a_second_call(run, pipeline, write_audio, here):
    write_audio("a.wav")
    command = ["apply", "a.wav", "--pipeline", pipeline, "--into", "out"]
    run(*command)
    result = run(*command, "--format", "rttm,srt")
    assert "finished" not in result.stderr
    assert (here / "out/a.srt").read_text().splitlines()[2] == "SPEAKER_00"
    for formats in ("rttm,srt", "srt", "rttm"):
        assert "1 of 1 files are" in run(*command, "--format", formats).stderr
    result = run(*command, "--format", "srt", "--exclusive")
    assert "finished" not in result.stderr
    (here / "out/a.srt").write_text("changed")
    assert "finished" not in run(*command, "--format", "srt").stderr


def test_one_file_goes_to_standard_output_in_any_format(run, pipeline, write_audio):
    write_audio("a.wav")
    result = run("apply", "a.wav", "--pipeline", pipeline, "--format", "csv")
    assert result.stdout == "uri,start,end,speaker\na,0.500,1.000,SPEAKER_00\n"


@pytest.mark.parametrize(
    ("formats", "message"),
    [
        ("rttm,word", "Unknown key(s) in --format: word."),
        ("", "Known keys are rttm"),
        ("ctm", "ctm holds words"),
        ("csv", "give --into"),
        ("rttm,csv", "give --into"),
    ],
)
def test_formats_that_cannot_be_written_are_refused_first(
    run, pipeline, write_audio, formats, message
):
    write_audio("a.wav")
    write_audio("b.wav")
    result = run("apply", ".", "--pipeline", pipeline, "--format", formats)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", "").split())
    assert result.stdout == ""


def test_a_bad_file_does_not_stop_the_others(run, pipeline, write_audio, here):
    write_audio("a.wav")
    (here / "bad.wav").write_text("not audio")
    write_audio("z.wav")
    result = run(
        "apply", "a.wav", "bad.wav", "gone.wav", "z.wav", "--pipeline", pipeline
    )
    assert result.exit_code == 1
    assert result.stdout == rttm("a") + rttm("z")
    assert "bad.wav" in result.stderr
    assert "'gone.wav' does not exist" in result.stderr
    assert "Traceback" not in result.stderr


def test_folders_distinguish_files_of_the_same_name(run, pipeline, write_audio, here):
    write_audio("monday/x.wav")
    write_audio("tuesday/x.wav", end=1.5)
    run("apply", "monday", "tuesday", "--pipeline", pipeline, "--into", "out")
    assert (here / "out/monday_x.rttm").read_text() == rttm("monday_x")
    assert (here / "out/tuesday_x.rttm").read_text() == rttm("tuesday_x", 1.5)


def test_number_of_speakers_reaches_the_pipeline(run, pipeline, write_audio):
    write_audio("a.wav")
    result = run("apply", "a.wav", "--pipeline", pipeline, "--num-speakers", "3")
    assert result.stdout == rttm("a", speaker="num_speakers=3")
    bounds = ["--min-speakers", "2", "--max-speakers", "4"]
    result = run("apply", "a.wav", "--pipeline", pipeline, *bounds)
    assert result.stdout == rttm("a", speaker="min_speakers=2,max_speakers=4")


def test_a_hint_reaches_the_pipeline(run, pipeline, write_audio):
    write_audio("a.wav")
    hint = ["--expected-speakers", "3"]
    result = run("apply", "a.wav", "--pipeline", pipeline, *hint)
    assert result.stdout == rttm("a", speaker="about=3.0")


def test_evidence_is_drawn(run, pipeline, write_audio, here):
    write_audio("calls/a.wav")
    write_audio("calls/silent.wav", end=0.5)
    result = run("apply", "calls", "--pipeline", pipeline, "--evidence", "why")
    assert result.exit_code == 0
    assert result.stdout == rttm("a")
    assert "No evidence for 'calls/silent.wav': Nobody speaks." in result.stderr
    assert "'calls/silent.wav': no speech was detected." in result.stderr
    assert [path.name for path in (here / "why").iterdir()] == ["a.png"]


def test_evidence_needs_a_pipeline_that_has_some(run, write_audio, here, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent)
    (here / "config.yaml").write_text(
        "pipeline: {name: tunable_pipeline.TunablePipeline}\nparams: {threshold: 0.9}\n"
    )
    write_audio("a.wav")
    result = run("apply", "a.wav", "--pipeline", ".", "--evidence", "why")
    assert result.exit_code == 2
    assert "--evidence needs a pipeline" in result.stderr


def test_a_preset_by_its_name(run, write_audio, here, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent)
    (here / "config.yaml").write_text(
        "pipeline: {name: tunable_pipeline.TunablePipeline}\nparams: {threshold: 0.9}\n"
    )
    (here / "presets").mkdir()
    (here / "presets" / "quiet.yaml").write_text("params: {threshold: 0.1}\n")
    write_audio("a.wav")
    assert run("apply", "a.wav", "--pipeline", ".").stdout == ""
    result = run("apply", "a.wav", "--pipeline", ".", "--preset", "quiet")
    assert result.stdout == rttm("a")
    result = run("apply", "a.wav", "--pipeline", ".", "--preset", "loud")
    assert result.exit_code == 2
    assert "has no preset called 'loud', only quiet." in result.stderr


@pytest.mark.parametrize(("channel", "expected"), [("0", ""), ("1", rttm("a"))])
def test_one_channel_can_be_chosen(run, pipeline, write_audio, channel, expected):
    write_audio("a.wav", num_channels=2)
    result = run("apply", "a.wav", "--pipeline", pipeline, "--channel", channel)
    assert result.stdout == expected


def test_an_absent_channel_is_an_error_of_the_file(run, pipeline, write_audio):
    write_audio("a.wav")
    result = run("apply", "a.wav", "--pipeline", pipeline, "--channel", "3")
    assert result.exit_code == 1
    assert "there is no channel 3" in result.stderr


@pytest.mark.parametrize(
    "options",
    [
        ["--num-speakers", "0"],
        ["--min-speakers", "3", "--max-speakers", "2"],
        ["--num-speakers", "3", "--max-speakers", "2"],
        ["--expected-speakers", "nan"],
        ["--expected-speakers", "0"],
        ["--channel", "-1"],
        ["--pipeline", "nowhere"],
        ["--device", "abacus"],
        ["--devices", "abacus"],
        ["--devices", "cpu", "--ray", "local"],
        ["--ray", "local", "--evidence", "plots"],
        ["--colour", "red"],
    ],
)
def test_wrong_usage_is_an_error_before_any_work(run, write_audio, here, options):
    write_audio("a.wav")
    result = run("apply", "a.wav", "--into", "out", *options)
    assert result.exit_code == 2
    assert options[-1] in result.stderr or options[0] in result.stderr
    assert "Traceback" not in result.stderr
    assert not (here / "out").exists()


def test_machines_are_checked_before_the_pipeline_is_loaded(
    run, write_audio, here, monkeypatch
):
    monkeypatch.setitem(sys.modules, "ray", None)
    write_audio("a.wav")
    command = ("apply", "a.wav", "--into", "out", "--pipeline", "nowhere")
    for options, message in {
        ("--ray", "local"): "pip install 'pyannote-diarizen[ray]'",
        ("--devices", "cpu,abacus"): "'abacus'",
    }.items():
        result = run(*command, *options)
        assert result.exit_code == 2
        assert message in result.stderr
    assert not (here / "out").exists()


def test_devices_share_the_files(run, pipeline, write_audio, here, monkeypatch):
    def share(load, devices, files, **options):
        assert devices == ["cpu", "cpu"]
        return diarize_files(load(devices[0]), files, **options)

    monkeypatch.setattr(processes, "diarize_on_devices", share)
    write_audio("calls/a.wav")
    write_audio("calls/b.wav")
    command = ("apply", "calls", "--pipeline", pipeline, "--into", "out")
    assert run(*command, "--devices", "cpu,cpu").exit_code == 0
    assert (here / "out/b.rttm").read_text() == rttm("b")
    assert "2 of 2 files are finished" in run(*command).stderr


def test_a_broken_pipeline_is_an_error_in_one_line(run, write_audio, pipeline):
    write_audio("a.wav")
    Path(pipeline, "config.yaml").write_text("pipelines: {}")
    result = run("apply", "a.wav", "--pipeline", pipeline)
    assert result.exit_code == 2
    assert "config.yaml' describes no pipeline" in result.stderr
    assert result.stderr.count("\n") == 1


def test_nothing_is_written_outside_the_folder(run, pipeline, write_audio, here):
    write_audio("a.wav")
    (here / "wav.scp").write_text(
        f"../up a.wav\n{here}/absolute a.wav\n{'x' * 300} a.wav\nm a.wav\n./m a.wav\n"
    )
    before = {*here.iterdir(), *here.parent.iterdir()}
    for option in ("--into", "--evidence"):
        result = run("apply", "wav.scp", "--pipeline", pipeline, option, "out")
        assert result.exit_code == 1
        assert result.stderr.count("is left out. Recording") == 4
    after = {*here.iterdir(), *here.parent.iterdir()}
    assert after - before == {here / "out"}
    written = {path.name for path in (here / "out").iterdir()}
    assert written == {"m.rttm", "m.png", "finished.jsonl"}


def test_evidence_that_cannot_be_written_leaves_the_rttm(
    run, pipeline, write_audio, here
):
    write_audio("a.wav")
    (here / "file").touch()
    result = run(
        "apply",
        "a.wav",
        "--pipeline",
        pipeline,
        "--into",
        "out",
        "--evidence",
        "file/why",
    )
    assert result.exit_code == 1
    assert "Evidence for 'a.wav' is lost: " in result.stderr
    assert (here / "out/a.rttm").read_text() == rttm("a")


def test_a_closed_standard_output_is_an_error(run, pipeline, write_audio, monkeypatch):
    write_audio("a.wav")
    monkeypatch.setattr(
        "pyannote_diarizen.cli.options.sys", SimpleNamespace(stdout=None)
    )
    result = run("apply", "a.wav", "--pipeline", pipeline)
    assert result.exit_code == 2
    assert "Standard output is closed" in result.stderr
    assert run("apply", "a.wav", "--pipeline", pipeline, "--into", "o").exit_code == 0


def test_addresses_take_the_place_of_folders(run, pipeline, write_audio, memory):
    memory.put_file(write_audio("a.wav"), "/calls/a.wav")
    memory.put_file(write_audio("b.wav", end=1.5), "/calls/b.wav")
    command = ["apply", "memory://calls", "--pipeline", pipeline]
    assert run(*command).stdout == rttm("a") + rttm("b", 1.5)
    command += ["--into", "memory://out", "--format", "rttm,json"]
    assert run(*command).exit_code == 0
    assert memory.cat_file("/out/b.rttm").decode() == rttm("b", 1.5)
    document = json.loads(memory.cat_file("/out/b.json"))
    assert (document["audio"], document["duration"]) == ("memory:///calls/b.wav", 2.0)
    assert "2 of 2 files are finished" in run(*command).stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["memory://gone"], "'memory://gone' does not exist, or holds no audio file"),
        (["none://a.wav"], "'none://a.wav' cannot be read: Protocol not known: none."),
        (["a.wav", "--into", "https://127.0.0.1:1/out"], "/out' cannot be written"),
    ],
)
def test_errors_of_addresses(run, pipeline, write_audio, memory, arguments, message):
    write_audio("a.wav")
    result = run("apply", *arguments, "--pipeline", pipeline)
    assert result.exit_code in (1, 2)
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_limits_on_memory(run, pipeline, tone_folder, write_audio):
    write_audio("a.wav")
    command = ("apply", "a.wav", "--max-memory")
    result = run(*command, "1MB", "--pipeline", str(tone_folder))
    assert result.exit_code == 2
    assert "`max_memory` should be at least" in result.stderr
    assert run(*command, "9GB", "--pipeline", str(tone_folder)).exit_code == 0
    result = run(*command, "9GB", "--pipeline", pipeline)
    assert "--max-memory needs a pipeline of type" in result.stderr
