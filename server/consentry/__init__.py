"""Consentry: consent protection for faces."""

__version__ = "0.1.0"
