"""Keys and sealed templates: what makes a stolen database match nobody.

    passphrase --Argon2id--> root key --AES-KW--> epoch keys --AES-KW--> one data key a subject
                                                                           --AES-GCM--> templates,
                                                                           names

passphrase  what a passphrase is, and which are too weak
rootkey     passphrase to root key (Argon2id and its bounds); the `RootKeySource` port
header      the vault header: root key to epoch keys (docs/specs/vault-header.md)
keys        data keys, the key ring that exists while the vault is unlocked, values of the home
custody     create, unlock, lock, idle lock, change of passphrase, rotation
envelope    sealed templates and texts (docs/specs/sealed-template.md)
transform   the cancelable transform that every vector passes before it enters a gallery
backup      a sealed backup file (docs/specs/sealed-backup.md)

Choices: docs/adr/0005-key-hierarchy.md, docs/adr/0006-sealed-template-v1.md.
"""
