"""An image out of the machine's own busybox, so that no registry is needed."""

import functools
import io
import tarfile
from pathlib import Path

from swarmcore.testing.lab.errors import LabError
from swarmcore.testing.lab.machine import run

_BUSYBOX = Path("/bin/busybox")
_FOLDERS = ("bin", "dev", "etc", "home", "proc", "root", "sbin", "sys", "tmp", "usr", "usr/bin",
            "usr/sbin", "var", "var/www")  # fmt: skip
_FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
}


@functools.cache
def busybox_rootfs() -> bytes:
    """A root file system as a tar: busybox, a link for each of its applets, a minimal /etc.

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


def _add_file(tar: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))
