"""The only room that calls out to servers of others: pictures by URL, and nothing yet besides."""
