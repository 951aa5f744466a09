"""An image made from the machine's busybox, so that no registry is needed.

It is the same to the last byte on every engine, so it has the same id on all of them, like an image
pulled from a registry.  ``docker import`` would give it another id on each engine.
"""

import functools
import hashlib
import io
import json
import tarfile
from pathlib import Path

from swarmcore_lab.errors import LabError
from swarmcore_lab.machine import PATH, run

_BUSYBOX = Path("/bin/busybox")
_FOLDERS = ("bin", "dev", "etc", "home", "proc", "root", "sbin", "sys", "tmp", "usr", "usr/bin",
            "usr/sbin", "var", "var/www")  # fmt: skip
_FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
}


@functools.cache
def busybox_image(tag: str, architecture: str) -> bytes:
    """Return the image in the format of ``docker save``; its command is ``sh``.

    Args:
        tag: its name, with a tag.
        architecture: the architecture as Docker names it ("amd64").

    Raises:
        LabError: Debian's busybox-static is not installed.
    """
    layer = busybox_rootfs()
    config = {
        "architecture": architecture,
        "os": "linux",
        "created": "2020-01-01T00:00:00Z",
        "config": {"Cmd": ["sh"], "Env": [f"PATH={PATH}"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{_sha256(layer)}"]},
        "history": [{"created": "2020-01-01T00:00:00Z", "created_by": "swarmcore's lab"}],
    }
    config_bytes = json.dumps(config).encode()
    config_name = f"{_sha256(config_bytes)}.json"
    manifest = [{"Config": config_name, "RepoTags": [tag], "Layers": ["layer.tar"]}]
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w") as tar:
        _add_file(tar, "layer.tar", layer, 0o644)
        _add_file(tar, config_name, config_bytes, 0o644)
        _add_file(tar, "manifest.json", json.dumps(manifest).encode(), 0o644)
    return output.getvalue()


@functools.cache
def busybox_rootfs() -> bytes:
    """Return a root file system as a tar: busybox, a link for each applet, a minimal ``/etc``.

    Raises:
        LabError: Debian's busybox-static is not installed.
    """
    if not _BUSYBOX.exists():
        raise LabError(f"lab: no {_BUSYBOX}: run scripts/lab-install as root")
    applets = run(str(_BUSYBOX), "--list-full").split()
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w") as tar:
        for folder in _FOLDERS:
            entry = tarfile.TarInfo(folder)
            entry.type = tarfile.DIRTYPE
            entry.mode = 0o1777 if folder == "tmp" else 0o755
            tar.addfile(entry)
        _add_file(tar, "bin/busybox", _BUSYBOX.read_bytes(), 0o755)
        for name, text in _FILES.items():
            _add_file(tar, name, text.encode(), 0o644)
        for applet in applets:
            entry = tarfile.TarInfo(applet)
            entry.type = tarfile.SYMTYPE
            entry.linkname = "/bin/busybox"
            if applet != "bin/busybox" and str(Path(applet).parent) in _FOLDERS:
                tar.addfile(entry)
    return output.getvalue()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _add_file(tar: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))
