"""From the weight files that packages publish to ONNX. Needs the packages of ``consentry[models]``.

The same weights always give the same bytes, whatever the machine: nothing here but element-wise
float32 arithmetic, and a file that is written field by field.
"""
