"""Measure answers before and after tuning; pure, never writes."""

from yukjo.evaluate.conformance import conformance
from yukjo.evaluate.raw import Raw, RawCase
from yukjo.evaluate.tasks import ALL, evaluate

__all__ = ["ALL", "Raw", "RawCase", "conformance", "evaluate"]
