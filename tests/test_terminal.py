# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import sys
import warnings

import pytest

from pyannote_diarizen.terminal import progress_bars, warnings_as_sentences


def test_nothing_is_printed_without_a_terminal(capsys, monkeypatch):
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    with progress_bars() as progress:
        progress.advance(progress.add_task("files", total=1))
    assert capsys.readouterr() == ("", "")


def test_warnings_are_sentences_printed_once(capsys):
    with warnings_as_sentences():
        for text in ("'a[/b].wav' is\n  silent.", "Second.", "Second."):
            warnings.warn(text, stacklevel=1)
        warnings.warn("target_rate is required by Gain. It", stacklevel=1)
        warnings.warn("for developers", FutureWarning, stacklevel=1)
        warnings.warn_explicit("std()", UserWarning, "a.py", 1, "torch.nn.functional")
    lines = ["Warning: 'a[/b].wav' is silent.", "Warning: Second."]
    assert capsys.readouterr() == ("", "\n".join([*lines, ""]))


def test_options_of_python_have_priority(monkeypatch):
    monkeypatch.setattr(sys, "warnoptions", ["error"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning), warnings_as_sentences():
            warnings.warn("refused", stacklevel=1)
