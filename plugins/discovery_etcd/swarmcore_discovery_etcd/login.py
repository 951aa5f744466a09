"""The login for an etcd with users."""

from dataclasses import dataclass
from pathlib import Path

from swarmcore.errors import ConfigError
from swarmcore.protocols import DiscoveryOptions
from swarmcore.stores import StoreError
from swarmcore.threads import in_thread

#: etcd's errors about a token: none was sent, it has expired, or users were changed since.
_STALE = ("requires a user", "invalid auth token", "revision of auth store is old")


@dataclass(frozen=True, slots=True)
class Login:
    """A user, and the file with the password, which is read for each token."""

    user: str
    password_file: str

    async def document(self) -> dict[str, str]:
        """The fields of a request ``auth/authenticate``.

        Raises:
            StoreError: the file cannot be read.
        """
        try:
            # Abandoned on cancellation, as a hung file system must not keep the manager running.
            text = await in_thread(Path(self.password_file).read_text, abandon_on_cancel=True)
        except (OSError, ValueError) as error:
            raise StoreError(f"--discovery-opt etcd.passwordfile: {error}") from None
        return {"name": self.user, "password": text.strip()}


def read_login(options: DiscoveryOptions) -> Login | None:
    """The login in ``etcd.user`` and ``etcd.passwordfile``; ``None`` without them.

    Raises:
        ConfigError: only one of them is given.
    """
    user, file = (options.options.get(f"etcd.{key}", "") for key in ("user", "passwordfile"))
    if bool(user) != bool(file):
        raise ConfigError(
            "--discovery-opt etcd.user and etcd.passwordfile belong together: give both or none"
        )
    return Login(user, file) if user else None


def is_stale(refusal: str) -> bool:
    """Whether the error of etcd means that a new token is needed."""
    return any(words in refusal for words in _STALE)
