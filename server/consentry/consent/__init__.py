"""May this be done? Policies of the enrolled, the laws, and the decision: pure functions, no I/O.

authority    what the enrolled have said yes to: grants, and tokens that were shown
findings     what was seen in the pictures, and how far the search got
request      who asks for what, through which door
decision     the laws, `settle_before_search()` and `decide()`
jurisdiction what a region's law adds, from data files that can only tighten
explanation  a decision in plain English, for the person, a platform or an auditor
"""
