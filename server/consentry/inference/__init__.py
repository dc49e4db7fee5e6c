"""ONNX models: which files there are, how they are built, and the sessions that run them.

The only room that imports onnxruntime. Faces, chips and thresholds mean nothing here: tensors go
in, tensors come out.
"""
