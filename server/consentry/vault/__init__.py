"""Keys and sealed templates: what makes a stolen database match nobody.

    passphrase --Argon2id--> root key --AES-KW--> epoch keys --AES-KW--> one data key a subject
                                                                           --AES-GCM--> templates,
                                                                           names

    passphrase.py   what a passphrase is, and which are too weak
    rootkey.py      passphrase -> root key (Argon2id and its bounds); the `RootKeySource` port
    header.py       the vault header: root key -> epoch keys (docs/specs/vault-header.md)
    keys.py         data keys, the key ring that exists while the vault is unlocked, home-level
    values custody.py      create, unlock, lock, idle lock, change of passphrase, rotation
    envelope.py     sealed templates and texts (docs/specs/sealed-template.md) transform.py    the
    cancelable transform that every vector passes before it enters a gallery backup.py       a
    sealed backup file (docs/specs/sealed-backup.md)

Choices: docs/adr/0005-key-hierarchy.md, docs/adr/0006-sealed-template-v1.md.
"""
