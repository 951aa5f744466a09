"""The errors of swarmcore, each with the HTTP status that a client gets.

``str(error)`` is the text of Docker's ``{"message": ...}``.
"""

from collections.abc import Mapping


class SwarmError(Exception):
    """Base class of all errors that swarmcore raises deliberately."""

    status = 500


class BadRequest(SwarmError):
    """The request is malformed."""

    status = 400


class Forbidden(SwarmError):
    """An authorization plugin refused the request."""

    status = 403


class NotFound(SwarmError):
    """There is no such object in the cluster."""

    status = 404


class Conflict(SwarmError):
    """The request conflicts with the current state, such as a name in use."""

    status = 409


class TooLarge(SwarmError):
    """A body that must be parsed exceeds its size limit."""

    status = 413


class NotSupported(SwarmError):
    """The request is part of Docker's API, but this manager does not support it.

    The text must contain ``not supported`` in lower case: ``docker inspect`` skips a kind of object
    only on 404 or if the message has these words.
    """

    status = 501


class Unavailable(SwarmError):
    """The request cannot be served now (no engine, no leader, no room) but may succeed later."""

    status = 503


class NotPrimary(Unavailable):
    """Another manager leads or is about to; the request had no effect."""


class NoNodeFits(Unavailable):
    """Placement refused a container; the text says which rules refused the nodes.

    Args:
        message: the counts and reasons, made by ``scheduler.refusals``.
        refusals: node name -> the rule that refused it, with the reason.
    """

    def __init__(self, message: str, refusals: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.refusals = dict(refusals or {})


class NeverFits(NoNodeFits):
    """Placement refused a container, and no node could take it even if the node were empty."""

    status = 409


class EngineError(SwarmError):
    """A request to an engine failed.

    Args:
        engine: the engine's name, or its address if the name is unknown.
        message: what happened; the engine's own message if there is one.
    """

    status = 500

    def __init__(self, engine: str, message: str) -> None:
        super().__init__(message)
        self.engine = engine


class EngineUnreachable(EngineError):
    """The engine gave no answer: there is no connection, or it broke.

    Args:
        engine, message: see ``EngineError``.
        sent: whether the request may have reached the engine.  Only a request that was not sent, or
            that is idempotent, may be sent to another engine.
        silent: whether nothing came back, not even a refused connection.
    """

    status = 503

    def __init__(
        self, engine: str, message: str, *, sent: bool = False, silent: bool = False
    ) -> None:
        super().__init__(engine, message)
        self.sent = sent
        self.silent = silent


class EngineRefused(EngineError):
    """The engine answered with an HTTP error; status and text are the engine's."""

    def __init__(self, engine: str, status: int, message: str) -> None:
        super().__init__(engine, message)
        self.status = status


class ConfigError(SwarmError):
    """The operator's input cannot work; the message is one line: what, where from, what to do."""


class PluginError(ConfigError):
    """An error of a plugin; the message names the plugin."""


class PluginNotFound(PluginError):
    """There is no installed plugin of that name."""


class PluginBroken(PluginError):
    """The plugin cannot be imported, or one of its hooks raised an exception."""


class PluginMisfit(PluginError):
    """The plugin does not match the hooks of this core."""


class PluginConflict(PluginError):
    """Two plugins have the same name, or the same route."""


def first_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first error in a group, which may have groups in it."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def reason_of(error: BaseException) -> str:
    """The text of *error*; if empty, the text of its cause; if there is none, its type.

    HTTP libraries raise errors without text for untrusted certificates.
    """
    cause: BaseException | None = error
    while cause is not None and not str(cause):
        cause = cause.__cause__ or cause.__context__
    return str(cause) if cause is not None else type(error).__name__
