# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""All commands judge a protocol alike: same errors and warnings, same words."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from omegaconf import OmegaConf

from pyannote_diarizen.training.preflight import require_data

NAME = "Talks.SpeakerDiarization.Few"
YML = """\
Databases:
  Talks: "{uri}.wav"
Protocols:
  Talks:
    SpeakerDiarization:
      Few:
        scope: database
        train: {uri: train.lst, annotation: train.rttm, annotated: train.uem}
        development: {uri: dev.lst, annotation: dev.rttm, annotated: dev.uem}
"""
TURN = "SPEAKER {} 1 {} {} <NA> <NA> {} <NA> <NA>\n"
RECORDINGS = {"train": ("one", "two"), "dev": ("three", "four")}


@pytest.fixture
def folder(here: Path) -> Path:
    """Four recordings of two seconds, in two subsets, in the current folder."""
    noise = np.random.default_rng(1).normal(0, 0.1, 32000)
    for subset, uris in RECORDINGS.items():
        for uri in uris:
            soundfile.write(here / f"{uri}.wav", noise, 16000)
        texts = {
            "lst": [f"{uri}\n" for uri in uris],
            "rttm": [TURN.format(uri, 0.5, 1, f"{uri}'s") for uri in uris],
            "uem": [f"{uri} 1 0 2\n" for uri in uris],
        }
        for suffix, lines in texts.items():
            (here / f"{subset}.{suffix}").write_text("".join(lines))
    (here / "database.yml").write_text(YML)
    return here


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text or old == ""
    path.write_text(text.replace(old, new) if old else new)


@pytest.fixture
def outputs(run, here) -> Callable[[str], dict[str, tuple[int, str]]]:
    """Exit code and text of each command that reads the protocol."""

    def outputs(name: str = NAME) -> dict[str, tuple[int, str]]:
        given = [name, "--database", "database.yml"]
        embedding = [
            "--embedding",
            "nowhere",
            "--into",
            "out",
            "--subset",
            "development",
        ]
        results = {
            "validate": run("validate", *given),
            "tune": run("tune", "nowhere", *given, "--into", "tuned.yaml"),
            "plda": run("plda", *given, *embedding, "--into", "out"),
        }
        found = {
            command: (result.exit_code, " ".join(result.output.split()))
            for command, result in results.items()
        }
        found["train"] = (0, "")
        try:
            require_data(
                OmegaConf.create({"protocol": name, "database": "database.yml"})
            )
        except ValueError as error:
            found["train"] = (2, " ".join(str(error).split()))
        return found

    return outputs


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("dev.rttm", "", "", "dev.lst', line 1: 'three' has no turn in its annotation"),
        ("dev.uem", "", "", "dev.lst', line 1: 'three' has no region in a UEM file"),
        ("dev.uem", "0 2", "1.6 2", "'three' has no turn inside its annotated regions"),
        ("dev.rttm", "0.5 1", "0.5 0", "'three' has no turn in its annotation"),
        ("dev.rttm", "1 0.5", "2 <NA> 0.5", "line 1: expected `SPEAKER recording"),
        ("dev.lst", "", "", "dev.lst': the list has no recording"),
        ("dev.lst", "four\n", "four\nfour\n", "line 3: 'four' is in the list twice"),
        ("dev.lst", "four\n", "four\n\n", "line 3: a blank line is read as a name"),
        ("dev.lst", "three", "\ufeffthree", "line 1: an invisible byte-order mark"),
        ("dev.rttm", "SPEAKER four", "speaker four", "line 2: expected a line"),
        (
            "dev.rttm",
            "SPEAKER three",
            ";; by hand\nSPEAKER three",
            "line 1: expected a",
        ),
        (
            "dev.rttm",
            "three's",
            "Ann\u2028B",
            "line 1: the speaker is called 'Ann\\u2028B'",
        ),
        ("dev.rttm", "SPEAKER four", "\fSPEAKER four", "line 2: expected a line"),
        (
            "dev.rttm",
            "four 1 0.5",
            "four 1 9",
            "line 2: the turn ends at 10 s, the",
        ),
        ("dev.uem", "four 1 0 2", "four 1 0 2.2", "line 2: the region ends at 2.2 s"),
        ("database.yml", "scope: database", "scope: talks", "line 7: `scope` of"),
        ("database.yml", "annotation: dev", "rttm: dev", "line 9: unknown key `rttm`"),
        ("database.yml", "annotation: dev.rttm,", "", "line 9: development of"),
        ("database.yml", "dev.rttm", "dev.uem", "expected Annotation, got Timeline"),
        ("database.yml", "dev.uem", "dev.rttm", "expected Timeline, got Annotation"),
        (
            "database.yml",
            "Talks:",
            "Talks: &a *a\n  Talk:",
            "yml' is not YAML",
        ),
        ("database.yml", "scope:", "scope: file\n        scope:", "line 8: `scope` is"),
        ("database.yml", "{uri}.wav", "{name}.wav", "'{name}.wav' may hold {uri}"),
        ("database.yml", "development:", "Development:", "mean `development`?"),
        ("database.yml", "development:", "dev:", "mean `development`?"),
    ],
)
def test_errors_are_those_of_validate(folder, outputs, file, old, new, message):
    edit(folder / file, old, new)
    for command, (exit_code, text) in outputs().items():
        assert (exit_code > 0, message in text) == (True, True), f"{command}: {text}"
    assert not {"tuned.yaml", "out"} & {path.name for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("dev.rttm", TURN.format("four", 0.5, 1, "four's"), "", "line 2: 'four' has"),
        ("dev.rttm", "three", "drei", "'three' has no turn in its annotation"),
        ("dev.uem", "four 1 0 2", "four 1 0 0.4", "line 2: 'four' has no turn inside"),
        ("dev.rttm", "four 1 0.5 1", "four 1 0.5 1.8", "the turn ends at 2.3 s"),
        ("dev.rttm", "SPEAKER four", "SPEAKER four 1 1 0.8 <NA> <NA> four's <NA> <NA>\n"
         "SPEAKER four", "overlaps another turn of 'four's', line 3"),
        ("database.yml", "scope: database\n", "\n", "lacks `scope`"),
    ],
)  # fmt: skip
def test_warnings_are_those_of_validate(folder, outputs, file, old, new, message):
    edit(folder / file, old, new)
    with pytest.warns(UserWarning, match="1 warnings|2 warnings") as caught:
        found = outputs()
    code, text = found.pop("validate")
    assert (code, message in text) == (0, True), text
    found.pop("train")
    assert any(message in str(warning.message) for warning in caught)
    for command, (_, text) in found.items():
        assert message in text, command
        assert "nowhere" in text, command  # the next error


