"""Leaves that train. Each stands behind `yukjo.ports.Trainer` and imports its heavy library."""
