"""An engine whose event stream stalls while it answers requests."""

from swarmcore.model import State

ON_N1 = {"Env": ["constraint:node==n1"]}
EVENTS = rb"GET \S+/events"


async def test_the_state_is_corrected_within_a_refresh_while_events_stall(manage, line, n1, n2):
    async with manage(line, n2, refresh_min_seconds=0.2, refresh_max_seconds=0.3) as manager:
        line.silence(EVENTS)
        for number in range(3):
            n1.add_container(f"unseen-{number}")
            await manager.wait_until(
                lambda number=number: (
                    f"unseen-{number}"
                    in [each.name for each in manager.node("n1").containers.values()]
                )
            )
        assert manager.node("n1").state is State.HEALTHY


async def test_clients_see_their_own_changes_at_once_while_events_stall(manage, line, n2):
    async with manage(line, n2, refresh_min_seconds=600, refresh_max_seconds=600) as manager:
        line.silence(EVENTS)
        await manager.run("web", **ON_N1)
        assert await manager.names() == ["/web"]
        await manager.json("POST", "/containers/web/stop?t=0")
        assert await manager.names() == []
        await manager.json("DELETE", "/containers/web")
        assert await manager.names("?all=1") == []
