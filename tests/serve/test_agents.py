"""The newest adapter that fits serves; one that doesn't never takes its place."""

from pathlib import Path

import pytest

from serve.conftest import add_adapter, make_project
from serve.spelling import BASE, Bytes
from yukjo.adapters.store import WEIGHTS, Store
from yukjo.agents import roles
from yukjo.errors import AdapterError
from yukjo.records import SIX
from yukjo.serve.agents import Agents
from yukjo.serve.chat import Prompter
from yukjo.serve.faults import Fault


def fine(adapter: str, folder: Path) -> None:
    assert (folder / WEIGHTS).is_file()
    assert folder.name == adapter


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project")


@pytest.fixture
def agents(project: Path) -> Agents:
    store = Store(project / "runs" / "adapters")
    made = Agents(store, roles(), base_hash=BASE, prompter=Prompter(Bytes()))
    made.refresh(fine)
    return made


def test_every_agent_is_served_in_the_projects_order(agents: Agents) -> None:
    assert list(agents.served) == list(SIX)
    assert agents.unserved == []


def test_a_newer_adapter_takes_over_and_an_older_one_does_not(
    agents: Agents, project: Path
) -> None:
    add_adapter(project, "rag", run="0")
    new = add_adapter(project, "rag", run="2")
    agents.refresh(fine)
    assert agents.find("rag").adapter == new


@pytest.mark.parametrize("why", ["another base", "refused by the speaker"])
def test_one_that_does_not_fit_leaves_the_one_before(
    agents: Agents, project: Path, why: str
) -> None:
    before = agents.find("rag").adapter
    new = add_adapter(project, "rag", run="2", base="c" * 64 if why == "another base" else BASE)

    def try_out(adapter: str, folder: Path) -> None:
        if adapter == new:
            raise AdapterError("not proved", where=str(folder), fix="prove it")

    agents.refresh(try_out)
    assert agents.find("rag").adapter == before
    assert list(agents.left_out) == [new]


def test_an_agent_without_one_that_fits_is_named_and_not_found(
    agents: Agents, project: Path
) -> None:
    (project / "runs" / "adapters" / agents.find("rag").adapter).rename(project / "gone")
    agents.refresh(fine)
    assert agents.unserved == ["rag"]
    with pytest.raises(Fault) as refused:
        agents.find("rag")
    assert refused.value.status == 404


def test_a_damaged_store_changes_nothing(agents: Agents) -> None:
    before = dict(agents.served)
    folder = agents.find("review").folder
    (folder / WEIGHTS).write_bytes(b"other")
    with pytest.raises(AdapterError):
        agents.refresh(fine)
    assert agents.served == before


def test_once_one_was_promoted_only_production_serves(agents: Agents, project: Path) -> None:
    promoted = agents.find("rag").adapter
    add_adapter(project, "rag", run="2")
    Store(project / "runs" / "adapters").set_production({"rag": promoted})
    agents.refresh(fine)
    assert agents.find("rag").adapter == promoted  # though a newer one is there
    assert list(agents.served) == ["rag"]
