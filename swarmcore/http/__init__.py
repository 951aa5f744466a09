"""HTTP/1.1 on trio: a server for clients, a client for engines, and the proxy between them.

Messages, headers, framing and routes are pure; connections are built from streams and TLS.  h11
parses what arrives on both sides.  No module here knows a route of Docker's API.
"""
