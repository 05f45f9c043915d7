# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Components of other packages are found by name."""

import pytest

from pyannote_diarizen.plugins import component_names, load_component


def test_a_component_of_another_package_is_found_beside_ours(third_party):
    assert {"ToyModel", "FBankConformer"} <= set(component_names("models"))
    assert load_component("models", "ToyModel").__module__ == "toy_components"
    assert load_component("tasks", "ToyTask").__module__ == "toy_components"


def test_an_unknown_name_is_refused_with_the_known_ones():
    message = r"in clustering: VBxCluster\. Did you mean VBxClustering\? .*HybridClus"
    with pytest.raises(ValueError, match=message):
        load_component("clustering", "VBxCluster")


def register(folder, package: str, line: str) -> None:
    info = folder / f"{package}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: {package}\nVersion: 1\n")
    text = f"[pyannote_diarizen.tasks]\n{line}\n"
    (info / "entry_points.txt").write_text(text)


def test_an_import_that_fails_names_its_package(tmp_path, monkeypatch):
    register(tmp_path, "broken", "Broken = toy_missing:Task")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="by broken as toy_missing:Task, which cannot"):
        load_component("tasks", "Broken")


def test_a_name_of_two_packages_is_refused(tmp_path, monkeypatch):
    register(tmp_path, "other", "SpeakerEmbedding = other:Task")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match=r"other and pyannote.diarizen both register"):
        load_component("tasks", "SpeakerEmbedding")
