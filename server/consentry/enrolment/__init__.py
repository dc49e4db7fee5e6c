"""Becoming, changing and ceasing to be a protected subject.

enrol       photos to sealed templates
people      who is enrolled, revoking one, erasing all with the vault, proving to be the one who asks
policies    what is protected, chosen anew
aliases     protected names: sealed, and found in words while unlocked
contests    two who claim one face
keys        data keys of the enrolled, for other rooms
references  the gallery of this home: in memory while unlocked, in step with the store
rotation    a new epoch key
backups     everything enrolled as one sealed file, and back
ports       what this room asks of a store
"""
