# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Task whose processes take turns in a list of batches, the same for any number."""

from itertools import count

from pyannote_diarizen.tasks import PowersetDiarization


class Striding(PowersetDiarization):
    """Batch k goes to process k modulo their number."""

    def train__iter__(self):
        """Read chunks at regular intervals."""
        trainer = self.model.trainer
        for batch in count(trainer.global_rank, trainer.world_size):
            for k in range(batch * self.batch_size, (batch + 1) * self.batch_size):
                yield self.prepare_chunk(k % 2, 0.37 * k % 5.0, self.duration)
