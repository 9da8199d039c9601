"""The container's health check: like the real one it asks /health/live, which knows of no database."""

import urllib.request

urllib.request.urlopen("http://127.0.0.1:8000/api/v1/health/live", timeout=8)
