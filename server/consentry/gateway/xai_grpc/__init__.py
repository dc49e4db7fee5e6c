"""The dialect of xAI's gRPC API, which the client ``xai-sdk`` speaks (docs/adr/0036-grpc-door.md).

dialect        which methods there are, and what each is
messages       what is known of their messages
conversations  chats
answers        pictures in what comes back
refusals       refusals as users of this API know them
"""
