from __future__ import annotations

import dataclasses
import json
from datetime import date

import jwt
import pytest
from consentry.kernel.errors import ReceiptInvalid
from consentry.kernel.ids import SubjectId
from consentry.transparency.entries import (
    SubjectChange,
    SubjectEntry,
    Versions,
    VersionsEntry,
    encode_entry,
    subject_change,
)
from consentry.transparency.erasure import (
    ERASURE_TYPE,
    Destroyed,
    ErasedEntry,
    ErasureScope,
    ErasureSigner,
    require_about,
    verify_erasure,
)
from consentry.transparency.jwks import thumbprint, to_jwks
from consentry.transparency.jws import claimed
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fakes.manual_clock import ManualClock

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEYS = to_jwks([KEY.public_key()])
SIGNER = ErasureSigner(private_key=KEY, issuer="urn:test", clock=ManualClock())


def erased(name: str, change: SubjectChange = SubjectChange.REVOKED) -> ErasedEntry:
    subject, salt = SubjectId(f"sub_{name}"), name.encode().ljust(32, b".")
    commitment = subject_change(change, subject, salt).commit("change")
    entry = encode_entry(SubjectEntry(day=date(2026, 11, 22), change=commitment))
    return ErasedEntry(subject=subject, entry=entry, salt=salt)


def destroyed(*entries: ErasedEntry) -> Destroyed:
    return Destroyed(counts={"templates": 3, "subjects": 1}, entries=entries, log="log.example/1")


def forged(typ: str = ERASURE_TYPE, **changes: object) -> str:
    signed = SIGNER.sign(ErasureScope.PERSON, destroyed(erased("ada")))
    claims = {**claimed(signed.jws), **changes}
    claims = {name: value for name, value in claims.items() if value != "gone"}
    headers = {"typ": typ, "kid": thumbprint(KEY.public_key())}
    return jwt.PyJWS().encode(json.dumps(claims).encode(), KEY, algorithm="EdDSA", headers=headers)


def test_a_receipt_says_what_was_destroyed_and_when():
    signed = SIGNER.sign(ErasureScope.PERSON, destroyed(erased("ada")))

    claims = verify_erasure(signed.jws, KEYS)

    assert dict(claims.destroyed) == {"templates": 3, "subjects": 1}
    assert (claims.scope, claims.people, claims.log) == (ErasureScope.PERSON, 1, "log.example/1")
    assert claims.erased_at == ManualClock().now().replace(microsecond=0)
    assert claims.erasure == signed.erasure


def test_a_receipt_does_not_say_who_was_erased():
    ada = erased("ada")
    payload = json.dumps(claimed(SIGNER.sign(ErasureScope.PERSON, destroyed(ada)).jws))

    assert "sub_" not in payload
    assert ada.salt.decode() not in payload


def test_with_its_entries_a_receipt_is_about_the_person_that_they_name():
    entries = [erased("ada"), erased("eve")]
    claims = verify_erasure(SIGNER.sign(ErasureScope.HOME, destroyed(*entries)).jws, KEYS)

    require_about(claims, list(reversed(entries)))


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [erased("eve")],
        [erased("ada"), erased("ada")],
        [dataclasses.replace(erased("ada"), subject=SubjectId("sub_eve"))],
        [dataclasses.replace(erased("ada"), salt=bytes(32))],
        [dataclasses.replace(erased("ada"), entry=b"{}")],
    ],
    ids=["none", "another", "twice", "another subject", "another salt", "no entry"],
)
def test_it_is_about_nobody_else(entries):
    claims = verify_erasure(SIGNER.sign(ErasureScope.PERSON, destroyed(erased("ada"))).jws, KEYS)

    with pytest.raises(ReceiptInvalid):
        require_about(claims, entries)


def test_an_entry_that_records_something_else_is_no_erasure():
    versions = Versions(program="1", policy="p", engines={}, models={})
    other = encode_entry(VersionsEntry(day=date(2026, 11, 22), versions=versions))
    for entry in (
        erased("ada", SubjectChange.ENROLLED),
        dataclasses.replace(erased("ada"), entry=other),
    ):
        claims = verify_erasure(SIGNER.sign(ErasureScope.PERSON, destroyed(entry)).jws, KEYS)
        with pytest.raises(ReceiptInvalid):
            require_about(claims, [entry])


@pytest.mark.parametrize(
    "changes",
    [
        {"people": "gone"},
        {"more": 1},
        {"scope": "town"},
        {"people": True},
        {"people": -1},
        {"people": 1.0},
        {"iat": 10**30},
        {"destroyed": []},
        {"destroyed": {"keys": -1}},
        {"entries": "AAAA"},
        {"entries": ""},
        {"log": ""},
        {"iss": None},
    ],
    ids=str,
)
def test_a_signed_receipt_of_another_form_is_refused(changes):
    with pytest.raises(ReceiptInvalid):
        verify_erasure(forged(**changes), KEYS)


def test_the_receipt_of_a_check_is_no_receipt_of_an_erasure():
    with pytest.raises(ReceiptInvalid):
        verify_erasure(forged(typ="consentry-receipt+jwt"), KEYS)


def test_another_key_proves_nothing():
    stranger = to_jwks([Ed25519PrivateKey.generate().public_key()])

    with pytest.raises(ReceiptInvalid):
        verify_erasure(forged(), stranger)


def test_a_home_without_a_log_names_none():
    nowhere = dataclasses.replace(destroyed(erased("ada")), log=None)

    assert verify_erasure(SIGNER.sign(ErasureScope.PERSON, nowhere).jws, KEYS).log is None
