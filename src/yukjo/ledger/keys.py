"""Ed25519 keys of the ledger: a private one that signs, and its public half for whoever verifies.

Both are PEM files that other tools read too (`openssl pkey`). The private one is of its owner
alone, is never overwritten, and belongs on another machine or medium than the ledger's copies:
who has it can sign a ledger that never was.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from yukjo.errors import LedgerError
from yukjo.words import say

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

DEFAULT = Path("~/.config/yukjo/ledger.key")
"""Outside of every project."""


def public_file(private: Path) -> Path:
    """Where the public half of a private key's file stands."""
    return private.with_name(private.name + ".pub")


def make(path: Path) -> str:
    """A new key in `path` and its public half beside it; the public key in hex."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    public = key.public_key().public_bytes(
        form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo
    )
    for place in (path, public_file(path)):
        if place.exists():
            raise _stands(place)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_new(path, private, mode=0o600)
        _write_new(public_file(path), public, mode=0o644)
    except OSError as fault:
        raise LedgerError(
            say("the key can't be written: {reason}", reason=fault.strerror or fault),
            where=str(path),
            fix=say("name a file in a writable folder with --out"),
        ) from None
    return public_hex(key)


def read_private(path: Path) -> "Ed25519PrivateKey":
    """The private key in `path`; LedgerError where others could read it too."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise LedgerError(
                say("others may read this private key"),
                where=str(path),
                fix=f"chmod 600 {path}",
            )
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as fault:
        raise _no_key(path, fault) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise _no_key(path, say("not an Ed25519 key"))
    return key


def read_public(path: Path) -> str:
    """The public key in `path`, in hex."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as fault:
        raise _no_key(path, fault) from None
    if not isinstance(key, Ed25519PublicKey):
        raise _no_key(path, say("not an Ed25519 key"))
    return key.public_bytes_raw().hex()


def public_hex(key: "Ed25519PrivateKey") -> str:
    """The public half of a private key, in hex."""
    return key.public_key().public_bytes_raw().hex()


def holds(key: str, signature: str, message: bytes) -> bool:
    """Whether `signature` over `message` was made with the private half of `key`; both in hex."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(
            bytes.fromhex(signature), message
        )
    except (InvalidSignature, ValueError):  # ValueError: no point of the curve
        return False
    return True


def _write_new(path: Path, content: bytes, *, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _stands(path: Path) -> LedgerError:
    return LedgerError(
        say("a key stands here already; it is never overwritten"),
        where=str(path),
        fix=say("name another file with --out"),
    )


def _no_key(path: Path, reason: object) -> LedgerError:
    return LedgerError(
        say("the key can't be read: {reason}", reason=reason),
        where=str(path),
        fix=say("name a file that `yukjo ledger keygen` wrote"),
    )
