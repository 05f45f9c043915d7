# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""DiariZen's diarization as a pyannote.audio pipeline.

Powerset segmentation of sliding chunks, median filter, one embedding per local
speaker, VBx clustering, reconstruction: see `pipelines.steps`. The steps that DiariZen
shares with pyannote.audio are those of its class.

References
----------
J. Han, F. Landini, J. Rohdin, A. Silnova, M. Diez, L. Burget, "Leveraging
self-supervised learning for speaker diarization", ICASSP 2025.
"""

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Literal

from pyannote.audio.core.io import AudioFile
from pyannote.audio.pipelines.speaker_diarization import (
    DiarizeOutput,
)
from pyannote.audio.pipelines.utils import PipelineModel, PipelinePLDA
from pyannote.audio.utils.signal import binarize
from pyannote.core import Annotation

from pyannote_diarizen.audio.reader import AudioReader
from pyannote_diarizen.clustering.count_evidence import CountEvidence
from pyannote_diarizen.clustering.vbx import LOOP_PROB
from pyannote_diarizen.pipelines.batch import rttm_name, write_rttm
from pyannote_diarizen.pipelines.compatibility import (
    ORIGINAL_CLUSTERING,
    ClusterNumbers,
)
from pyannote_diarizen.pipelines.components import (
    CLUSTERING_PARAMETERS,
    build_clustering,
    check_options,
    clustering_name,
    load_component,
    load_plda,
    unused_plda,
)
from pyannote_diarizen.pipelines.features import DiariZenOutput, Features
from pyannote_diarizen.pipelines.presets import find_preset
from pyannote_diarizen.pipelines.published import (
    check_hyper_parameters,
    pretrained_config,
)
from pyannote_diarizen.pipelines.segmentation import (
    HardMultilabel,
)
from pyannote_diarizen.pipelines.steps import DiarizationSteps


class DiariZen(DiarizationSteps):
    """Speaker diarization with DiariZen models.

    Parameters
    ----------
    segmentation : Model, str, Path or dict
        Segmentation model: a `Model`, a checkpoint, its folder, an identifier on
        huggingface.co, or the arguments of `Model.from_pretrained`.
    embedding : Model, str, Path or dict
        Speaker embedding model, likewise.
    plda : PLDA, str, Path or dict, optional
        PLDA fitted on embeddings of `embedding`, likewise. Needed by the clusterings
        that use VBx.
    clustering : str
        "VBxClustering", "AgglomerativeClustering", "HybridClustering" or
        "AutoClustering", "vbx", "agglomerative", "hybrid" or "auto" for short: see
        `clustering`. Or "KMeansClustering" (needs `num_speakers`), "OracleClustering"
        (needs "annotation" in the file).
    clustering_options : Mapping, optional
        Arguments of the clustering, such as `silent_speakers_compete` of
        `VBxClustering`.
    seg_duration : float, optional
        Duration of chunks, in seconds. Defaults to that of training.
    segmentation_step : float
        Step between chunks, as a ratio of their duration.
    segmentation_batch_size : int
        Number of chunks that are segmented together.
    embedding_batch_size : int
        Number of chunks whose embeddings are extracted together.
    embedding_exclude_overlap : bool
        Leave overlapped speech out of embeddings, where enough other speech is left.
    embedding_mode : {"exact", "shared"}
        "exact" gives the embeddings of pyannote.audio, but runs the network once per
        chunk instead of once per local speaker. "shared" is reserved.
    median_filter : int, optional
        Width of the median filter over local segmentations, in frames, odd. None
        leaves them as the model made them.
    channel : "downmix" or int
        Average the channels of a file, or keep that one (from 0). Models of several
        channels get all of them in place of their average, and embeddings of channels
        are averaged as the model weighs them. The "channel" key of a file takes
        precedence.
    min_speakers, max_speakers : int, optional
        Bounds for calls that give none.
    compatibility : {"diarizen"}, optional
        Do as the original DiariZen does, its slips included, to get its RTTM: see
        `pipelines.compatibility`. Options that are given take precedence.
    rttm_out_dir : Path or str, optional
        Folder to write `<uri>.rttm` to, for each file; spaces become underscores.
    legacy : bool
        Return an `Annotation` instead of a `DiarizeOutput`.
    der_variant : dict, optional
        Arguments of the `GreedyDiarizationErrorRate` that tuning minimizes.
    token : str, optional
        Hugging Face token, for models of the hub.
    cache_dir : Path or str, optional
        Where models of the hub are kept.

    Hyper-parameters
    ----------------
    segmentation.min_duration_off : float
        Fill shorter pauses of a speaker, in seconds.
    segmentation.threshold : float
        Speech above it, for models that are not powerset.
    clustering
        Those of the chosen clustering.

    Examples
    --------
    >>> from pyannote.audio import Pipeline
    >>> pipeline = Pipeline.from_pretrained("/path/to/folder")  # doctest: +SKIP
    >>> output = pipeline("meeting.wav", max_speakers=6)        # doctest: +SKIP
    >>> for turn, _, speaker in output.speaker_diarization.itertracks(
    ...     yield_label=True
    ... ):                                                      # doctest: +SKIP
    ...     print(f"{turn.start:.1f} {turn.end:.1f} {speaker}")
    """

    def __init__(
        self,
        segmentation: PipelineModel | Path,
        embedding: PipelineModel | Path,
        plda: PipelinePLDA | Path | None = None,
        clustering: str = "VBxClustering",
        clustering_options: Mapping[str, Any] | None = None,
        seg_duration: float | None = None,
        segmentation_step: float = 0.1,
        segmentation_batch_size: int = 32,
        embedding_batch_size: int = 32,
        embedding_exclude_overlap: bool = True,
        embedding_mode: Literal["exact", "shared"] = "exact",
        median_filter: int | None = 11,
        channel: Literal["downmix"] | int = "downmix",
        min_speakers: int | None = None,
        max_speakers: int | None = None,
        compatibility: Literal["diarizen"] | None = None,
        rttm_out_dir: Path | str | None = None,
        legacy: bool = False,
        der_variant: dict | None = None,
        token: str | None = None,
        cache_dir: Path | str | None = None,
    ) -> None:
        clustering = clustering_name(clustering)
        check_options(
            clustering,
            plda,
            seg_duration,
            segmentation_step,
            embedding_mode,
            median_filter,
            channel,
            compatibility,
        )
        loaded_plda = load_plda(plda, token, cache_dir)

        # The host knows its own clusterings only, and builds no embedding for the
        # oracle one although it uses it: it is given a clustering that suits it,
        # which is replaced below.
        super().__init__(
            legacy=legacy,
            segmentation=load_component(segmentation, "segmentation", token, cache_dir),
            segmentation_step=segmentation_step,
            embedding=load_component(embedding, "embedding", token, cache_dir),
            embedding_exclude_overlap=embedding_exclude_overlap,
            plda=loaded_plda or unused_plda(),
            clustering="AgglomerativeClustering",
            embedding_batch_size=embedding_batch_size,
            segmentation_batch_size=segmentation_batch_size,
            der_variant=der_variant,
            token=token,
            cache_dir=cache_dir,
        )
        # the host announces that there is always a PLDA
        self.plda, self._plda = plda, loaded_plda
        self.klustering = clustering
        original = ORIGINAL_CLUSTERING.get(clustering, {}) if compatibility else {}
        self.clustering = build_clustering(
            clustering,
            loaded_plda,
            self._embedding.metric,
            {**original, **(clustering_options or {})},
        )
        self._expects_num_speakers = self.clustering.expects_num_clusters

        self.embedding_mode = embedding_mode
        self.median_filter = median_filter
        first_only = compatibility and not self._multi_channel
        self.channel = 0 if first_only and channel == "downmix" else channel
        self.min_speakers, self.max_speakers = min_speakers, max_speakers
        self.compatibility = compatibility
        self.rttm_out_dir = rttm_out_dir

        segmenter: Any = self._segmentation
        if seg_duration is not None:
            segmenter.duration = seg_duration
            segmenter.step = segmentation_step * seg_duration
        if self._powerset:
            segmenter.conversion = HardMultilabel(segmenter.conversion)
        # what reads audio after it sees a waveform in memory
        self._reader = AudioReader(
            segmenter.model.hparams.sample_rate,
            mono=None if self._multi_channel else "downmix",
            channel=None if self.channel == "downmix" else self.channel,
        )

    @classmethod
    def from_pretrained(
        cls,
        checkpoint: Path | str | Mapping[str, Any],
        revision: str | None = None,
        hparams_file: Path | str | None = None,
        subfolder: str | None = None,
        token: str | bool | None = None,
        cache_dir: Path | str | None = None,
        weights_only: bool = True,
        preset: str | None = None,
        **options: Any,
    ) -> "DiariZen":
        """Load a pipeline in the layout of pyannote.audio or of DiariZen.

        That of DiariZen has a `config.toml`. Its embedding is fetched from the hub
        unless it lies beside in `embedding/`, or is given.

        Parameters
        ----------
        checkpoint : Path, str or Mapping
            Folder, configuration file, owner/name on the Hugging Face Hub, or the
            content of a `config.yaml`.
        revision : str, optional
            Branch, tag or commit, on the hub.
        hparams_file : Path or str, optional
            File of hyper-parameters that take precedence.
        subfolder : str, optional
            Folder inside the folder or repository.
        token : str or bool, optional
            Hugging Face token.
        cache_dir : Path or str, optional
            Where files of the hub are kept.
        weights_only : bool, optional
            Refuse models that hold more than weights. False runs the code they hold.
            Defaults to True.
        preset : str, optional
            Name of hyper-parameters that come with the pipeline for one kind of
            recordings, as in "meeting"; see `pipelines.presets`.
        **options
            Arguments of `DiariZen` that take precedence, such as `embedding`,
            `compatibility` or `rttm_out_dir`.

        Returns
        -------
        pipeline : DiariZen
            Or what else a `config.yaml` names.

        Examples
        --------
        >>> pipeline = DiariZen.from_pretrained(         # doctest: +SKIP
        ...     "BUT-FIT/diarizen-wavlm-large-s80-md-v2", rttm_out_dir="diarized"
        ... )
        """
        if preset is not None:
            if hparams_file is not None or isinstance(checkpoint, Mapping):
                raise ValueError(
                    "`preset` is one of a folder or repository, and takes the place of "
                    "`hparams_file`: give one of them."
                )
            hparams_file = find_preset(
                checkpoint, preset, subfolder, revision, token, cache_dir
            )
        config = pretrained_config(
            checkpoint,
            subfolder=subfolder,
            revision=revision,
            token=token,
            cache_dir=cache_dir,
            weights_only=weights_only,
            **options,
        )
        pipeline = super().from_pretrained(
            config, hparams_file=hparams_file, token=token, cache_dir=cache_dir
        )
        check_hyper_parameters(pipeline, config)
        return pipeline

    def default_parameters(self) -> dict[str, dict[str, Any]]:
        """Return hyper-parameters to start from, for the chosen clustering."""
        segmentation = {"min_duration_off": 0.0}
        if not self._powerset:
            segmentation["threshold"] = 0.5
        clustering = deepcopy(CLUSTERING_PARAMETERS[self.klustering])
        if getattr(self.clustering, "ordered", False):
            clustering["loop_prob"] = LOOP_PROB
        return {"segmentation": segmentation, "clustering": clustering}

    def apply(
        self,
        file: AudioFile,
        num_speakers: int | None = None,
        min_speakers: int | None = None,
        max_speakers: int | None = None,
        hook: Callable | None = None,
        **kwargs: Any,
    ) -> DiarizeOutput | Annotation:
        """Diarize one file.

        Parameters
        ----------
        file : AudioFile
            File to process. Its "expected_speakers", if any, is a number that the
            answer should be near, other than `num_speakers` not at any price; see
            `expected_clusters` of `VBxClustering`.
        num_speakers : int, optional
            Number of speakers, when known.
        min_speakers : int, optional
            Fewest speakers. Has no effect beside `num_speakers`.
        max_speakers : int, optional
            Most speakers. Has no effect beside `num_speakers`.
        hook : callable, optional
            Called with the result of each step, as in pyannote.audio.
        **kwargs
            Ignored, with a warning.

        Returns
        -------
        output : DiariZenOutput
            A `DiarizeOutput` that `recluster` takes. An `Annotation` if `legacy`, or
            while the pipeline is tuned. No turn goes past the end of the file, unless
            `compatibility` asks for it.
        """
        loaded = self._load(file)
        if self.klustering == "OracleClustering" and "annotation" not in loaded:
            raise ValueError(
                f"OracleClustering needs the reference of {loaded['uri']}: give "
                "{'audio': ..., 'annotation': ...}."
            )
        if num_speakers is min_speakers is max_speakers is None:
            min_speakers, max_speakers = self.min_speakers, self.max_speakers
        numbers = ClusterNumbers(hook)
        output = super().apply(
            loaded,
            num_speakers=num_speakers,
            min_speakers=min_speakers,
            max_speakers=max_speakers,
            hook=numbers,
            **kwargs,
        )
        if self.compatibility and not loaded.get("annotation"):
            output = numbers.restore(
                output, self.classes(), self.segmentation.min_duration_off
            )
        diarization = getattr(output, "speaker_diarization", output)
        # the metrics that tuning computes know annotations only
        if self.training:
            return diarization
        if isinstance(output, DiarizeOutput):
            features = Features(loaded, self._feature_settings)
            output = DiariZenOutput(**vars(output), features=features)
        if self.rttm_out_dir is not None:
            name = rttm_name(loaded["uri"])
            write_rttm(diarization, Path(self.rttm_out_dir) / f"{name}.rttm")
        return output

    def recluster(
        self,
        output: DiarizeOutput,
        num_speakers: int | None = None,
        min_speakers: int | None = None,
        max_speakers: int | None = None,
        hook: Callable | None = None,
    ) -> DiarizeOutput | Annotation:
        """Diarize a file again without running the networks again.

        Gives what the pipeline gives with the same arguments and its current
        hyper-parameters, in a fraction of the time.

        Parameters
        ----------
        output : DiariZenOutput
            What this pipeline made of the file, or another one of the same models,
            whatever its clustering.
        num_speakers, min_speakers, max_speakers, hook : optional
            See `apply`.

        Returns
        -------
        output : DiariZenOutput
            See `apply`.

        Raises
        ------
        TypeError
            If `output` carries no features.
        ValueError
            If this pipeline needs other features.

        Examples
        --------
        >>> output = pipeline("meeting.wav")                      # doctest: +SKIP
        >>> output = pipeline.recluster(output, num_speakers=5)   # doctest: +SKIP
        """
        return self.apply(
            self._features(output).load(self._reader),
            num_speakers=num_speakers,
            min_speakers=min_speakers,
            max_speakers=max_speakers,
            hook=hook,
        )

    def evidence(
        self, output: DiarizeOutput, num_speakers: Iterable[int] | None = None
    ) -> CountEvidence:
        """Tell what speaks for each number of speakers in a file.

        Bounds that `output` was made with play no part: it tells what they cost. The
        "expected_speakers" of the file do.

        Parameters
        ----------
        output : DiariZenOutput
            As of `recluster`.
        num_speakers : Iterable of int, optional
            Numbers to try. Defaults to those from 1 to 10, or to twice what is found.

        Returns
        -------
        evidence : CountEvidence
            `evaluation.evidence.draw_evidence` draws it.

        Raises
        ------
        TypeError
            If `output` carries no features.
        ValueError
            If this pipeline needs other features, its clustering knows no evidence,
            or there is nothing to cluster.

        Examples
        --------
        >>> output = pipeline("meeting.wav")                      # doctest: +SKIP
        >>> evidence = pipeline.evidence(output, range(2, 9))     # doctest: +SKIP
        >>> evidence.num_speakers[evidence.log_evidence.argmax()] # doctest: +SKIP
        4
        """
        if not hasattr(self.clustering, "evidence"):
            raise ValueError(
                f"{self.klustering} knows no evidence: build the pipeline with "
                "clustering='VBxClustering', 'HybridClustering' or 'AutoClustering'."
            )
        features = self._features(output)
        segmentations = features.segmentations
        if not self._powerset:
            segmentations = binarize(
                segmentations, onset=self.segmentation.threshold, initial_state=False
            )
        return self.clustering.evidence(
            features.embeddings,
            segmentations,
            num_speakers,
            features.file.get("expected_speakers"),
        )

    def _features(self, output: DiarizeOutput) -> Features:
        """Features of `output`, if this pipeline would have the same."""
        features = getattr(output, "features", None)
        if features is None:
            raise TypeError(
                "`output` should be a DiariZenOutput with features, as pipelines "
                f"return it unless `legacy`, got {type(output).__name__} without."
            )
        features.check(self._feature_settings)
        return features
