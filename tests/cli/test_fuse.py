# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen fuse`."""

import pytest

TURN = "SPEAKER {} 1 0.000 {}.000 <NA> <NA> {} <NA> <NA>\n"


@pytest.fixture
def folder(here):
    for name, end in (("a", 4), ("b", 5), ("c", 5)):
        (here / name).mkdir()
        (here / name / "one.rttm").write_text(TURN.format("one", end, name))
    (here / "a/two.rttm").write_text(TURN.format("two", 3, "x"))
    return here


@pytest.mark.parametrize(("options", "end"), [((), 5), (("--weights", "3,1,1"), 4)])
def test_one_file_per_recording(run, folder, options, end):
    result = run("fuse", "a", "b", "c", "--into", "out", *options)
    assert result.exit_code == 0, result.output
    assert result.stdout == "Written: out, 2 recordings of 3 systems.\n"
    assert "'two' is not in b, c: fused without." in result.stderr
    text = (folder / "out/one.rttm").read_text()
    assert text == TURN.format("one", end, "SPEAKER_00")
    assert "0.000 3.000" in (folder / "out/two.rttm").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a",), "two systems or more"),
        (("a", "b", "--weights", "1,x"), "numbers separated by commas, got '1,x'"),
        (("a", "b", "--weights", "1"), "2 positive numbers, one per system"),
        (("a", "nowhere"), "nowhere"),
    ],
)
def test_errors_write_nothing(run, folder, arguments, message):
    result = run("fuse", *arguments, "--into", "out")
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", " ").split())
    assert not (folder / "out").exists()
