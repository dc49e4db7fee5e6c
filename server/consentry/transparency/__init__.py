"""What others can verify: signed receipts of verdicts, and the log that nobody can rewrite.

receipts      signing and verifying verdicts (docs/specs/receipt.md)
signing_key   an Ed25519 key of an installation, and its file
jwks          its public half, as a JSON Web Key Set

entries       what stands in the log; canonical: its one spelling (docs/specs/log-entry.md)
tree, tiles   RFC 6962 hashes and proofs; the files of 256 that anybody can compute them from
notes         signed notes and cosignatures; checkpoints: the signed head of a log
policy        which logs and witnesses are believed; proofs: one entry, proved in one text
"""
