# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The Python interface of the original DiariZen.

A script for `diarizen.pipelines.inference.DiariZenPipeline` runs unchanged, with the
same RTTM, after `from pyannote_diarizen.pipelines import DiariZenPipeline`. Numbers of
speakers and bounds, which the original ignores with VBx, have an effect.
"""

from collections.abc import Mapping
from io import IOBase
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from pyannote.audio.core.io import AudioFile
from pyannote.audio.pipelines.utils import PipelineModel
from pyannote.core import Annotation

from pyannote_diarizen.errors import AudioFileError, unknown_keys
from pyannote_diarizen.models.original_checkpoint import CONFIG, OriginalConfig
from pyannote_diarizen.pipelines.batch import find_audio, is_collection
from pyannote_diarizen.pipelines.diarizen import DiariZen
from pyannote_diarizen.pipelines.original_config import (
    KNOWN,
    MEDIAN_FILTER,
    METHODS,
    original_config,
)
from pyannote_diarizen.repository import Repository

Result: TypeAlias = Annotation | tuple[Annotation, np.ndarray]
"""Speakers of one session, with their embeddings if requested."""

_FILE_KEYS = ("uri", "audio", "waveform", "sample_rate")


class DiariZenPipeline(DiariZen):
    """`DiariZen` with the constructor, the call and the RTTM of the original.

    Parameters
    ----------
    diarizen_hub : Path or str
        Folder with `config.toml`, `pytorch_model.bin` and `plda/`, or owner/name of
        such a folder on the Hugging Face Hub.
    embedding_model : Model, Path or str, optional
        Embedding model. Defaults to that of the published pipelines.
    config_parse : Mapping, optional
        Tables {"inference": {"args": ...}, "clustering": {"args": ...}}, or one of
        them, whose values take precedence over `config.toml`.
    rttm_out_dir : Path or str, optional
        Folder to write the RTTM of each session to.
    cache_dir : Path or str, optional
        Folder of the cache of the hub.
    compatibility : {"diarizen"}, optional
        Ignore numbers of speakers and bounds with VBx, as the original does.

    Examples
    --------
    >>> pipeline = DiariZenPipeline.from_pretrained(            # doctest: +SKIP
    ...     "BUT-FIT/diarizen-wavlm-large-s80-md", rttm_out_dir="."
    ... )
    >>> diarization = pipeline("meeting.wav", sess_name="monday")  # doctest: +SKIP
    >>> for turn, _, speaker in diarization.itertracks(
    ...     yield_label=True
    ... ):                                                      # doctest: +SKIP
    ...     print(f"{turn.start:.1f} {turn.end:.1f} speaker_{speaker}")
    """

    def __init__(
        self,
        diarizen_hub: Path | str,
        embedding_model: PipelineModel | Path | None = None,
        config_parse: Mapping[str, Any] | None = None,
        rttm_out_dir: Path | str | None = None,
        cache_dir: Path | str | None = None,
        compatibility: Literal["diarizen"] | None = None,
    ) -> None:
        repository = Repository(diarizen_hub, cache_dir=cache_dir)
        config = OriginalConfig.read(repository.file(CONFIG))
        if config_parse is not None:
            config = _override(config, config_parse)
        described = original_config(config, repository)
        params = described["pipeline"]["params"]
        if embedding_model is not None:
            params["embedding"] = embedding_model
        bounds = config.args("clustering")
        params["min_speakers"] = bounds.get("min_speakers")
        params["max_speakers"] = bounds.get("max_speakers")
        if params["clustering"] == "VBxClustering" and compatibility is None:
            options = params.get("clustering_options", {})
            params["clustering_options"] = {**options, "ignore_bounds": False}
        super().__init__(
            **params,
            compatibility="diarizen",
            rttm_out_dir=rttm_out_dir,
            cache_dir=cache_dir,
        )
        self._keep = compatibility is None
        self.instantiate(described["params"])
        self.to(torch.device("cuda" if torch.cuda.is_available() else "cpu"))

    @property
    def apply_median_filtering(self) -> bool:
        """Whether segmentations are filtered; can be set."""
        return self.median_filter is not None

    @apply_median_filtering.setter
    def apply_median_filtering(self, value: bool) -> None:
        self.median_filter = MEDIAN_FILTER if value else None

    @classmethod
    def from_pretrained(  # type: ignore[override]
        cls,
        repo_id: Path | str,
        cache_dir: Path | str | None = None,
        rttm_out_dir: Path | str | None = None,
        compatibility: Literal["diarizen"] | None = None,
    ) -> "DiariZenPipeline":
        """Load a pipeline in the layout of DiariZen.

        Parameters
        ----------
        repo_id : Path or str
            Folder, or owner/name on the Hugging Face Hub.
        cache_dir, rttm_out_dir, compatibility : optional
            See the class.

        Returns
        -------
        pipeline : DiariZenPipeline
            On the GPU, if there is one.
        """
        return cls(
            repo_id,
            cache_dir=cache_dir,
            rttm_out_dir=rttm_out_dir,
            compatibility=compatibility,
        )

    def __call__(
        self,
        in_wav: AudioFile | IOBase,
        sess_name: str | None = None,
        return_embeddings: bool = False,
        **options: Any,
    ) -> Result | dict[str, Result]:
        """Diarize one session, or all sessions of a list or folder.

        Parameters
        ----------
        in_wav : str, Path, BytesIO, ProtocolFile or dict
            Audio, of which the first channel is used; or a `wav.scp` list or folder of
            audio files.
        sess_name : str, optional
            Name of the session and of its RTTM file. Defaults to the name of the audio
            file, or its name in the list.
        return_embeddings : bool, optional
            Return embeddings of speakers, too. Defaults to False.
        **options
            As for `DiariZen`, such as `num_speakers` or `hook`.

        Returns
        -------
        diarization : Annotation
            Turns, with integers as names of speakers.
        embeddings : (num_speakers, dimension) np.ndarray
            Only if `return_embeddings`, in the order of `diarization.labels()`.
        sessions : dict
            For a list or folder: these results by name of session.
        """
        if isinstance(in_wav, (str, Path)) and is_collection(Path(in_wav)):
            sessions, missing = find_audio([Path(in_wav)])
            if missing:
                raise AudioFileError(missing[0].error)
            return {
                name: self(path, name, return_embeddings, **options)
                for name, path in sessions.items()
            }
        if isinstance(in_wav, Mapping):
            file = {key: in_wav[key] for key in _FILE_KEYS if key in in_wav}
        else:
            file = {"audio": in_wav}
        if sess_name is not None:
            file["uri"] = sess_name
        output = super().__call__(file, **options)
        if return_embeddings:
            return output.speaker_diarization, output.speaker_embeddings
        return output.speaker_diarization


def _override(config: OriginalConfig, tables: Mapping[str, Any]) -> OriginalConfig:
    """Override arguments of `config` by `tables`, one or both of them."""
    if unknown := sorted(set(tables) - set(KNOWN)):
        raise ValueError(unknown_keys("in `config_parse`", unknown, [*KNOWN]))
    merged = dict(config.tables)
    for name, table in tables.items():
        if not isinstance(table, Mapping) or [*table] != ["args"]:
            raise ValueError(
                f"{name!r} in `config_parse` should be {{'args': {{...}}}}, as "
                f"[{name}.args] in config.toml, got {table!r}."
            )
        if unknown := [key for key in table["args"] if key not in KNOWN[name]]:
            where = f"in [{name}.args] of `config_parse`"
            raise ValueError(unknown_keys(where, unknown, KNOWN[name]))
        method = table["args"].get("method", METHODS[0])
        if name == "clustering" and method not in METHODS:
            raise ValueError(
                f"`method` in `config_parse` should be {' or '.join(METHODS)}, got "
                f"{method!r}: DiariZen takes others, by `clustering`."
            )
        merged[name] = {"args": {**config.args(name), **table["args"]}}
    return OriginalConfig(config.path, merged)
