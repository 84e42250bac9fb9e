"""Compiled inner loops, each readable beside the paper that it comes from."""
