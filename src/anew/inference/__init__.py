"""Trained networks through ONNX Runtime: no torch, no network access, no pickled code."""
