"""A grant as a consent record in the structure of ISO/IEC TS 27560:2023 (docs/specs/consent-record.md).

    header               which record, of whom
    pii_processing       what for, what of hers, where, until when, how to withdraw
    party_identification who keeps the record, who may use what was agreed to
    events               what happened when

What nobody here knows, such as where a platform stores what it makes, is left out and not made up.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from consentry.api.wire import Outbound
from consentry.grants.grants import GivenGrant
from consentry.kernel.taxonomy import IntentCategory, Purpose

SCHEMA_VERSION = "ISO/IEC TS 27560:2023"
WITHDRAWAL = (
    "At any time, at once and without giving a reason: consentry grant revoke RECORD_ID, the page "
    "Consent of the dashboard, or DELETE /v1/grants/RECORD_ID."
)
_PURPOSES = {
    Purpose.EDIT: "Change pictures of her.",
    Purpose.INTIMATE: "Make intimate pictures of her.",
    Purpose.FACE_SWAP: "Put her face on other pictures, or other faces on hers.",
    Purpose.IMPERSONATION: "Make what seems to be said or done by her.",
    Purpose.TRAINING: "Train a model on pictures of her.",
    Purpose.VIDEO: "Make videos of her.",
}


class HeaderOut(Outbound):
    """Which record, of whom."""

    schema_version: str
    record_id: str = Field(description="The identifier of the grant.")
    pii_principal_id: str = Field(description="Her opaque identifier in this installation.")


class PiiInformationOut(Outbound):
    """What of hers is concerned."""

    pii_type: str
    special_pii_category: bool = Field(description="Whether the law gives it special protection.")


class RecordPurposeOut(Outbound):
    """One purpose that she agreed to."""

    purpose: Purpose
    purpose_description: str
    lawful_basis: Literal["consent"] = "consent"
    pii_information: list[PiiInformationOut]
    processing_method: list[IntentCategory] = Field(description="What may be asked for in words.")
    pii_controllers: list[str] = Field(description="Party identifiers; empty for any platform.")
    geographic_restrictions: list[str] | None = Field(
        description="ISO 3166 codes where it holds; null for none."
    )
    withdrawal_method: str


class PiiProcessingOut(Outbound):
    """What she agreed to."""

    privacy_notice: str = Field(description="Where she was told what a grant means.")
    language: Literal["en"] = "en"
    purposes: list[RecordPurposeOut]


class PartyOut(Outbound):
    """Somebody who plays a part."""

    party_id: str
    party_role: Literal["consent record keeper", "PII controller"]


class EventOut(Outbound):
    """Something that happened."""

    event_time: datetime
    validity_from: datetime
    validity_until: datetime | None = Field(description="Excluded; null until it is withdrawn.")
    uses_left: int | None
    entity_id: str = Field(description="Who did it.")
    event_type: Literal["explicit consent"] = "explicit consent"
    event_state: Literal["given", "expired", "used up"]


class ConsentRecordOut(Outbound):
    """One record."""

    header: HeaderOut
    pii_processing: PiiProcessingOut
    party_identification: list[PartyOut]
    events: list[EventOut]


class ConsentRecordsOut(Outbound):
    """The records of all grants that are there. What was withdrawn is destroyed, and so is its record."""

    format: Literal["consentry.consent-records/1"] = "consentry.consent-records/1"
    records: list[ConsentRecordOut]


def record_of(given: GivenGrant, *, issuer: str, now: datetime) -> ConsentRecordOut:
    """Return the record of a grant.

    Args:
        given: The grant, and when it was given.
        issuer: This installation, as its receipts name it.
        now: UTC; tells whether the grant has lapsed.
    """
    grant = given.grant
    controllers = [] if grant.platform is None else [grant.platform]
    purposes = [
        RecordPurposeOut(
            purpose=purpose,
            purpose_description=_PURPOSES[purpose],
            pii_information=[
                PiiInformationOut(pii_type="picture of her face", special_pii_category=False)
            ],
            processing_method=sorted(grant.categories),
            pii_controllers=controllers,
            geographic_restrictions=None if grant.regions is None else sorted(grant.regions),
            withdrawal_method=WITHDRAWAL,
        )
        for purpose in sorted(grant.purposes)
    ]
    return ConsentRecordOut(
        header=HeaderOut(
            schema_version=SCHEMA_VERSION,
            record_id=grant.grant,
            pii_principal_id=grant.subject,
        ),
        pii_processing=PiiProcessingOut(privacy_notice="docs/grants.md", purposes=purposes),
        party_identification=[
            PartyOut(party_id=issuer, party_role="consent record keeper"),
            *(PartyOut(party_id=each, party_role="PII controller") for each in controllers),
        ],
        events=[
            EventOut(
                event_time=given.given_at,
                validity_from=grant.valid_from,
                validity_until=grant.valid_until,
                uses_left=grant.uses_left,
                entity_id=grant.subject,
                event_state=_state(given, now),
            )
        ],
    )


def _state(given: GivenGrant, now: datetime) -> Literal["given", "expired", "used up"]:
    if given.grant.uses_left == 0:
        return "used up"
    until = given.grant.valid_until
    return "expired" if until is not None and until <= now else "given"
