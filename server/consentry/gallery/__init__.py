"""1:N search over references. Knows vectors and ids, not people or files."""
