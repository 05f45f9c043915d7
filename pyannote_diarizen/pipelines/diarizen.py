# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""DiariZen speaker diarization as a pyannote.audio pipeline.

Powerset segmentation of sliding chunks, median filter, one embedding per local
speaker, VBx clustering, reconstruction (J. Han et al., "Leveraging self-supervised
learning for speaker diarization", 2025). A file is read once, a chunk embedded once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from pyannote.audio.core.io import AudioFile
from pyannote.audio.pipelines.clustering import BaseClustering
from pyannote.audio.pipelines.speaker_diarization import DiarizeOutput
from pyannote.audio.pipelines.utils import PipelineModel, PipelinePLDA
from pyannote.core import Annotation, SlidingWindowFeature

from pyannote_diarizen._host import as_int64
from pyannote_diarizen.atomic import recording_path
from pyannote_diarizen.functional.speaker_bounds import SpeakerBounds
from pyannote_diarizen.pipelines import components, reconstruction, sliding
from pyannote_diarizen.pipelines import segmentation as steps
from pyannote_diarizen.pipelines.embedding import ChunkEmbedding
from pyannote_diarizen.pipelines.features import DiariZenOutput
from pyannote_diarizen.pipelines.files import CACHED_FILE, LoadedFile
from pyannote_diarizen.pipelines.options import Options, check_preload
from pyannote_diarizen.pipelines.published import load_pretrained
from pyannote_diarizen.pipelines.reclustering import Reclustering
from pyannote_diarizen.pipelines.reconstruction import Naming, Reconstruction
from pyannote_diarizen.pipelines.scratch import limited_memory
from pyannote_diarizen.pipelines.shared_embedding import build_extraction, choose_mode
from pyannote_diarizen.pipelines.short_files import load_together
from pyannote_diarizen.pipelines.turn_confidence import ConfidenceCalibration
from pyannote_diarizen.rttm import rttm_name, write_rttm


class DiariZen(Reclustering):
    """Speaker diarization with DiariZen models.

    Parameters
    ----------
    segmentation : Model, str, Path or dict
        Segmentation model: a `Model`, a checkpoint, its folder, an identifier on
        huggingface.co, or the arguments of `Model.from_pretrained`.
    embedding : Model, str, Path or dict
        Speaker embedding model, likewise.
    plda : PLDA, str, Path or dict, optional
        PLDA of embeddings of `embedding`, likewise. Needed by clusterings with VBx.
    clustering : str or type
        Name, in full or short: "VBxClustering" or "vbx", "AgglomerativeClustering",
        "HybridClustering", "AutoClustering", or a registered one, see `components`; or
        a class of one's own, or its dotted path.
        "KMeansClustering" needs `num_speakers`, "OracleClustering" the "annotation".
    clustering_options : Mapping, optional
        Arguments of the clustering, such as `ordered` of `VBxClustering`.
    seg_duration : float, optional
        Duration of chunks, in seconds. Defaults to that of training.
    segmentation_step : float
        Step between chunks, as a ratio of their duration.
    segmentation_batch_size, embedding_batch_size : int
        Number of chunks in one pass of each network.
    embedding_exclude_overlap : bool
        Leave overlapped speech out of embeddings, where enough other speech is left.
    embedding_mode : {"exact", "shared"}
        "exact" gives the embeddings of pyannote.audio. "shared" computes frames once
        for all chunks: faster, slightly different, see `shared_embedding`.
    median_filter : int, optional
        Width of the median filter over local segmentations, in frames, odd. None
        applies no filter.
    channel : "downmix" or int
        Average the channels of a file, or keep one of them (from 0), like the key
        "channel" of a file, which takes precedence. Multi-channel models get all.
    min_speakers, max_speakers : int, optional
        Bounds for calls that do not give them.
    compatibility : {"diarizen"}, optional
        Reproduce the RTTM of the original DiariZen, see `pipelines.compatibility`.
    confidence : Mapping, optional
        Calibration of the confidence of turns, see `ConfidenceCalibration`.
    rttm_out_dir : Path or str, optional
        Folder to write `<uri>.rttm` to, for each file; spaces become underscores.
    backend : str, optional
        Runtime of both models, such as "onnx". Defaults to torch, see `export.cache`.
    legacy, der_variant, token, cache_dir : optional
        See `SpeakerDiarization` of pyannote.audio.

    Hyper-parameters
    ----------------
    segmentation.min_duration_off : float
        Fill shorter pauses of a speaker, in seconds.
    segmentation.threshold : float
        Speech above it, for models that are not powerset.
    clustering : see the chosen clustering

    Examples
    --------
    >>> pipeline = DiariZen.from_pretrained("/path/to/folder")  # doctest: +SKIP
    >>> output = pipeline("meeting.wav", max_speakers=6)        # doctest: +SKIP
    """

    def __init__(
        self,
        segmentation: PipelineModel | Path,
        embedding: PipelineModel | Path,
        plda: PipelinePLDA | Path | None = None,
        clustering: str | type[BaseClustering] = "VBxClustering",
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
        confidence: Mapping[str, float] | None = None,
        rttm_out_dir: Path | str | None = None,
        backend: str | None = None,
        legacy: bool = False,
        der_variant: dict | None = None,
        token: str | None = None,
        cache_dir: Path | str | None = None,
    ) -> None:
        options = Options(
            clustering=components.clustering_name(clustering),
            clustering_options=clustering_options or {},
            has_plda=plda is not None,
            seg_duration=seg_duration,
            segmentation_step=segmentation_step,
            batch_sizes=(segmentation_batch_size, embedding_batch_size),
            embedding_mode=embedding_mode,
            median_filter=median_filter,
            channel=channel,
            compatibility=compatibility,
            bounds=SpeakerBounds(None, min_speakers, max_speakers),
        )
        hub: dict[str, Any] = {"token": token, "cache_dir": cache_dir}
        loaded_plda = components.load_plda(plda, **hub)
        where = {**hub, "backend": backend}
        # The host builds its own clusterings only, and no embedding for
        # OracleClustering: build one that it has, and replace it below.
        super().__init__(
            legacy=legacy,
            segmentation=components.load_network(segmentation, "segmentation", **where),
            segmentation_step=segmentation_step,
            embedding=components.load_network(embedding, "embedding", **where),
            embedding_exclude_overlap=embedding_exclude_overlap,
            plda=loaded_plda or components.unused_plda(),
            clustering="AgglomerativeClustering",
            embedding_batch_size=embedding_batch_size,
            segmentation_batch_size=segmentation_batch_size,
            der_variant=der_variant,
            **hub,
        )
        self.plda, self._plda = plda, loaded_plda
        self.klustering = options.clustering
        self.clustering_options = dict(options.clustering_options)
        self.clustering = components.build_clustering(
            options.clustering,
            loaded_plda,
            self._embedding.metric,
            options.clustering_options,
            options.compatibility,
        )
        self._expects_num_speakers = components.expects_number(self.clustering)
        self._embed_silence = getattr(self.clustering, "silent_speakers_compete", False)
        self.embedding_mode = choose_mode(embedding_mode, self._embedding)
        self.median_filter, self.rttm_out_dir = median_filter, rttm_out_dir
        self.channel = options.choose_channel(self._segmentation.model)
        self.min_speakers, self.max_speakers = min_speakers, max_speakers
        self.confidence = confidence and vars(ConfidenceCalibration.of(confidence))
        self.compatibility, self._keep = compatibility, compatibility is None
        self._naming: Naming = "cluster" if compatibility else "appearance"
        self._reader = components.build_reader(self._segmentation.model, self.channel)
        sliding.configure(self._segmentation, seg_duration, segmentation_step)

    from_pretrained = staticmethod(load_pretrained)

    def default_parameters(self) -> dict[str, dict[str, Any]]:
        """Return hyper-parameters to start from, for the chosen clustering."""
        segmentation = {"min_duration_off": 0.0}
        if self._threshold is not None:
            segmentation["threshold"] = 0.5
        options = self.clustering_options
        clustering = components.default_parameters(self.klustering, options)
        return {"segmentation": segmentation, "clustering": clustering}

    def apply(
        self,
        file: AudioFile,
        num_speakers: int | None = None,
        min_speakers: int | None = None,
        max_speakers: int | None = None,
        hook: Callable | None = None,
        max_memory: int | str | None = None,
        **kwargs: Any,
    ) -> DiarizeOutput | Annotation:
        """Diarize one file.

        Parameters
        ----------
        file : AudioFile
            File to process. Its key "expected_speakers", if any, is a number that the
            result should be near; see `expected_clusters` of `VBxClustering`.
        num_speakers : int, optional
            Number of speakers, if known.
        min_speakers, max_speakers : int, optional
            Bounds on that number. One that is not given is that of the constructor.
        hook : callable, optional
            Called with the result of each step, as in pyannote.audio.
        max_memory : int or str, optional
            Memory of the process, in bytes or as in "2GB", above which arrays of the
            file lie in temporary files. Pages of files do not count.
        **kwargs
            Ignored, with a warning.

        Returns
        -------
        output : DiariZenOutput
            Input of `recluster`. An `Annotation` if `legacy`, or while the pipeline is
            tuned. Turns end before the end of the file, and speakers are named in the
            order of their first turn, unless `compatibility`.

        Raises
        ------
        TypeError, ValueError
            If numbers of speakers are not positive integers, or contradict each other,
            or the process already takes `max_memory`.
        OSError
            If arrays above `max_memory` do not fit on the disk.

        Warns
        -----
        UserWarning
            If the number is another one, or the exclusive diarization lacks a speaker.
        """
        bounds = SpeakerBounds(num_speakers, min_speakers, max_speakers).completed(
            SpeakerBounds(None, self.min_speakers, self.max_speakers)
        )
        loaded = LoadedFile.of(file, self._reader)
        components.check_file(self.klustering, loaded)
        if directory := self.rttm_out_dir:
            rttm = recording_path(directory, rttm_name(str(loaded["uri"])), ".rttm")
        naming: Naming = "reference" if loaded.get("annotation") else self._naming
        frames = Reconstruction(bounds, self._keep, stable=self.compatibility is None)
        with limited_memory(max_memory):
            with frames.in_use():
                options: dict[str, Any] = {**as_int64(vars(bounds)), **kwargs}
                output = super().apply(loaded, hook=hook, **options)
            output = frames.finish(output, self.segmentation.min_duration_off, naming)
        diarization = getattr(output, "speaker_diarization", output)
        # the metrics of tuning take an Annotation
        if self.training:
            loaded.unload_audio()
            return diarization
        if isinstance(output, DiarizeOutput):
            features = self._features_in(loaded)
            output = DiariZenOutput(**vars(output), features=features)
        if directory:
            write_rttm(diarization, rttm)
        return output

    def prepare_one(self, file: AudioFile, preload: bool = False) -> LoadedFile:
        """Check `file` and prepare it for `apply`; `preload` has no effect."""
        check_preload(preload)
        if isinstance(file, LoadedFile):
            return file
        file = LoadedFile.checked(file)
        # pyannote.audio wraps the file anew in each call if the pipeline has
        # preprocessors: keep results in the file of the caller while tuning.
        caller = file if self.training and isinstance(file, MutableMapping) else {}
        if CACHED_FILE not in caller:
            prepared = cast(MutableMapping, super().prepare_one(file))
            prepared.setdefault("uri", "stream")
            caller[CACHED_FILE] = LoadedFile(prepared, self._reader)
        return caller[CACHED_FILE]

    def get_segmentations(
        self, file: AudioFile, hook: Callable | None = None
    ) -> SlidingWindowFeature:
        """Segment each chunk, see `segmentation.segment`."""
        loaded = LoadedFile.of(file, self._reader)
        if loaded.segmentations is None:
            (loaded.segmentations,) = self._segment([loaded], hook)
        return loaded.segmentations

    def get_embeddings(
        self,
        file: AudioFile,
        binary_segmentations: SlidingWindowFeature,
        exclude_overlap: bool = False,
        hook: Callable | None = None,
    ) -> np.ndarray:
        """Extract one embedding per (chunk, speaker), see `build_extraction`."""
        loaded = LoadedFile.of(file, self._reader)
        if loaded.embeddings is None or loaded.threshold != self._threshold:
            extract: Callable | None = self._extraction(loaded.channel_weights)
            # otherwise, one network pass per speaker, also for silent ones
            loaded.embeddings = (extract or super().get_embeddings)(
                loaded, binary_segmentations, exclude_overlap, hook
            )
            loaded.threshold = self._threshold
        return loaded.embeddings

    def load_together(self, files: Iterable[AudioFile]) -> Iterator[AudioFile]:
        """Run the networks on several short files at once, see `short_files`."""
        return load_together(self, files)

    def _segment(
        self, files: list[LoadedFile], hook: Callable | None = None
    ) -> list[SlidingWindowFeature]:
        return steps.segment(
            *(files, self._segmentation, self.median_filter),
            silence_end=self.compatibility is None,
            hook=hook,
        )

    def _extraction(
        self, channel_weights: np.ndarray | None = None
    ) -> ChunkEmbedding | None:
        return build_extraction(
            self.embedding_mode,
            self._embedding,
            audio=self._audio,
            batch_size=self.embedding_batch_size,
            embed_silence=self._embed_silence,
            channel_weights=channel_weights,
        )

    # the results of the host, in less time and memory
    reconstruct = staticmethod(reconstruction.reconstruct)
    to_annotation = staticmethod(reconstruction.to_annotation)
    speaker_count = staticmethod(steps.count_speakers)

    def _apply_batch(
        self, files: list[LoadedFile], **kwargs: Any
    ) -> Iterator[tuple[MutableMapping, DiarizeOutput | Annotation]]:
        """Process files as the host does, but free each waveform after use."""
        for loaded in self.load_together(files):
            for file, output in super()._apply_batch([loaded], **kwargs):
                yield file.file, output
                file.unload()
