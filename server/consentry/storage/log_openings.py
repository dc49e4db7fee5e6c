"""Opening, for an auditor, what entries of verdicts commit to. What was erased stays closed."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from consentry.audit.openings import OpenedValue
from consentry.kernel.errors import StorageFailed
from consentry.storage.log_view import SqlLogView
from consentry.transparency import canonical
from consentry.transparency.entries import Opening

_AT_A_TIME = 4096


def opened_values(view: SqlLogView, names: Collection[str]) -> Iterator[OpenedValue]:
    """Return the values of these names, each with the salt that opens it and no other.

    Args:
        view: A look at the log.
        names: Of ``audit.openings.OPENABLE``. Who and what of a change is never opened here.
    """
    after = -1
    while rows := view.run(
        "SELECT leaf, opened, salt FROM log_openings WHERE leaf > ? ORDER BY leaf LIMIT ?",
        (after, _AT_A_TIME),
    ):
        for leaf, opened, salt in rows:
            if not (isinstance(leaf, int) and isinstance(salt, bytes)):
                raise StorageFailed("What opens an entry is damaged. Put a sound copy back.")
            after = leaf
            values = {k: str(v) for k, v in canonical.decode(str(opened).encode()).items()}
            opening = Opening(salt=salt, values=values)
            for name in sorted(values.keys() & set(names)):
                yield OpenedValue(
                    index=leaf, name=name, value=values[name], salt=opening.salt_of(name)
                )
