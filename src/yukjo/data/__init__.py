"""From lines of a file to examples: check, read, count, plan, split, render, pack."""
