"""In front of generators: speaks their own API, and lets through only what a check allows.

exchange   requests and answers, as bytes that are handed on
request    what a dialect reads out of a request: pictures and words
dialect    what a dialect has to know
ports      what the gate asks of others
pinning    the picture that was checked, in place of its address
gate       the one way of every request: read, check, forward, check what comes back
openai/    the dialect of OpenAI
protobuf   messages of gRPC, read strictly
xai/       the dialect of xAI
xai_grpc/  the dialect of its gRPC API
configured/  any JSON API that a file describes
"""
