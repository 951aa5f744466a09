"""JupyterHub with DockerSpawner and its defaults; a service uses its API."""

import os

c = get_config()  # type: ignore[name-defined] # noqa: F821 - JupyterHub defines it

c.JupyterHub.spawner_class = "docker"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.DockerSpawner.image = "lab/notebook:1"

# Of this machine, and none of it of the containers.
c.JupyterHub.bind_url = os.environ["TEST_BIND_URL"]
c.JupyterHub.hub_bind_url = os.environ["TEST_HUB_BIND_URL"]
c.ConfigurableHTTPProxy.api_url = os.environ["TEST_PROXY_API_URL"]
c.ConfigurableHTTPProxy.command = ["node", os.environ["TEST_PROXY"]]
c.JupyterHub.services = [{"name": "test", "api_token": os.environ["TEST_TOKEN"]}]
c.JupyterHub.load_roles = [
    {"name": "test", "scopes": ["admin:users", "admin:servers"], "services": ["test"]}
]
