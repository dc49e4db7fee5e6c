"""Becoming, changing and ceasing to be a protected subject."""
