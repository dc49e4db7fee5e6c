"""Becoming, changing and ceasing to be a protected subject.

enrol       photos to sealed templates
people      who is enrolled, revoking one, erasing all with the vault, proving to be the one who asks
references  the gallery of this home: in memory while unlocked, in step with the store
rotation    a new epoch key
backups     everything enrolled as one sealed file, and back
ports       what this room asks of a store
"""
