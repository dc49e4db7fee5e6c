"""What a person may ask of whoever keeps something about her: what, how long, a copy, and its end.

inventory   everything that is kept: the one source of docs/privacy.md
periods     how long, as far as it can be chosen
retention   deleting what is due
holds       a law or a court forbids to delete records; never biometrics
export      a copy of all that is about one person, opened with her own key
"""
