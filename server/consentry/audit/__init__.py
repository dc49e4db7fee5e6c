"""What outsiders verify: a whole log from any old head, and the figures that are recomputed from it.

    source (home, URL, folder) --examine--> findings + counts --figures--> JSON, CSV, report, plot
                                                                 recompute: the same figures again

Specified in docs/specs/audit-export.md; for auditors: docs/audit.md.
"""
