"""The torch leaf: one frozen base with many adapters, that trains them and answers with them.

It is the reference for every other engine: plain transformers modules, with the linear layers,
the attention of a pack and the head's cross entropy swapped for ours.
"""
