"""1:N search over references. Knows vectors and ids, not people or files.

index  what every index promises: `TemplateIndex`
flat   exact search with numpy, the oracle for any other
"""
