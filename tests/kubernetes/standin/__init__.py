"""A strict stand-in for a Kubernetes 1.36 API server with its controllers, for tests; HTTPS on 127.0.0.1.

What it has not been told, it answers with 501 and a sentence. It is itself tested against what was recorded
from a real server (`tests/fixtures/kubernetes-1.36`): the conversations word for word, the order of the watch
streams, the shape of objects in each state (`test_standin*.py`).

| what | where |
|---|---|
| the fixture `cluster`, on the stand-in and on a real cluster | `cluster.py`, `played.py`, `real.py` |
| from the wire to an answer | `server.py`, `serving.py`, then a file for each verb or subresource |
| what exists, and how it changes | `kinds.py`, `store.py` |
| what is refused | `schema.py`, `validation.py`, `admission.py`, `access.py` |
| what happens by itself | `controllers/`; pods by `pod_script.py` and `SAVEIT_BEHAVIOUR` |
| what goes wrong on request | `faults.py` |

Server-side apply, minReadySeconds and volumes that are claimed are rejected. activeDeadlineSeconds of a pod
is taken and does nothing; of admission there are quotas only.
"""
