# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The steps from a file to who speaks when, in place of those of pyannote.audio.

They read a file once, hold segmentations as uint8, run the embedding network once per
chunk, and keep what does not change while a pipeline is tuned.
"""

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any, Literal, cast

import numpy as np
from pyannote.audio.core.io import Audio, AudioFile
from pyannote.audio.pipelines.speaker_diarization import (
    DiarizeOutput,
    SpeakerDiarization,
)
from pyannote.core import Annotation, SlidingWindowFeature

from pyannote_diarizen._host import without_ties
from pyannote_diarizen.audio.reader import AudioReader, audio_info
from pyannote_diarizen.errors import AudioFileError
from pyannote_diarizen.pipelines.channel_fusion import recorded_channel_weights
from pyannote_diarizen.pipelines.embedding import ChunkEmbedding
from pyannote_diarizen.pipelines.files import LoadedFile
from pyannote_diarizen.pipelines.segmentation import (
    merge_clustered,
    overlap_add,
    silence_padding,
    smooth,
    turns_of_speakers,
)

# Keys under which pyannote keeps what does not change while a pipeline is tuned.
_CACHED_EMBEDDINGS = "training_cache/embeddings"
_CACHED_CHANNELS = "training_cache/channel_weights"
_CACHED_FILE = "training_cache/prepared_file"


class DiarizationSteps(SpeakerDiarization):
    """What `DiariZen` does with a file; its options and its models are set there."""

    median_filter: int | None
    compatibility: Literal["diarizen"] | None
    _reader: AudioReader

    @property
    def _powerset(self) -> bool:
        specifications: Any = self._segmentation.model.specifications
        return bool(specifications.powerset)

    @property
    def _multi_channel(self) -> bool:
        model: Any = self._segmentation.model
        return model.hparams.num_channels > 1

    @property
    def _feature_settings(self) -> dict[str, Any]:
        """What segmentations and embeddings depend on, besides the models."""
        return {
            "segmentation_step": self.segmentation_step,
            "median_filter": self.median_filter,
            "segmentation.threshold": self._threshold,
            "embedding dimension": self._embedding.dimension,
            "embedding_exclude_overlap": self.embedding_exclude_overlap,
            "silent_speakers_compete": self._embed_silence,
        }

    @property
    def _embed_silence(self) -> bool:
        return getattr(self.clustering, "silent_speakers_compete", False)

    @property
    def _threshold(self) -> float | None:
        return None if self._powerset else self.segmentation.threshold

    def prepare_one(self, file: AudioFile, preload: bool = False) -> LoadedFile:
        """Check `file` and make it ready for `apply`.

        Parameters
        ----------
        file : AudioFile
            File to process.
        preload : bool
            Has no effect: audio is read once, when needed, in any case.

        Returns
        -------
        file : LoadedFile
            Writes to the file of the caller.

        Raises
        ------
        AudioFileError
            If it cannot be read or holds no sample.
        """
        if audio_info(file).num_samples == 0:
            name = file.get("uri") if isinstance(file, MutableMapping) else file
            raise AudioFileError(f"'{name}' holds no sample: record it again.")

        # pyannote.audio wraps the file anew in each call when the pipeline has
        # preprocessors, and the cache of pipeline tuning would be lost every time
        caller = file if self.training and isinstance(file, MutableMapping) else {}
        prepared = caller.get(_CACHED_FILE)
        if prepared is None:
            prepared = cast(MutableMapping, super().prepare_one(file))
            prepared.setdefault("uri", "stream")
            if prepared is not file:
                caller[_CACHED_FILE] = prepared
        return LoadedFile(prepared, self._reader)

    def _apply_batch(
        self, files: list[LoadedFile], **kwargs: Any
    ) -> Iterator[tuple[MutableMapping, DiarizeOutput | Annotation]]:
        """Do as the host does, but hold one waveform at a time."""
        for file, output in super()._apply_batch(files, **kwargs):
            yield file.file, output
            file.unload()

    def get_segmentations(
        self, file: AudioFile, hook: Callable | None = None
    ) -> SlidingWindowFeature:
        """Segment each chunk, filter, and silence what lies past the end of the file.

        Parameters
        ----------
        file : AudioFile
            File to process.
        hook : callable, optional
            Called after each batch.

        Returns
        -------
        segmentations : (num_chunks, num_frames, num_speakers) SlidingWindowFeature
            0 or 1 as uint8 for powerset models, scores as float32 for others.
        """
        loaded = self._load(file)
        if loaded.segmentations is None:
            loaded.segmentations = self._segment(loaded, hook)
        return loaded.segmentations

    def _segment(
        self, loaded: LoadedFile, hook: Callable | None
    ) -> SlidingWindowFeature:
        is_cached = self.training and self.CACHED_SEGMENTATION in loaded
        with recorded_channel_weights(self._segmentation.model) as channel_weights:
            segmentations = super().get_segmentations(loaded, hook=hook)
        if is_cached:
            loaded.channel_weights = loaded.get(_CACHED_CHANNELS)
            return segmentations
        if channel_weights:
            loaded.channel_weights = np.concatenate(channel_weights)
        data = segmentations.data
        if self.median_filter is not None:
            data = smooth(data, self.median_filter)
        frames = self._segmentation.model.receptive_field
        chunks = without_ties(segmentations.sliding_window, frames.step)
        segmentations = SlidingWindowFeature(data, chunks)
        if self.compatibility is None:
            segmentations = silence_padding(segmentations, frames, loaded.duration)
        if self.training:
            loaded[self.CACHED_SEGMENTATION] = segmentations
            loaded[_CACHED_CHANNELS] = loaded.channel_weights
        return segmentations

    def get_embeddings(
        self,
        file: AudioFile,
        binary_segmentations: SlidingWindowFeature,
        exclude_overlap: bool = False,
        hook: Callable | None = None,
    ) -> np.ndarray:
        """Extract one embedding per (chunk, speaker).

        Parameters
        ----------
        file : AudioFile
            File to process.
        binary_segmentations : SlidingWindowFeature
            (num_chunks, num_frames, num_speakers) activity, 0 or 1.
        exclude_overlap : bool
            Leave overlapped speech out, where enough other speech is left.
        hook : callable, optional
            Called after each batch.

        Returns
        -------
        embeddings : (num_chunks, num_speakers, dimension) np.ndarray
            NaN for silent speakers, unless they compete for clusters, or the model
            cannot share frames between speakers, in which case this is the method of
            pyannote.audio.
        """
        loaded = self._load(file)
        if loaded.embeddings is None:
            loaded.embeddings = self._embed(
                loaded, binary_segmentations, exclude_overlap, hook
            )
        return loaded.embeddings

    def _embed(
        self,
        loaded: LoadedFile,
        binary_segmentations: SlidingWindowFeature,
        exclude_overlap: bool,
        hook: Callable | None,
    ) -> np.ndarray:
        if not ChunkEmbedding.supports(self._embedding):
            return super().get_embeddings(
                loaded, binary_segmentations, exclude_overlap, hook
            )
        threshold = self._threshold
        cache = loaded.get(_CACHED_EMBEDDINGS, {}) if self.training else {}
        if "embeddings" in cache and cache.get("segmentation.threshold") == threshold:
            return cache["embeddings"]
        audio = self._audio
        if loaded.channel_weights is not None:
            audio = AudioReader(self._embedding.sample_rate, mono=None)
        extract = ChunkEmbedding(
            self._embedding,
            audio,
            self.embedding_batch_size,
            embed_silence=self._embed_silence,
            channel_weights=loaded.channel_weights,
        )
        embeddings = extract(loaded, binary_segmentations, exclude_overlap, hook)
        if self.training:
            loaded[_CACHED_EMBEDDINGS] = {
                "embeddings": embeddings,
                "segmentation.threshold": threshold,
            }
        return embeddings

    def reconstruct(
        self,
        segmentations: SlidingWindowFeature,
        hard_clusters: np.ndarray,
        count: SlidingWindowFeature,
    ) -> SlidingWindowFeature:
        """Tell at each frame which clusters speak.

        Same result as the parent's, in memory that does not grow with float64.

        Parameters
        ----------
        segmentations : (num_chunks, num_frames, num_speakers) SlidingWindowFeature
            Activity of local speakers.
        hard_clusters : (num_chunks, num_speakers) np.ndarray
            Their clusters, -2 if none.
        count : (total_num_frames, 1) SlidingWindowFeature
            Number of speakers at each frame.

        Returns
        -------
        discrete_diarization : (total_num_frames, num_clusters) SlidingWindowFeature
            0 or 1.
        """
        clustered = merge_clustered(segmentations.data, hard_clusters)
        return self.to_diarization(
            SlidingWindowFeature(clustered, segmentations.sliding_window), count
        )

    @staticmethod
    def to_diarization(
        segmentations: SlidingWindowFeature, count: SlidingWindowFeature
    ) -> SlidingWindowFeature:
        """Let as many speakers speak at each frame as were counted there.

        Same result as the parent's, without its loops over frames and over chunks.

        Parameters
        ----------
        segmentations : (num_chunks, num_frames, num_speakers) SlidingWindowFeature
            Activity of speakers.
        count : (total_num_frames, 1) SlidingWindowFeature
            Number of speakers at each frame.

        Returns
        -------
        discrete_diarization : (total_num_frames, num_speakers) SlidingWindowFeature
            0 or 1.
        """
        activity = overlap_add(segmentations, count.sliding_window)
        extent = activity.extent & count.extent
        activity = activity.crop(extent, return_data=False)
        counted = count.crop(extent)
        most = int(counted.max(initial=0))
        lacking = max(0, most - activity.data.shape[1])
        scores = np.pad(activity.data, ((0, 0), (0, lacking)))
        speaks = np.zeros_like(scores)
        chosen = np.zeros((len(scores), most), dtype=bool)
        chosen[: len(counted)] = np.arange(most) < counted[: len(scores)]
        ranking = np.argsort(-scores, axis=1)[:, :most]
        np.put_along_axis(speaks, ranking, chosen, axis=1)
        return SlidingWindowFeature(speaks, activity.sliding_window)

    @staticmethod
    def to_annotation(
        discrete_diarization: SlidingWindowFeature,
        min_duration_on: float = 0.0,
        min_duration_off: float = 0.0,
    ) -> Annotation:
        """Find the turns of speakers.

        Same result as the parent's, in a fraction of the time.

        Parameters
        ----------
        discrete_diarization : (num_frames, num_speakers) SlidingWindowFeature
            0 or 1.
        min_duration_on : float, optional
            Drop shorter turns, in seconds. Defaults to 0.
        min_duration_off : float, optional
            Fill shorter pauses of a speaker, in seconds. Defaults to 0.

        Returns
        -------
        turns : Annotation
            Labels are the indices of speakers.
        """
        turns = turns_of_speakers(discrete_diarization)
        if min_duration_off > 0:
            turns = turns.support(collar=min_duration_off)
        for turn, track in list(turns.itertracks()):
            if turn.duration < min_duration_on:
                del turns[turn, track]
        return turns

    def _load(self, file: AudioFile) -> LoadedFile:
        if isinstance(file, LoadedFile):
            return file
        return LoadedFile(cast(MutableMapping, Audio.validate_file(file)), self._reader)
