"""Files of others are those that their table names, with a licence, and no others."""

import re
from hashlib import sha256
from importlib import resources

VENDOR = resources.files("yukjo.dashboard") / "static" / "vendor"
ROW = re.compile(
    r"\| `([\w.]+)` \| `([\w.]+)` \| ([\d.]+) \| `[\w./]+` \| \w+ \| `([0-9a-f]{64})` \|"
)


def test_every_file_has_the_hash_that_its_table_names() -> None:
    rows = ROW.findall((VENDOR / "README.md").read_text(encoding="utf-8"))
    held = {file.name for file in VENDOR.iterdir()} - {"README.md", "NOTICE"}
    assert {name for name, *_ in rows} == held
    for name, _, _, digest in rows:
        assert sha256((VENDOR / name).read_bytes()).hexdigest() == digest


def test_every_package_has_its_notice() -> None:
    notice = (VENDOR / "NOTICE").read_text(encoding="utf-8")
    for _, package, version, _ in ROW.findall((VENDOR / "README.md").read_text(encoding="utf-8")):
        assert f"({package} {version})" in notice
