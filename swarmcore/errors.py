"""What can go wrong, each kind with the HTTP status it means.

Knows nothing of HTTP itself: ``status`` is what an edge answers when the error reaches a client,
and ``str(error)`` is the text of Docker's ``{"message": ...}``.
"""

from collections.abc import Mapping


class SwarmError(Exception):
    """The root of every error that swarmcore raises on purpose."""

    status = 500


class BadRequest(SwarmError):
    """The client asked for something malformed."""

    status = 400


class Forbidden(SwarmError):
    """An authorization plugin said no."""

    status = 403


class NotFound(SwarmError):
    """No such object in the cluster."""

    status = 404


class Conflict(SwarmError):
    """The request contradicts what exists: a name in use, a state that forbids it."""

    status = 409


class TooLarge(SwarmError):
    """A body that we must parse is above its limit."""

    status = 413


class NotSupported(SwarmError):
    """Docker documents it, this manager does not do it.

    The text must contain the lower-case words ``not supported``: ``docker inspect`` skips an object
    kind only on 404 or on that substring.
    """

    status = 501


class Unavailable(SwarmError):
    """Not now: no engine, no leader, nothing free.  The same request may succeed later."""

    status = 503


class NotPrimary(Unavailable):
    """Another manager must be asked, or will have to be soon; nothing was done."""


class NoNodeFits(Unavailable):
    """Placement refused; the text names, for every node, the rule that refused it.

    Args:
        message: the counted refusal, as ``scheduler`` words it.
        refusals: node name -> the reason in words.
    """

    def __init__(self, message: str, refusals: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.refusals = dict(refusals or {})


class NeverFits(NoNodeFits):
    """Placement refused, and waiting does not help: no node could take it if it were empty."""

    status = 409


class EngineError(SwarmError):
    """An engine did not do what was asked.

    Args:
        engine: the engine's name, or its address while it has none.
        message: what happened, in the engine's own words where it had any.
    """

    status = 500

    def __init__(self, engine: str, message: str) -> None:
        super().__init__(message)
        self.engine = engine


class EngineUnreachable(EngineError):
    """No connection, or it broke before an answer came.

    ``sent`` tells whether the request may have reached the engine: only an unsent one (or an
    idempotent one) may be tried again elsewhere.  ``silent`` tells that nothing came back, not even
    a refusal of the connection.
    """

    status = 503

    def __init__(
        self, engine: str, message: str, *, sent: bool = False, silent: bool = False
    ) -> None:
        super().__init__(engine, message)
        self.sent = sent
        self.silent = silent


class EngineRefused(EngineError):
    """The engine answered with an HTTP error; status and text are the engine's own."""

    def __init__(self, engine: str, status: int, message: str) -> None:
        super().__init__(engine, message)
        self.status = status


class ConfigError(SwarmError):
    """The operator's input cannot work; one line says what, where from and what to do."""


class PluginError(ConfigError):
    """Something about a plugin; always names the plugin."""


class PluginNotFound(PluginError):
    """No installed plugin has that name."""


class PluginBroken(PluginError):
    """The plugin cannot be imported, or raised while it was asked."""


class PluginMisfit(PluginError):
    """The plugin's hooks do not fit this core's specification."""


class PluginConflict(PluginError):
    """Two plugins claim one name, or one route."""


def first_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first error inside of groups in groups."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def reason_of(error: BaseException) -> str:
    """Its text; where it has none the text of what caused it, else its kind.

    HTTP libraries say nothing of their own of a certificate that is not trusted.
    """
    cause: BaseException | None = error
    while cause is not None and not str(cause):
        cause = cause.__cause__ or cause.__context__
    return str(cause) if cause is not None else type(error).__name__
