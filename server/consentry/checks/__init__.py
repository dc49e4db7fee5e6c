"""The one decision path: may this image, with this prompt, be used in this way?"""
