"""A process is alone, answers in JSON, and is gone when we are."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from yukjo.bench import environments
from yukjo.bench.environments import Environment
from yukjo.bench.process import Failed, answer_of, run


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_the_last_line_is_the_answer() -> None:
    assert answer_of(python("print('noise'); print('{\"a\": 1}')")) == {"a": 1}


@pytest.mark.parametrize("code", ["print('no json')", "pass"])
def test_no_answer_is_a_failure(code: str) -> None:
    with pytest.raises(Failed):
        answer_of(python(code))


def test_the_reason_is_the_last_line_of_the_error() -> None:
    with pytest.raises(Failed, match=r"^ValueError: no room$"):
        run(python("raise ValueError('no room')"))
    with pytest.raises(Failed, match="nowhere"):
        run(["/nowhere/python"])


def test_thread_settings_of_ours_reach_no_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    shown = run(python("import os; print({k: v for k, v in os.environ.items() if 'OMP_' in k})"))
    assert shown.strip() == "{}"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_bench_leaves_no_process(number: int, tmp_path: Path) -> None:
    """The grandchild too: it writes its id, and is gone after the bench was told to stop."""
    child = tmp_path / "child"
    inner = f"import os, time; open({str(child)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    middle = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    outer = (
        # A shell has its background jobs ignore Ctrl-C, and their children after them.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import sys; from yukjo.bench.process import ended_by_term, run\n"
        f"with ended_by_term(): run([sys.executable, '-c', {middle!r}])"
    )
    bench = subprocess.Popen(python(outer), stderr=subprocess.DEVNULL)
    try:
        until(lambda: child.exists() and bool(child.read_text()))
        bench.send_signal(number)
        assert bench.wait(timeout=30) != 0
        until(lambda: not alive(int(child.read_text())))
    finally:
        bench.kill()
        bench.wait()


def test_an_environment_that_cannot_be_installed_says_why_and_is_tried_again(
    tmp_path: Path,
) -> None:
    wrong = Environment("wrong", ("./no-such-package.whl",))
    for _ in range(2):
        with pytest.raises(Failed, match="no-such-package"):
            environments.python_of(wrong, tmp_path, note=print)
    assert not (tmp_path / "wrong" / ".ready").exists()


def test_a_ready_environment_is_used_as_it_is(tmp_path: Path) -> None:
    empty = Environment("empty", ())
    (tmp_path / "empty" / "bin").mkdir(parents=True)
    (tmp_path / "empty" / ".ready").write_text("\n")
    said: list[str] = []
    found = environments.python_of(empty, tmp_path, note=said.append)
    assert (found, said) == (tmp_path / "empty" / "bin" / "python", [])


def until(done: object, seconds: float = 30) -> None:
    assert callable(done)
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{process}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")
