"""Yukjo (육조): tune many LoRA adapters on one base model, prove each got better, run them all."""

from importlib.metadata import version

__version__ = version("yukjo")
