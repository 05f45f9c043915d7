# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""What people wrote for the original DiariZen; only the first import has changed.

python original_script.py HUB EMBEDDING RECORDINGS OUTPUT
"""

import sys
from io import BytesIO
from pathlib import Path

import torch

from pyannote_diarizen.pipelines import DiariZenPipeline

diarizen_hub, embedding_model, recordings, rttm_out_dir = sys.argv[1:]

# by name or folder, one recording
diar_pipeline = DiariZenPipeline.from_pretrained(diarizen_hub)
wav = f"{recordings}/monday.wav"
diar_results = diar_pipeline(wav)
for turn, _, speaker in diar_results.itertracks(yield_label=True):
    line = f"start={turn.start:.1f}s stop={turn.end:.1f}s speaker_{speaker}"
    print(line)  # noqa: T201

# with results on disk
diar_pipeline = DiariZenPipeline.from_pretrained(
    diarizen_hub, rttm_out_dir=rttm_out_dir
)
diar_results = diar_pipeline(wav, sess_name="session_name")

# with a configuration of one's own, all recordings of a folder
inference_config = {
    "seg_duration": 3,
    "segmentation_step": 0.5,
    "batch_size": 2,
    "apply_median_filtering": True,
}
clustering_config = {
    "method": "AgglomerativeClustering",
    "min_speakers": 2,
    "max_speakers": 7,
    "ahc_threshold": 0.5,
    "min_cluster_size": 1,
}
config_parse = {
    "inference": {"args": inference_config},
    "clustering": {"args": clustering_config},
}
diar_pipeline = DiariZenPipeline(
    diarizen_hub=Path(diarizen_hub).expanduser().absolute(),
    embedding_model=embedding_model,
    config_parse=config_parse,
    rttm_out_dir=rttm_out_dir,
).to(torch.device("cpu"))
diar_pipeline.segmentation_batch_size = 4
diar_pipeline.embedding_batch_size = 4
for path in sorted(Path(recordings).glob("*.wav")):
    result = diar_pipeline(str(path), sess_name=path.stem)
    assert result.uri == path.stem

# no more than two people
two_people = DiariZenPipeline.from_pretrained(diarizen_hub)
two_people.clustering.ahc_criterion = "maxclust"
two_people.clustering.ahc_threshold = 2
two_people.min_speakers = two_people.max_speakers = 2
labels = two_people(wav, sess_name="session_name").labels()
assert len([label for label in labels if label > 0]) <= 2  # 0 is silence

# a list of recordings
with (Path(recordings) / "wav.scp").open() as scp:
    for line in scp:
        session, path = line.split()
        diar_pipeline(path, sess_name=f"scp_{session}")

# in memory
stream = BytesIO(Path(wav).read_bytes())
diarization, embeddings = diar_pipeline(
    stream, sess_name="stream", return_embeddings=True
)
assert len(embeddings) == len(diarization.labels())
with (Path(rttm_out_dir) / "by_hand.rttm").open("w") as f:
    f.write(diarization.to_rttm())
