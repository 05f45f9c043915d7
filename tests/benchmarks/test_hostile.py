# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""A sample of the hostile inputs, and the rules that find failures."""

from dataclasses import replace
from pathlib import Path

import pytest

from pyannote_diarizen.cli.main import app

SAMPLE = {
    "audio": ("one nan.wav", "concat.m4a", "loop.wav"),
    "RTTM": ("start 1e308", "speaker 'NA'", "UTF-16"),
    "UEM": ("reversed",),
    "database.yml": ("Python object", "requires itself", "laughs"),
    "wav.scp": ("parent", "line of 1 MB"),
    "Kaldi": ("wav.scp: absolute",),
    "speech": ("Latin-1",),
    "arguments": ("export good.wav --into out", "apply good.wav --pipeline nowhere"),
    "options of training": ("task.duration=x", "run=good.wav", "+resume=good.wav"),
    "voiceprints": ("code", "pickle"),
    "segmentation": ("code",),
    "configuration": ("preprocessors are a number",),
}
COMMANDS = ("validate", "apply", "train", "export", "import-kaldi", "simulate")
"""Others take longer."""


@pytest.fixture(scope="module")
def hostile(load_benchmark):
    return load_benchmark("hostile")


@pytest.fixture(scope="module")
def template(hostile, tmp_path_factory) -> Path:
    return hostile.make_template(tmp_path_factory.mktemp("template"), with_run=False)


@pytest.mark.parametrize("kind", SAMPLE)
def test_a_sample_breaks_no_rule(hostile, template, tmp_path, kind):
    cases = [
        c for c in hostile.all_cases() if c.kind == kind and c.name in SAMPLE[kind]
    ]
    assert {case.name for case in cases} == set(SAMPLE[kind])
    for case in cases:
        commands = [each for each in case.commands if each[0] in COMMANDS][:2]
        shorter = replace(case, commands=commands or case.commands[:1])
        assert not [*hostile.run_case(shorter, template, tmp_path / "case")]


@pytest.mark.parametrize(
    ("commands", "expectation", "broken"),
    [
        ([["validate", "good.wav"]], {"refused": True}, "accepts"),
        (
            [["validate", "nowhere.wav"]],
            {"refused": False},
            "refuses, with exit code 2",
        ),
        ([["validate", "nowhere"]], {"refused": True, "mention": "x.wav"}, "mention"),
        ([["import-kaldi", "kaldi"]], {}, "changes 'around/here/kaldi/database.yml'"),
        (
            [["import-kaldi", "kaldi", "--into", "../outside"]],
            {},
            "changes 'around/outside/database.yml', outside",
        ),
    ],
)
def test_broken_rules_are_found(
    hostile, template, tmp_path, commands, expectation, broken
):
    case = hostile.Case("kind", "name", commands, **expectation)
    assert broken in "\n".join(hostile.run_case(case, template, tmp_path / "case"))


def test_there_are_three_hundred(hostile):
    cases = [*hostile.all_cases()]
    assert len(cases) >= 300
    commands = {arguments[0] for case in cases for arguments in case.commands}
    registered = {
        each.name or each.callback.__name__ for each in app.registered_commands
    }
    assert registered | {"train"} <= commands
