# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""A clustering and a pipeline of another package are found by name."""

import pytest
import yaml

from pyannote_diarizen.hub.conversion import convert
from pyannote_diarizen.pipelines import DiariZen

pytestmark = pytest.mark.usefixtures("third_party")


@pytest.mark.parametrize("name", ["ToyClustering", "toy"])
def test_a_registered_clustering_is_found_by_name(build, conversation, name):
    pipeline = build(clustering=name, plda=None, clustering_options={"first": 1})
    assert type(pipeline.clustering).__module__ == "toy_components"
    assert pipeline.clustering.first == 1
    assert pipeline.clustering.margin == 0.25
    # as many speakers as the model has outputs in a chunk
    assert len(pipeline(conversation).speaker_diarization.labels()) > 1


@pytest.mark.parametrize("dotted", [True, False])
def test_a_class_is_a_clustering(build, conversation, dotted):
    from toy_components import ToyClustering

    chosen = "toy_components.ToyClustering" if dotted else ToyClustering
    pipeline = build(clustering=chosen, plda=None)
    assert type(pipeline.clustering) is ToyClustering
    assert len(pipeline(conversation).speaker_diarization.labels()) > 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere.Own", "'nowhere.Own' cannot be imported: No module named 'nowhere'"),
        ("toy_components.ToyModel", "should be a class, a child of `BaseClustering`"),
    ],
)
def test_what_is_no_clustering_is_refused(build, name, message):
    with pytest.raises(ValueError, match=message):
        build(clustering=name, plda=None)


def test_a_registered_clustering_replaces_that_of_a_folder(folder):
    pipeline = DiariZen.from_pretrained(folder, clustering="toy")
    assert pipeline.parameters(instantiated=True)["clustering"] == {"margin": 0.25}
    path = "toy_components.ToyClustering"
    pipeline = DiariZen.from_pretrained(folder, clustering=path)
    assert pipeline.parameters(instantiated=True)["clustering"] == {"margin": 0.25}


def test_a_configuration_names_a_registered_pipeline(tmp_path):
    config = {"pipeline": {"name": "ToyPipeline", "params": {"label": "ann"}}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    pipeline = DiariZen.from_pretrained(tmp_path)
    assert type(pipeline).__module__ == "toy_components"
    assert pipeline.label == "ann"


def test_a_configuration_may_give_the_short_name_of_ours(folder):
    config = yaml.safe_load((folder / "config.yaml").read_text())
    for role in ("segmentation", "embedding", "plda"):
        config["pipeline"]["params"][role] = str(folder / role)
    config["pipeline"]["name"] = "DiariZen"
    assert isinstance(DiariZen.from_pretrained(config), DiariZen)


def test_a_registered_pipeline_has_no_presets():
    with pytest.raises(FileNotFoundError, match=r"'ToyPipeline' has no preset .*'x'"):
        DiariZen.from_pretrained("ToyPipeline", preset="x")


def test_a_pipeline_without_models_is_converted(tmp_path):
    config = {"pipeline": {"name": "ToyPipeline", "params": {"label": "ann"}}}
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "config.yaml").write_text(yaml.safe_dump(config))
    convert(tmp_path / "toy", tmp_path / "copy")
    assert DiariZen.from_pretrained(tmp_path / "copy").label == "ann"
