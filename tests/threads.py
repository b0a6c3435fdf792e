"""Run functions at the same time, each in a thread with a database connection of its own."""

import threading

from django.db import connections


def at_once(*functions):
    """Start all functions together; returns what each returned or the exception it raised."""
    barrier = threading.Barrier(len(functions))
    results = [None] * len(functions)

    def run(number, function):
        try:
            barrier.wait()
            results[number] = function()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            results[number] = error
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=run, args=(number, function))
        for number, function in enumerate(functions)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
