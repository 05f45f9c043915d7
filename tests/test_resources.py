# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Configuration files by name, however the package was installed."""

import pytest

from pyannote_diarizen import resources


def test_hparams_are_found_by_name():
    path = resources.find_hparams("pipeline/diarizen-tiny")
    assert path.parts[-3:] == ("hparams", "pipeline", "diarizen-tiny.yaml")
    assert path.is_file()


def test_unknown_hparams_are_an_error_that_lists_the_known_ones():
    with pytest.raises(FileNotFoundError, match=r"only .*pipeline/diarizen-tiny"):
        resources.find_hparams("pipeline/unheard-of")


def test_the_package_goes_before_its_surroundings(tmp_path, monkeypatch):
    """A wheel carries its files; another folder of that name may lie beside it."""
    package = tmp_path / "site-packages" / "pyannote_diarizen"
    (package / "hparams").mkdir(parents=True)
    (package.parent / "hparams").mkdir()
    (package.parent / "protocols").mkdir()
    monkeypatch.setattr(resources, "_PACKAGE", package)
    assert resources.resource_folder("hparams") == package / "hparams"
    assert resources.resource_folder("protocols") == package.parent / "protocols"
    with pytest.raises(FileNotFoundError, match="no folder 'recipes'"):
        resources.resource_folder("recipes")
