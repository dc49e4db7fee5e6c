"""Durable state in one SQLite file: the only SQL. Holds sealed templates, never plain ones.

    Database.open(path) --> SqlSubjectStore, SqlReceiptStore, SqlHeaderStore, SqlTokenStore,
                            SqlHomeStore
                            (each implements a port of the room that uses it)

Why it is set up as it is: docs/adr/0004-sqlite-full-sync.md.
"""
