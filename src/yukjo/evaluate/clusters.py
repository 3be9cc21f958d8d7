"""Which test cases go together: those about one document are not independent of each other."""

from typing import Literal

from yukjo.files import hash_json
from yukjo.records import Sample

Together = Literal["material", "source", "case"]


def cluster_of(sample: Sample, together: Together) -> str:
    """The cluster of a case; a case with nothing to go by stands alone.

    `material` is the images the request came with, or else its text, letter by letter; `source` the
    document that the sample names, which only helps where it names one and not an origin that all
    samples share.
    """
    seen = [image.sha256 for image in sample.images]
    shared = {"material": seen or sample.input, "source": sample.source, "case": None}[together]
    return hash_json([together, shared]) if shared else sample.hash
