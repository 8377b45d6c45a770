#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Asks the example application again and again and looks whether each answer is whole.

usage: request-loop.py URL STOP     ends when the file STOP exists

Prints one JSON object: requests, failed with the first few reasons, requests a second, the slowest in
milliseconds, and "seen": the generations that answered, each with its plugins.
"""
import http.client
import json
import os
import sys
import threading
import time
from urllib.parse import urlsplit

host, stop = urlsplit(sys.argv[1]).netloc, sys.argv[2]
lock = threading.Lock()
seen, failures, times = [], [], []


def mistake(status, body):
    """What is wrong with an answer, or None."""
    if status != 200:
        return f"{status}: {body}"
    what = json.loads(body)
    plugins = {name: plugin["version"] for name, plugin in what["plugins"].items()}
    for name, plugin in what["plugins"].items():
        if plugin["found"] != plugin["version"]:
            return f"mixture: {body}"
    state = f"{what['generation']}: " + ", ".join(f"{name} {version}" for name, version in sorted(plugins.items()))
    with lock:
        if state not in seen:
            seen.append(state)
    return None


def ask(connection):
    connection.request("GET", "/")
    response = connection.getresponse()
    return mistake(response.status, response.read().decode())


def loop():
    connection = http.client.HTTPConnection(host, timeout=30)
    while not os.path.exists(stop):
        start = time.monotonic()
        try:
            why = ask(connection)
        except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
            why = repr(error)
            connection.close()
        with lock:
            times.append(time.monotonic() - start)
            if why is not None:
                failures.append(why)
        time.sleep(0.005)


start = time.monotonic()
threads = [threading.Thread(target=loop) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(json.dumps({
    "requests": len(times),
    "failed": len(failures),
    "reasons": failures[:5],
    "rate": int(len(times) / (time.monotonic() - start)),
    "slowest_ms": int(1000 * max(times, default=0)),
    "seen": seen,
}))
