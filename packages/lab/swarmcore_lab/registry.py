"""Debian's image registry on the lab's gateway address, with or without a password."""

import base64
import ctypes
import ctypes.util
import http.client
import json
import secrets
import shutil
import threading
from pathlib import Path
from urllib.parse import quote

from swarmcore_lab.box import Box, BoxProcess
from swarmcore_lab.engine import LabEngine
from swarmcore_lab.errors import LabError
from swarmcore_lab.machine import PATH, wait_until

_READY_SECONDS = 20.0

_CONFIG = """\
version: 0.1
log: {{level: info}}
storage:
  filesystem: {{rootdirectory: {folder}/images}}
  delete: {{enabled: true}}
http:
  addr: {address}
  secret: {secret}
"""
_AUTH = "auth: {{htpasswd: {{realm: swarmcore-lab, path: {folder}/htpasswd}}}}\n"


class LabRegistry:
    """A running registry.  Made by ``Lab.registry``.

    Attributes:
        address: "ip:port", the first part of the names of its images.
        auth: name and password that it requires, or ``None`` for no login.
        log: the file with its output.
    """

    def __init__(
        self,
        name: str,
        address: str,
        folder: Path,
        *,
        auth: tuple[str, str] | None,
        nameserver: str,
        stop: threading.Event,
    ) -> None:
        """Store the settings; :meth:`start` starts the registry."""
        self.address = address
        self.auth = auth
        self.log = folder / "registry.log"
        self._name = name
        self._folder = folder
        self._stop = stop
        self._box = Box(name, folder, own_network=False, nameserver=nameserver)
        self._process: BoxProcess | None = None

    def start(self) -> None:
        """Start the registry and wait until it answers.

        Raises:
            LabError: docker-registry is not installed, ended, or does not answer.
        """
        program = shutil.which("docker-registry", path=PATH)
        if program is None:
            raise LabError("lab: no docker-registry here: run scripts/lab-install as root")
        config = self._folder / "config.yml"
        names = {"folder": self._folder, "address": self.address, "secret": secrets.token_hex(16)}
        text = _CONFIG.format(**names)
        if self.auth:
            username, password = self.auth
            (self._folder / "htpasswd").write_text(f"{username}:{_bcrypt(password)}\n")
            text += _AUTH.format(**names)
        config.write_text(text)
        if not self._box.is_open:
            self._box.open()
        env = {"PATH": PATH, "HOME": "/root"}
        # Newer releases would otherwise try to send traces over the network.
        env["OTEL_TRACES_EXPORTER"] = "none"
        self._process = self._box.spawn([program, "serve", str(config)], env, self.log)
        wait_until(
            self._is_ready, f"registry {self._name}", seconds=_READY_SECONDS, stop=self._stop
        )

    def close(self) -> None:
        """Stop the registry."""
        self._box.close()

    def push(self, engine: LabEngine, image: str, name: str | None = None) -> str:
        """Tag an engine's image for this registry and push it.

        Args:
            engine: an engine that has the image.
            image: the image on that engine, such as "busybox:latest".
            name: repository and tag in the registry; ``image`` if not given.

        Returns:
            The full image name, for pulls by other engines.

        Raises:
            LabError: the engine or the registry refused.
        """
        repository, _, tag = (name or image).partition(":")
        tag = tag or "latest"
        full = f"{self.address}/{repository}"
        source = quote(image, safe="")
        engine.api.call("POST", f"/images/{source}/tag?repo={quote(full)}&tag={quote(tag)}")
        headers = {"X-Registry-Auth": self.auth_header}
        engine.api.call("POST", f"/images/{full}/push?tag={quote(tag)}", headers=headers)
        return f"{full}:{tag}"

    @property
    def auth_header(self) -> str:
        """Return the value of ``X-Registry-Auth`` for pull and push through the Engine API."""
        words = {"serveraddress": self.address}
        if self.auth:
            words |= {"username": self.auth[0], "password": self.auth[1]}
        return base64.urlsafe_b64encode(json.dumps(words).encode()).decode()

    def _is_ready(self) -> bool:
        if self._process is not None and not self._process.is_running():
            last = self.log.read_text(errors="replace").splitlines()[-3:]
            raise LabError(f"lab: registry {self._name} ended: {' / '.join(last)}")
        connection = http.client.HTTPConnection(self.address, timeout=2)
        try:
            connection.request("GET", "/v2/")
            return connection.getresponse().status in (200, 401)
        except OSError:
            return False
        finally:
            connection.close()


def _bcrypt(password: str) -> str:
    """Hash a password with the system's libcrypt, in the only form that the registry accepts."""
    library = ctypes.CDLL(ctypes.util.find_library("crypt") or "libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    letters = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    salt = "".join(secrets.choice(letters) for _ in range(21)) + "."
    # 4 is the lowest cost; every request checks this password, which protects nothing.
    hashed: bytes | None = library.crypt(password.encode(), f"$2b$04${salt}".encode())
    if not hashed or not hashed.startswith(b"$2b$"):
        raise LabError("lab: this system's libcrypt knows no bcrypt")
    return hashed.decode()
