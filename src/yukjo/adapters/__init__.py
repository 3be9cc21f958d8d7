"""Adapters as things to keep: stored by content hash, matched to their base, proved to act."""
