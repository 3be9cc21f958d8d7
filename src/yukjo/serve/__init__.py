"""Serving: the adapter cache, the queue in front of it, the tools, and the HTTP API."""
