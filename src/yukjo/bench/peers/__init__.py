"""A script a system, run by that system's own interpreter as `python -m peers.NAME TASK`.

Yukjo isn't importable there: the task comes as JSON, the outcome goes as one line of JSON.
"""
