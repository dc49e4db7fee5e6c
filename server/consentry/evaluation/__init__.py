"""How often it errs: error rates of the face models on a folder of labelled photos, and where thresholds come from.

folder -> labels -> observations (kept in a work folder, so that a run can go on)
    -> comparisons -> rates -> report.md, report.json, plots, operating points
"""
