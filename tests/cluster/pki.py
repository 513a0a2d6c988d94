"""Keys, certificates, tokens and kubeconfigs of an API server that lives for one test run."""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.commands import run

VALID_DAYS = "30"


@dataclass(frozen=True)
class Authority:
    """A certificate authority in `directory`, for TLS only: who a caller is, a token says."""

    directory: Path

    @property
    def certificate(self) -> Path:
        """The authority's own certificate, which clients trust."""
        return self.directory / "ca.crt"

    def issue(self, name: str, subject: str, alternative_names: str = "") -> None:
        """Write `name`.key and `name`.crt, signed by this authority.

        Args:
            name: stem of both files.
            subject: openssl's form, such as "/O=system:masters/CN=admin".
            alternative_names: openssl's form, such as "IP:10.0.0.1,DNS:kubernetes".
        """
        request, extensions, key, certificate = (
            self.directory / f"{name}.{kind}" for kind in ("csr", "ext", "key", "crt")
        )
        extensions.write_text(
            "extendedKeyUsage=serverAuth,clientAuth\n"
            "authorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"
            + (f"subjectAltName={alternative_names}\n" if alternative_names else "")
        )
        openssl("req", "-new", *new_key(key), "-subj", subject, "-out", request)
        authority = ("-CA", self.certificate, "-CAkey", self.directory / "ca.key")
        serial = ("-set_serial", f"0x{secrets.token_hex(8)}", "-days", VALID_DAYS)
        result = ("-extfile", extensions, "-out", certificate)
        openssl("x509", "-req", "-in", request, *authority, *serial, *result)


def openssl(*arguments: str | Path) -> None:
    """Run openssl, which writes the files that its arguments name."""
    run(["openssl", *arguments])


def new_key(path: Path) -> list[str | Path]:
    """Return the arguments with which `openssl req` makes a new key without a passphrase."""
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path]


def make_authority(directory: Path) -> Authority:
    """Return a new authority in `directory`, with the key that signs service account tokens."""
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)
    authority = Authority(directory)
    named = ("-subj", "/CN=vibethinker-test", "-days", VALID_DAYS, "-out", authority.certificate)
    usage = ("-addext", "keyUsage=critical,keyCertSign,digitalSignature")
    openssl("req", "-x509", "-new", *new_key(directory / "ca.key"), *named, *usage)
    curve = ("-name", "prime256v1", "-genkey", "-noout")
    openssl("ecparam", *curve, "-out", directory / "service-account.key")
    return authority


@dataclass(frozen=True)
class User:
    """One who calls the API by a token, and belongs to `group`."""

    name: str
    group: str
    token: str


def new_user(name: str, group: str) -> User:
    """Return a user with a fresh random token."""
    return User(name, group, secrets.token_hex(16))


def write_tokens(path: Path, users: list[User]) -> None:
    """Write the file that kube-apiserver's --token-auth-file reads."""
    path.write_text("".join(f'{u.token},{u.name},{u.name},"{u.group}"\n' for u in users))
    path.chmod(0o600)


def write_kubeconfig(path: Path, server: str, authority: Path, user: User) -> None:
    """Write a kubeconfig (JSON, which is YAML) by which `user` reaches `server`."""
    cluster = {"server": server, "certificate-authority": str(authority)}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "vibethinker", "cluster": cluster}],
        "users": [{"name": user.name, "user": {"token": user.token}}],
        "contexts": [
            {"name": "vibethinker", "context": {"cluster": "vibethinker", "user": user.name}}
        ],
        "current-context": "vibethinker",
    }
    path.write_text(json.dumps(document, indent=1))
    path.chmod(0o600)
