"""Who a manager or an engine is for an etcd that has users."""

from dataclasses import dataclass
from pathlib import Path

import trio

from swarmcore.errors import ConfigError
from swarmcore.protocols import DiscoveryOptions
from swarmcore.stores import StoreError

#: etcd's words about a token: none was sent, it ended, or users were changed since it was given.
_STALE = ("wants a user", "invalid auth token", "revision of auth store is old")


@dataclass(frozen=True, slots=True)
class Login:
    """A user, and the file with the password, which is read anew for each token."""

    user: str
    password_file: str

    async def document(self) -> dict[str, str]:
        """What ``auth/authenticate`` takes.

        Raises:
            StoreError: the file cannot be read.
        """
        try:
            # Abandoned when cancelled: a hung file system must not keep the manager from stopping.
            text = await trio.to_thread.run_sync(
                Path(self.password_file).read_text, abandon_on_cancel=True
            )
        except (OSError, ValueError) as error:
            raise StoreError(f"--discovery-opt etcd.passwordfile: {error}") from None
        return {"name": self.user, "password": text.strip()}


def read_login(options: DiscoveryOptions) -> Login | None:
    """What ``etcd.user`` and ``etcd.passwordfile`` say.

    Raises:
        ConfigError: one without the other.
    """
    user, file = (options.options.get(f"etcd.{key}", "") for key in ("user", "passwordfile"))
    if bool(user) != bool(file):
        raise ConfigError(
            "--discovery-opt etcd.user and etcd.passwordfile belong together: give both or none"
        )
    return Login(user, file) if user else None


def is_stale(refusal: str) -> bool:
    """Whether a new token may help."""
    return any(words in refusal for words in _STALE)
