"""The server: worker processes around one listening socket, started again whenever one ends."""

import multiprocessing
import signal
import socket
import sys
import time

import uvicorn

from app import settings, trouble

REST = 0.5  # seconds between two looks at the workers


def main() -> None:
    trouble.crash_if_told()
    trouble.dawdle_if_told()
    listener = socket.create_server(("0.0.0.0", 8000), backlog=2048)  # noqa: S104 - of the container
    listener.set_inheritable(True)
    broker = None
    if settings.MQTT_EMBEDDED:
        from app.mqtt import start_broker

        broker = start_broker()
    # Once for all workers: they start with what is imported, and so in a fraction of the CPU time.
    import app.main  # noqa: F401

    print(f"INFO:     Started parent process [{multiprocessing.current_process().pid}]")
    workers = [_start(listener) for _ in range(settings.WORKERS)]
    trouble.pass_on(lambda: [worker.pid for worker in workers])
    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    while not stopping:
        time.sleep(REST)
        for place, worker in enumerate(workers):
            if not worker.is_alive():
                print(f"INFO:     Child process [{worker.pid}] died")
                workers[place] = _start(listener)
        if broker is not None:
            broker.poll()  # a dead broker is not started again, but it is not left a zombie
    for worker in workers:
        worker.terminate()
    if broker is not None:
        broker.terminate()
    for worker in workers:
        worker.join(5)
    sys.exit(0)


def _start(listener: socket.socket) -> multiprocessing.Process:
    worker = multiprocessing.get_context("fork").Process(target=_work, args=(listener,))
    worker.start()
    return worker


def _work(listener: socket.socket) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    trouble.obey()
    config = uvicorn.Config("app.main:app", access_log=True)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
