"""The `consentry` command. Every command is: connect to the API, unlock when needed, ask, print."""
