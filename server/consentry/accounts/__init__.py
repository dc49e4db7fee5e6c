"""Who is calling: bearer tokens with scopes, dashboard sessions, pairing of a browser extension.

principals  a caller and how far it reaches
ports       what tokens ask of a store
tokens      bearer tokens: shown once, kept as a digest
sessions    dashboard sessions, in memory, opened by a one-time secret
pairing     the code that is typed into the extension, and the companion's pinned key
budgets     how often somebody may guess
"""
