"""Bytes to pixels, safely: `formats.sniff`, `limits.Limits`, `decoding.decode` are the way in.

bytes --sniff--> format --containers.<format>.outline--> sizes, counts, the parts that carry pixels
      --limits--> (refused here, before any pixel is decoded)
      --decoding--> frames --views--> every way in which a tool might show them
"""