def test_a_recording_of_two_subsets_stops_a_training(folder, outputs):
    for suffix, line in (("lst", "one\n"), ("uem", "one 1 0 2\n")):
        with (folder / f"dev.{suffix}").open("a") as file:
            file.write(line)
    with (folder / "dev.rttm").open("a") as file:
        file.write(TURN.format("one", 0.5, 1, "one's"))
    found = outputs()
    message = "dev.lst', line 3: 'one' is also in train"
    for command in ("validate", "train"):
        assert found[command][0] > 0
        assert message in found[command][1]
    # one subset alone is right
    for command in ("tune", "plda"):
        assert message not in found[command][1]


@pytest.mark.parametrize(
    "entries", ["", "{train: }", "{train: [a]}", "{scope: file}", "7", "[train]"]
)
def test_protocols_without_content_are_errors(folder, outputs, entries):
    text = f"Protocols: {{Talks: {{SpeakerDiarization: {{Few: {entries}}}}}}}"
    (folder / "database.yml").write_text(text)
    for command, (exit_code, text) in outputs().items():
        assert exit_code > 0, command
        assert "database.yml'" in text, command


def test_names_that_look_like_wildcards(folder, outputs):
    edit(folder / "database.yml", '"{uri}.wav"', '"./*/{uri}.wav"')
    (folder / "audio").mkdir()
    for name in ("one", "two", "three", "four", "rec1"):
        soundfile.write(folder / f"audio/{name}.wav", np.ones(32000) / 9, 16000)
    for suffix in ("lst", "rttm", "uem"):
        edit(folder / f"dev.{suffix}", "four", "rec[1]")
    for command, (exit_code, text) in outputs().items():
        assert exit_code > 0, command
        assert "audio of development: 1 of 2 missing" in text, command


def test_protocols_of_x_are_checked_like_others(folder, outputs):
    with (folder / "database.yml").open("a") as file:
        file.write(f"  X: {{SpeakerDiarization: {{Both: {{development: {{{NAME}: ")
        file.write("[train, development]}, train: ")
        file.write(f"{{{NAME}: [train]}}}}}}}}\n")
    name = "X.SpeakerDiarization.Both"
    found = outputs(name)
    assert (
        "X.SpeakerDiarization.Both, development (4 recordings" in found["validate"][1]
    )
    assert "'one' is also in train" in found["train"][1]
    edit(folder / "dev.rttm", "SPEAKER four", "speaker four")
    for command, (exit_code, text) in outputs(name).items():
        assert exit_code > 0, command
        if command != "train":
            assert "dev.rttm', line 2: expected a line" in text, command
