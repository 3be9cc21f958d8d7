"""Training as decisions: what to do at each step, when to look, when to keep, when to stop.

Never sees a tensor: a `Trainer` takes the steps.
"""
