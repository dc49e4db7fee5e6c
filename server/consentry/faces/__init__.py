"""Pixels to embeddings: detect, align, embed, judge quality, and the curves that justify thresholds.

pixels -> detect -> align -> embed -> (embedding, quality) for each face
"""
