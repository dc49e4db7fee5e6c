"""Who was in the pictures of a request that was refused before any search: looked for afterwards.

A revealing request is answered before anybody is searched for, so that nobody can be found out by
asking (law 2). She whom it was about has to know of it all the same: so every such request, whoever
is in it, is searched from a bounded queue in memory, and its box is replaced. What the queue cannot
take, and what is left ten seconds after the program is told to stop, is not searched: pictures are
never written down for it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from consentry.checks.pictures import Picture
from consentry.checks.ports import ReceiptStore
from consentry.checks.search import SearchFaces
from consentry.checks.sightings import SealSighting, Seen, SightingStore, seen_in
from consentry.kernel.errors import ConsentryError
from consentry.kernel.ids import CheckId
from consentry.transparency.receipts import ReceiptInputs

MAX_WAITING = 64
MAX_PIXELS = 64_000_000
"""Of all pictures that wait: 192 MB decoded."""
CLOSING_GRACE_S = 10.0

_LOG = logging.getLogger(__name__)


class LookAfterwards:
    """Search, one check at a time, for whom a settled check was about. Safe to share between threads.

    ``_guard`` guards ``_waiting``, ``_pixels`` and ``left_out``.
    """

    def __init__(
        self,
        search: SearchFaces,
        seal: SealSighting,
        sightings: SightingStore,
        receipts: ReceiptStore,
        *,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._search = search
        self._seal = seal
        self._sightings = sightings
        self._receipts = receipts
        self._max_waiting = max_waiting
        self._guard = threading.Lock()
        self._waiting: set[Future[None]] = set()
        self._pixels = 0
        self.left_out = 0
        # One at a time: whoever waits for an answer comes first.
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="afterwards")

    def look(
        self, check: CheckId, pictures: Sequence[Picture], seen: Seen, inputs: ReceiptInputs
    ) -> None:
        """Have the faces of a check's pictures searched for, soon.

        Args:
            check: A kept check that was answered without a search.
            pictures: Its pictures, with their faces found; nobody else may work on them any more.
            seen: Who was named in the words; her box is closed now, too.
            inputs: What for, and who asked.
        """
        pixels = sum(
            view.shape[0] * view.shape[1]
            for picture in pictures
            if picture.image is not None
            for view in picture.image.views
        )
        with self._guard:
            is_full = len(self._waiting) >= self._max_waiting
            if is_full or (self._waiting and self._pixels + pixels > MAX_PIXELS):
                self.left_out += 1
                _LOG.warning(
                    "too much waits to be searched for: whom a refused request was about was not "
                    "looked for (%d such requests since the start)",
                    self.left_out,
                )
                return
            self._pixels += pixels
            job = self._worker.submit(self._look, check, pictures, seen, inputs)
            self._waiting.add(job)
        job.add_done_callback(lambda done: self._let_go(done, pixels))

    def finish(self, *, grace_s: float | None = None) -> None:
        """Return when all that waits now has been searched, at the latest after ``grace_s``."""
        with self._guard:
            waiting = set(self._waiting)
        wait(waiting, timeout=grace_s)

    def close(self, *, grace_s: float = CLOSING_GRACE_S) -> None:
        """Search what waits, as far as the grace goes, and end. Nothing is searched any more."""
        self.finish(grace_s=grace_s)
        self._worker.shutdown(wait=True, cancel_futures=True)

    def _let_go(self, done: Future[None], pixels: int) -> None:
        with self._guard:
            self._waiting.discard(done)
            self._pixels -= pixels

    def _look(
        self, check: CheckId, pictures: Sequence[Picture], seen: Seen, inputs: ReceiptInputs
    ) -> None:
        try:
            found = self._search(pictures, lambda _probes: {}, mirrored=True)
            stored = self._receipts.get(check)
            subjects = seen_in(found.images, tuple(seen.subjects))
            sighting = seen.sighting(
                check, stored.issued_at, inputs, stored.verdict, stored.reasons
            )
            # Also when nobody was found: a box that stays as it was would tell that.
            self._sightings.replace(check, self._seal(sighting, subjects))
        except ConsentryError as cause:
            # Nobody waits for it, and the verdict was given: what is lost is said in the log.
            _LOG.warning("whom a refused request was about could not be noted: %s", cause)
