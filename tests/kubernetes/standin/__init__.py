"""A strict stand-in for a Kubernetes 1.36 API server with its controllers, for tests; HTTPS on 127.0.0.1.

Strict: what it has not been told, it answers with 501 and a sentence. It is itself tested against the
conversations recorded from a real server (`tests/fixtures/kubernetes-1.36`).
"""
