"""What others can verify. Today: signed receipts of verdicts (docs/specs/receipt.md).

signing_key  the Ed25519 key of an installation, and its file
jwks         the public half, as a JSON Web Key Set
receipts     signing and verifying
"""
