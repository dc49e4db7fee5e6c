"""Words that every room shares: identifiers, value types, the error tree, the clock. Imports nothing of ours."""
