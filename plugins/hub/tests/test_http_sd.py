"""Labels of engines as Prometheus accepts them."""

import re

import pytest
from swarmcore_hub.hub import prometheus_labels


@pytest.mark.parametrize(
    ("labels", "shown"),
    [
        ([], {}),
        (["zone=a", "disk_2=b=c"], {"zone": "a", "disk_2": "b=c"}),
        (["disk-type=ssd"], {"disk_type": "ssd"}),
        (["com.acme/rack=r1"], {"com_acme_rack": "r1"}),
        (["2nd=x"], {"_2nd": "x"}),
        (["größe=1"], {"gr__e": "1"}),
        (["a-b=1", "a_b=2"], {"a_b": "2"}),
        (["a_b=2", "a-b=1"], {"a_b": "2"}),
    ],
)
def test_names_are_valid_and_a_name_that_is_valid_stays(labels, shown):
    assert prometheus_labels(labels) == shown
    assert all(re.fullmatch("[a-zA-Z_][a-zA-Z0-9_]*", name) for name in shown)
