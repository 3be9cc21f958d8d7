"""Leaves that answer: llama.cpp in this process, and a vLLM server."""
