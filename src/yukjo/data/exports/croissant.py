"""Croissant 1.1 metadata of data files: JSON-LD, by the MLCommons specification of 2025-12-10.

http://mlcommons.org/croissant/1.1 asks of a set its name, description, licence, address, creator
and day of publication, and of each file its place and format; size and SHA-256 are ours to give.

1. `version` is the set's own version with its content hash as build metadata (Semantic
   Versioning 2.0.0, section 10).
2. Counts stand as annotations with a constant value, which is how 1.1 describes statistics.
"""

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

from yukjo.data.exports import refuse_images
from yukjo.data.versions import version
from yukjo.errors import DataError
from yukjo.files import sha256_file
from yukjo.records import Sample
from yukjo.words import say

CONFORMS_TO = "http://mlcommons.org/croissant/1.1"

FIELDS: Mapping[str, str] = {
    "id": "The sample's own name.",
    "instruction": "What is asked.",
    "input": "Material that the answer rests on; may be empty.",
    "output": "The answer to learn.",
    "agent_type": "The agent that is asked.",
    "difficulty": "쉬움, 보통 or 어려움.",
    "topic": "What it is about.",
    "exception": "Kind of exception, where the case is one.",
    "source": "Where the text comes from.",
    "license": "Licence of the line.",
    "messages": "Earlier turns, each with role and content.",
}
"""Of a line -> what it holds."""

_ADDRESSES = {
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC-BY-SA-4.0": "https://creativecommons.org/licenses/by-sa/4.0/",
    "CC-BY-NC-4.0": "https://creativecommons.org/licenses/by-nc/4.0/",
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "Apache-2.0": "https://www.apache.org/licenses/LICENSE-2.0",
    "MIT": "https://opensource.org/license/mit",
}
"""Names of licences (SPDX) -> addresses, which the specification prefers."""

_ALIASES = (
    "annotation", "arrayShape", "citeAs", "column", "containedIn", "equivalentProperty",
    "excludes", "extract", "field", "fileProperty", "fileObject", "fileSet", "format", "includes",
    "isArray", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "recordSet",
    "references", "regex", "readLines", "sdVersion", "separator", "source", "subField",
    "transform", "unArchive", "value",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class About:
    """What a person has to say of a set."""

    name: str
    description: str
    url: str
    creator: str
    published: date
    version: str = "1.0.0"


def croissant(files: Mapping[Path, Sequence[Sample]], about: About, *, out: Path) -> dict[str, Any]:
    """The description of files and the samples in each; their places are given from `out` on."""
    samples = [sample for held in files.values() for sample in held]
    if bare := [sample.name for sample in samples if not sample.license]:
        raise DataError(
            say("not every sample names its licence"),
            where=", ".join(bare[:5]),
            fix=say("write `license` on every line"),
        )
    refuse_images(samples)
    objects = {file: _file(file, out) for file in files}
    return {
        "@context": context(),
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": about.name,
        "description": about.description,
        "license": [_ADDRESSES.get(name, name)
                    for name in sorted({sample.license for sample in samples if sample.license})],
        "url": about.url,
        "creator": {"@type": "sc:Organization", "name": about.creator},
        "datePublished": about.published.isoformat(),
        "version": f"{about.version}+{version(samples)[:16]}",
        "inLanguage": "ko",
        "distribution": list(objects.values()),
        "recordSet": [_records(objects[file]["@id"], held) for file, held in files.items()],
    }  # fmt: skip


def context() -> dict[str, Any]:
    """The specification's own context (Appendix 1)."""
    plain = {name: f"cr:{name}" for name in _ALIASES}
    typed = {
        "data": {"@id": "cr:data", "@type": "@json"},
        "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
        "examples": {"@id": "cr:examples", "@type": "@json"},
    }
    return {
        "@language": "en",
        "@vocab": "https://schema.org/",
        "sc": "https://schema.org/",
        "cr": "http://mlcommons.org/croissant/",
        "rai": "http://mlcommons.org/croissant/RAI/",
        "dct": "http://purl.org/dc/terms/",
        "conformsTo": "dct:conformsTo",
        **dict(sorted((plain | typed).items())),
    }


def _file(file: Path, out: Path) -> dict[str, Any]:
    """A file as it lies beside its description."""
    place = Path(os.path.relpath(file.resolve(), out.parent.resolve())).as_posix()
    return {
        "@type": "cr:FileObject",
        "@id": place,
        "name": file.name,
        "contentUrl": quote(place),
        "contentSize": f"{file.stat().st_size} B",
        "encodingFormat": "application/jsonlines",
        "sha256": sha256_file(file),
    }


def _records(file: str, lines: Sequence[Sample]) -> dict[str, Any]:
    """The lines of a file: their fields, and how many there are, also of each agent."""
    own = file.removesuffix(".jsonl")
    used = {name for sample in lines for name in sample.model_fields_set}
    agents = Counter(sample.agent_type for sample in lines)
    counts = {"count": len(lines)} | {f"count/{name}": n for name, n in sorted(agents.items())}
    return {
        "@type": "cr:RecordSet",
        "@id": own,
        "name": own,
        "description": f"The samples of {file}.",
        "field": [_field(own, name, file) for name in FIELDS if name in used],
        "annotation": [
            {
                "@type": "cr:Field",
                "@id": f"{own}/{name}",
                "name": f"{own}/{name}",
                "dataType": "http://www.wikidata.org/entity/Q4049983",
                "value": count,
            }
            for name, count in counts.items()
        ],
    }


def _field(records: str, name: str, file: str) -> dict[str, Any]:
    """One field of the lines; `messages` is a list of turns, each with two fields of its own."""
    own = {"@type": "cr:Field", "@id": f"{records}/{name}", "name": name,
           "description": FIELDS[name]}  # fmt: skip
    source = {"fileObject": {"@id": file}, "extract": {"column": name}}
    if name != "messages":
        return own | {"dataType": "sc:Text", "source": source}
    parts = [
        {
            "@type": "cr:Field",
            "@id": f"{records}/{name}/{part}",
            "name": part,
            "dataType": "sc:Text",
            "source": source | {"transform": {"jsonPath": f"$[*].{part}"}},
        }
        for part in ("role", "content")
    ]
    return own | {"isArray": True, "arrayShape": "-1", "subField": parts}


def text_of(made: Mapping[str, Any]) -> bytes:
    """A description as a file."""
    return json.dumps(made, ensure_ascii=False, indent=2).encode() + b"\n"
