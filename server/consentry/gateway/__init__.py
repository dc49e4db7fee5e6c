"""In front of generators: speaks their own API, and lets through only what a check allows.

exchange   requests and answers, as bytes that are handed on
request    what a dialect reads out of a request: pictures and words
dialect    what a dialect has to know
ports      what the gate asks of others
gate       the one way of every request: read, check, forward, check what comes back
openai/    the dialect of OpenAI
"""
