"""The one decision path: may this image, with this prompt, be used in this way?

check    `CheckImages`: every door's question, and its signed answer
output   `CheckOutput`: what a generator has made, before anybody gets it
results  the same for those who are not behind the gateway
grounds  what a request was allowed on, for its result
repeats  the same answer again, for a retry
mine     the checks that somebody's face or name mattered in
digests  those that came close upon one another, as one
look     the faces of a picture: boxes and quality, never who
ports    what this room asks of a store
"""
