"""Answer over HTTP as OpenAI does: six agents on one base, the right adapter under each.

A question's way: `guard` (who may ask) -> `wire` (what was asked) -> `desk` (which agent, which
tools, which tokens) -> `scheduler` (its turn on the speaker) -> `wire` again.
"""
