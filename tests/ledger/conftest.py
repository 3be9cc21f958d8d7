"""A place for a ledger: a SQLite file, and where it can be had a database of a real PostgreSQL."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import URL, make_url

NOBODY = "nobody"


def programs() -> Path | None:
    """The folder of initdb and pg_ctl."""
    found = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return Path(found).parent if found else debian[-1].parent if debian else None


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="session")
def server() -> Iterator[URL]:
    """A PostgreSQL server: the one at YUKJO_TEST_POSTGRES, or one started here and stopped."""
    if given := os.environ.get("YUKJO_TEST_POSTGRES"):
        yield make_url(given)
        return
    found = programs()
    if found is None:
        # A server can't be had by pip; CI installs one, and SQLite runs the same suite always.
        pytest.skip("no PostgreSQL: apt-get install postgresql, or set YUKJO_TEST_POSTGRES")
    folder, secret, port = Path(tempfile.mkdtemp()), secrets.token_hex(8), free_port()
    (folder / "password").write_text(secret)
    root = os.geteuid() == 0
    if root:  # PostgreSQL refuses to run as root
        for place in (folder, folder / "password"):
            shutil.chown(place, NOBODY)

    def run(*command: object) -> None:
        subprocess.run([*map(str, command)], check=True, cwd=folder, user=NOBODY if root else None,
                       stdout=subprocess.DEVNULL)  # fmt: skip

    data = folder / "data"
    run(found / "initdb", "-D", data, "-U", "yukjo", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
        "-A", "scram-sha-256", f"--pwfile={folder / 'password'}")  # fmt: skip
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''"
    run(found / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
    yield URL.create("postgresql+pg8000", "yukjo", secret, "127.0.0.1", port, "postgres")
    run(found / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    shutil.rmtree(folder)


@pytest.fixture
def postgres(server: URL) -> str:
    """The address of a fresh database."""
    name = f"t{secrets.token_hex(6)}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return server.set(database=name).render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where a ledger may be made, on each database."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres"))
    return tmp_path / "runs" / "ledger.sqlite"
