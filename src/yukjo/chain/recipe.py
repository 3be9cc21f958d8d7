"""Write the summaries that a second stage learns from: one of the project's phrasings, filled in.

1. A summary says what the reading holds right and nothing else; in the place of a field that is
   missing, malformed or wrong stands `확인 필요`. So inventing is never taught, nor is passing an
   error on.
2. Which phrasing a case gets follows from the seed and the case alone.
"""

import zlib
from collections.abc import Mapping

from yukjo.chain.facts import Fields, fact, facts_of, parse
from yukjo.config.models import ChainConfig
from yukjo.korean.particles import attach
from yukjo.records import Sample

UNKNOWN = "확인 필요"


def summary_sample(
    case: Sample, reading: str, *, role: str, config: ChainConfig, seed: int
) -> Sample:
    """What the second stage is asked of a case read as `reading`, and what it should answer.

    `case` is a sample of the first stage, its output the true analysis.
    """
    return Sample(
        instruction=config.instruction,
        input=reading,
        output=summary(case, reading, config=config, seed=seed),
        agent_type=role,
        id=case.name,
        topic=case.topic,
        source=case.source,
        license=case.license,
    )


def summary(case: Sample, reading: str, *, config: ChainConfig, seed: int) -> str:
    """The summary of `reading` that says only what is true of the case."""
    values = _held(case.output, reading, fields=config.fields)
    place = zlib.crc32(f"{seed}/{case.hash}".encode()) % len(config.phrasings)
    return attach(config.phrasings[place].format(**values))


def _held(truth: str, reading: str, *, fields: Fields) -> Mapping[str, str]:
    """The values of the reading that are right, as it writes them."""
    known, written = facts_of(truth, fields), parse(reading, fields)
    return {
        field: value if known[field] and fact(kind, value) == known[field] else UNKNOWN
        for field, kind in fields.items()
        for value in (written[field],)
    }
