"""The ledger for people: a page of one run, and its table for the terminal."""
