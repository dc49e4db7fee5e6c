"""One module a container: what its header promises, where it ends, which parts carry pixels.

Each ``outline`` reads structure only. It decodes no pixel, inflates nothing, and its work is
bounded by the number of bytes. What it hands on is the picture without text, profiles, thumbnails
and trailers, so that a decoder cannot stumble over parts that no picture needs, and so that the
picture which is checked is the one that other software shows.
"""
