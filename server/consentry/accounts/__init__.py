"""Who is calling: bearer tokens and API keys with scopes, dashboard sessions, pairing of a browser extension.

principals  a caller and how far it reaches
ports       what tokens, keys and budgets ask of a store
tokens      bearer tokens of the owner's own programs: shown once, kept as a digest
keys        API keys of platforms: the same, with rotation and a budget of faces
sessions    dashboard sessions, in memory, opened by a one-time secret
pairing     the code that is typed into the extension, and the companion's pinned key
budgets     how often somebody may guess, how many faces a platform may have searched for
"""
