"""Write the summaries that a second stage learns from: one of the project's phrasings, filled in.

1. A summary says what the reading holds and nothing else; in the place of a field that shows itself
   to be wrong (missing, no date, no amount, an unknown name, a number of another form) stands
   `확인 필요`. So what is taught can be learned from the reading alone, and inventing never is.
2. Which phrasing a case gets follows from the seed and the case alone.
"""

import zlib
from collections.abc import Collection, Mapping

from yukjo.chain.facts import fact, parse, shape
from yukjo.config.models import ChainConfig, FieldKind
from yukjo.korean.particles import attach
from yukjo.records import Sample

UNKNOWN = "확인 필요"

Names = Mapping[str, Collection[str]]
"""Field of names -> the names known for it, in their one form."""


def summary_sample(
    case: Sample, reading: str, *, role: str, config: ChainConfig, names: Names, seed: int
) -> Sample:
    """What the second stage is asked of a case read as `reading`, and what it should answer.

    `case` is a sample of the first stage, its output the true analysis; `names` are those known
    for each field of names.
    """
    return Sample(
        instruction=config.instruction,
        input=reading,
        output=summary(case, reading, config=config, names=names, seed=seed),
        agent_type=role,
        id=case.name,
        topic=case.topic,
        source=case.source,
        license=case.license,
    )


def summary(case: Sample, reading: str, *, config: ChainConfig, names: Names, seed: int) -> str:
    """The summary of `reading`; the true analysis of the case says what form its numbers have."""
    known, written = (parse(text, config.fields) for text in (case.output, reading))
    values = {
        field: value if _is_sound(kind, value, known[field], names.get(field)) else UNKNOWN
        for field, kind in config.fields.items()
        for value in (written[field],)
    }
    place = zlib.crc32(f"{seed}/{case.hash}".encode()) % len(config.phrasings)
    return attach(config.phrasings[place].format(**values))


def _is_sound(kind: FieldKind, value: str, true: str, names: Collection[str] | None) -> bool:
    """Whether a value could be right, for all that a reading shows."""
    found = fact(kind, value)
    if kind == "code":
        return shape(found) == shape(fact(kind, true))
    return bool(found) and (names is None or found in names)
