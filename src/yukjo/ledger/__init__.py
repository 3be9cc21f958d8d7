"""The record of what was run: append-only, chained by hash, read by everything that reports."""
