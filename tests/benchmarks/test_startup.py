# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The table of start-up times."""


def test_ratios_are_those_of_each_round(load_benchmark):
    startup = load_benchmark("startup")
    rounds = [
        {startup.HOST: host, "command": command}
        for host, command in ((10.0, 1.0), (20.0, 4.0), (10.0, 3.0))
    ]
    *_, first, last = startup.report(rounds).splitlines()
    assert first == f"| `{startup.HOST}` | 10.00 | 1.00 |"
    assert last == "| `command` | 3.00 | 0.20 |"
