"""What breaks a service inside its pod, for real: the same commands on the stand-in, which knows these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_api import connect

if TYPE_CHECKING:
    from standin.cluster import Cluster

# Clients whose standard input stays open say nothing and keep their session. Each is waited for by a shell of
# its own: a PostgreSQL that is process 1 takes an orphan that ends for a server process of its own.
_CLIENT = "(sleep 3600 | psql -q -U saveit) >/dev/null 2>&1 </dev/null &"
TAKE_EVERY_SLOT = f"""
n=0
while [ $n -lt 45 ]; do
  {_CLIENT}
  n=$((n + 1))
done
while psql -q -U saveit -c 'SELECT 1' >/dev/null 2>&1; do sleep 0.2; done
sleep 2
"""
HOLD_LOCKS = """
psql -q -U saveit -c 'CREATE TABLE held (n int)'
((echo 'BEGIN; LOCK TABLE held;'; sleep 3600) | psql -q -U saveit) >/dev/null 2>&1 </dev/null &
sleep 1
(psql -q -U saveit -c 'SELECT * FROM held'; exit 0) >/dev/null 2>&1 </dev/null &
sleep 2
"""
WANT_PASSWORD = """
echo 'local all all scram-sha-256' >"$PGDATA/pg_hba.conf"
psql -q -U saveit -c 'SELECT pg_reload_conf()'
"""
LEAK_POOL = (
    "echo 'sqlalchemy.exc.TimeoutError: QueuePool limit of size 10 overflow 20 reached, connection timed '"
    "'out, timeout 30.00' >/proc/1/fd/1"
)


def inside(cluster: Cluster, workload: str, *command: str) -> str:
    """What a command says in the first pod of a workload. It is run in each, and must end well."""
    target = {"kubeconfig": str(cluster.kubeconfig), "context": cluster.context}
    api = connect({**target, "namespace": cluster.namespace})
    said = []
    try:
        for pod in cluster.pods(workload):
            container = pod["spec"]["containers"][0]["name"]
            done = api.execute(pod["metadata"]["name"], container, command, "", 30)
            assert done.rc == 0, f"{command[0]} in {workload}: {done.said}"
            said.append(done.stdout)
    finally:
        api.close()
    return str(said[0])
