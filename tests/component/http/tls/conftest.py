"""Certificates, and TLS contexts of a client and a server."""

import ssl

import pytest

from swarmcore.http.tls import client_context, server_context
from tests.component.http.tls.pairs import Files


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return Files(tmp_path_factory.mktemp("tls"))


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def contexts(request, files):
    """TLS contexts of a client and a server that verify each other."""
    client = client_context(files.of("client"))
    client.maximum_version = request.param
    return client, server_context(files.of("server"))
