"""The page of metrics says of each what the code says."""

import re
from pathlib import Path

from toys import Yukjo
from yukjo.agents import roles
from yukjo.chain.measures import metrics as of_chains
from yukjo.config.models import ChainConfig
from yukjo.evaluate.scorers import metrics

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
ROW = re.compile(
    r"^\| `(\w+)` \| [^|]+ \| [^|]+ \| (higher|lower|neither) \| [^|]+ \|$", re.MULTILINE
)
SIDES = {True: "higher", False: "lower", None: "neither"}


def test_every_metric_stands_there_once_with_its_good_side() -> None:
    rows = ROW.findall(PAGE)
    assert len(rows) == len(dict(rows))
    known = metrics([]) | of_chains(ChainConfig())
    assert dict(rows) == {n: SIDES[m.higher_is_better] for n, m in known.items()}


def test_the_command_prints_the_ids_of_the_code(yukjo: Yukjo) -> None:
    known = metrics(roles().values())
    found = yukjo("metrics", "--json")
    assert {row["name"]: row["metric_id"] for row in found.json()} == {  # type: ignore[index,attr-defined]
        name: metric.metric_id for name, metric in known.items()
    }
    plain = yukjo("metrics").out.splitlines()
    assert [line.split()[0] for line in plain] == [metric.metric_id for metric in known.values()]
