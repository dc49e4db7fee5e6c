"""The dialect of xAI, at ``/xai/v1``: its REST API. Its gRPC API is `consentry.gateway.xai_grpc`.

dialect   which routes there are, and what each is
images    generations and edits
refusals  refusals as this API's users know them
"""
