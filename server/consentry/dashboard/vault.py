"""The passphrase: setting, unlocking, locking, changing; and backups, which open with it."""

from __future__ import annotations

from fastapi import Response

from consentry.dashboard.visit import Route, Visit, go
from consentry.dashboard.words import NOTICES
from consentry.enrolment.backups import BackupKind
from consentry.kernel.errors import BadRequest
from consentry.vault.backup_keys import read_key_file
from consentry.vault.custody import VaultState
from consentry.vault.passphrase import MIN_CHARACTERS, Passphrase


def show_start(visit: Visit) -> Response:
    """First visit: explain what is kept, and ask for a passphrase."""
    if visit.problem is None and visit.state is not VaultState.ABSENT:
        return go("/")
    return visit.page(
        "start.html", min_characters=MIN_CHARACTERS, notice=NOTICES.get(visit.query.get("done", ""))
    )


def start(visit: Visit) -> Response:
    """Create the vault."""
    visit.services.custody.create(_new_passphrase(visit))
    return go("/enrol?done=created")


def show_unlock(visit: Visit) -> Response:
    """Ask for the passphrase."""
    if visit.problem is None and visit.state is VaultState.ABSENT:
        return go("/start")
    if visit.problem is None and visit.state is VaultState.UNLOCKED:
        return go("/")
    return visit.page("unlock.html", notice=NOTICES.get(visit.query.get("done", "")))


def unlock(visit: Visit) -> Response:
    """Bring the keys into memory."""
    visit.services.custody.unlock(Passphrase(visit.form.text("passphrase")))
    return go("/")


def lock(visit: Visit) -> Response:
    """Destroy the keys in memory."""
    visit.services.custody.lock()
    return go("/")


def show_settings(visit: Visit) -> Response:
    """Show everything that can be set or taken away."""
    if visit.problem is None and visit.state is VaultState.ABSENT:
        return go("/start")
    return visit.page(
        "settings.html",
        min_characters=MIN_CHARACTERS,
        notice=NOTICES.get(visit.query.get("done", "")),
    )


def change_passphrase(visit: Visit) -> Response:
    """Wrap the same keys under a new passphrase."""
    old = Passphrase(visit.form.text("passphrase"))
    visit.services.custody.change_passphrase(old, _new_passphrase(visit))
    return go("/settings?done=passphrase")


def export(visit: Visit) -> Response:
    """Send the sealed backup, or the key file that goes with it, as a download."""
    passphrase = Passphrase(visit.form.text("passphrase"))
    if visit.form.text("what") == "keys":
        return Response(
            visit.services.export_backup.key_file(passphrase),
            media_type="text/plain",
            headers={"content-disposition": 'attachment; filename="consentry-backup.keys"'},
        )
    kind = BackupKind.WHOLE if visit.form.text("what") == "whole" else BackupKind.APART
    sealed = visit.services.export_backup(passphrase, kind)
    return Response(
        sealed,
        media_type="application/octet-stream",
        headers={"content-disposition": 'attachment; filename="consentry-backup.sealed"'},
    )


def show_restore(visit: Visit) -> Response:
    """Ask for a backup and its passphrase."""
    return visit.page("restore.html", is_possible=visit.state is VaultState.ABSENT)


def restore(visit: Visit) -> Response:
    """Put a backup into this home, which has no vault yet."""
    files = visit.form.files("backup")
    if len(files) != 1:
        raise BadRequest("Choose the one backup file that you exported earlier.")
    keys = [key for file in visit.form.files("keys") for key in read_key_file(file)]
    visit.services.restore_backup(files[0], Passphrase(visit.form.text("passphrase")), keys)
    return go("/?done=restored")


def _new_passphrase(visit: Visit) -> Passphrase:
    chosen = visit.form.text("new_passphrase")
    if chosen != visit.form.text("repeated"):
        raise BadRequest("The two passphrases are not the same. Type both again.")
    return Passphrase(chosen)


ROUTES = (
    Route(method="GET", path="/start", answer=show_start),
    Route(method="POST", path="/start", answer=start, again=show_start),
    Route(method="GET", path="/unlock", answer=show_unlock),
    Route(method="POST", path="/unlock", answer=unlock, again=show_unlock),
    Route(method="POST", path="/lock", answer=lock),
    Route(method="GET", path="/settings", answer=show_settings),
    Route(
        method="POST", path="/settings/passphrase", answer=change_passphrase, again=show_settings
    ),
    Route(method="POST", path="/settings/backup", answer=export, again=show_settings),
    Route(method="GET", path="/restore", answer=show_restore),
    Route(method="POST", path="/restore", answer=restore, again=show_restore),
)
