"""The contract of a plugin with routes."""

import re
from collections import Counter

from swarmcore.http.routing import Router, shape
from swarmcore.plugins.validation import is_async
from swarmcore.protocols import Route
from swarmcore.testing.contracts.loading import PluginContract
from swarmcore.versions import split_version

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
_PLACEHOLDER = re.compile(r"\{([a-zA-Z_]+)\}")
_LITERAL = re.compile(r"[A-Za-z0-9._~:@/+-]*")


class RoutesContract(PluginContract):
    """The tests of a plugin with routes; a subclass sets ``name``."""

    kind = "api"
    hook = "swarmcore_routes"

    def routes(self) -> list[Route]:
        """Return the routes as the manager gets them."""
        return [route for _, route in self.load().routes()]

    def test_there_are_routes(self) -> None:
        """Methods are HTTP methods in upper case; the manager itself answers OPTIONS."""
        routes = self.routes()
        assert routes
        assert {route.method for route in routes} <= _METHODS

    def test_templates_are_paths_without_version(self) -> None:
        """The server handles the version prefix; braces contain the name of one placeholder."""
        for route in self.routes():
            template = route.template
            assert template.startswith("/"), template
            assert "//" not in template, template
            assert template == "/" or not template.endswith("/"), template
            assert split_version(template)[0] is None, template
            assert _LITERAL.fullmatch(_PLACEHOLDER.sub("", template)), template

    def test_placeholders_have_names_of_their_own(self) -> None:
        """A second placeholder of the same name would hide the first."""
        for route in self.routes():
            names = _PLACEHOLDER.findall(route.template)
            assert len(names) == len(set(names)), route.template

    def test_handlers_are_async(self) -> None:
        """A plain function would fail, and would block the event loop."""
        for route in self.routes():
            assert is_async(route.handler), f"{route.method} {route.template}"

    def test_every_route_says_who_is_asked(self) -> None:
        """``swarmcore plugins --routes`` prints this text."""
        for route in self.routes():
            assert route.routed, f"{route.method} {route.template}"

    def test_no_two_routes_are_one(self) -> None:
        """Templates that differ only in the names of placeholders count as equal."""
        shapes = Counter((route.method, shape(route.template)) for route in self.routes())
        assert [each for each, count in shapes.items() if count > 1] == []

    def test_every_route_can_be_reached(self) -> None:
        """No other route of this plugin matches its paths first."""
        routes = self.routes()
        router = Router(routes)
        for route in routes:
            path = _PLACEHOLDER.sub("sample", route.template)
            found = router.match(route.method, path)
            assert found is not None, path
            assert found[0] is route, f"{path} goes to {found[0].template}"
