"""The one decision path: may this image, with this prompt, be used in this way?

check  `CheckImages`: every door's question, and its signed answer
look   the faces of a picture: boxes and quality, never who
ports  what this room asks of a store
"""
