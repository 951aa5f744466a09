"""Tar archives in memory."""

import io
import tarfile


def tar_of(name: str, content: bytes) -> bytes:
    """Return a tar of one file, also for ``docker import``."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return file.getvalue()
