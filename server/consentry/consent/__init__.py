"""May this be done? Policies of the enrolled, the laws, and the decision: pure functions, no I/O.

findings    what was seen in the pictures, and how far the search got
request     who asks for what, through which door
decision    the laws, `settle_before_search()` and `decide()`
explanation a decision in plain English, for the person or for the platform
"""
