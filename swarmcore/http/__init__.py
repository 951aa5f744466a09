"""HTTP/1.1 on trio: a server for clients, a client for engines, and the proxy between them.

Messages, headers, framing and routes are pure; streams and TLS are what connections are made of.
h11 judges what comes in on both sides.  Nothing here knows a Docker route.
"""
