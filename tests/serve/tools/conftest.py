"""The sample project, indexed with toy words."""

from pathlib import Path

import pytest

from sample import EXAMPLE, TOY
from yukjo.serve.tools.index import build
from yukjo.serve.tools.search import Shelf


@pytest.fixture(scope="session")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an index over the sample's documents and laws."""
    place = tmp_path_factory.mktemp("index")
    build({"documents": EXAMPLE / "documents", "laws": EXAMPLE / "laws"}, place, TOY)
    return place


@pytest.fixture(scope="session")
def shelf(indexed: Path) -> Shelf:
    return Shelf(indexed, TOY)
