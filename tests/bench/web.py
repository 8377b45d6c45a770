# SPDX-License-Identifier: MIT
"""The web server of the benchmarks: nginx on loopback, and a proxy before it that answers late."""
import http.client
import http.server
import os
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time

PORT = int(os.environ.get("BENCH_PORT", "18480"))
URL = "http://127.0.0.1:%d" % PORT
SLOW_URL = "http://127.0.0.1:%d" % (PORT + 1)


class Nginx:
    """Serves `folder` at URL as long as the block runs."""

    def __init__(self, folder, work):
        self.folder, self.work = folder, os.path.abspath(work) + "/nginx"

    def __enter__(self):
        # A run that is told to end takes its server and its scratch directories along.
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
        # nginx waits for a port in use, and whoever has it would be taken for our server.
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", PORT))
            except OSError:
                sys.exit("port %d is in use: set BENCH_PORT to another" % PORT)
        os.makedirs(self.work, exist_ok=True)
        temp = "".join("%s_temp_path %s/t;" % (kind, self.work)
                       for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        # A user of its own reads nothing of root's, so it stays root.
        user = "user root;" if os.geteuid() == 0 else ""
        with open(self.work + "/nginx.conf", "w") as f:
            f.write("daemon off; %s worker_processes 1; pid %s/pid; error_log %s/error.log;\n"
                    "events { worker_connections 512; }\nhttp { access_log off; sendfile on; "
                    "tcp_nopush on; keepalive_requests 100000; etag on; %s\n"
                    " server { listen 127.0.0.1:%d; root %s; } }\n"
                    % (user, self.work, self.work, temp, PORT, os.path.abspath(self.folder)))
        self.server = subprocess.Popen(["nginx", "-c", self.work + "/nginx.conf"],
                                       stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", PORT)).close()
                break
            except OSError:
                if self.server.poll() is not None:
                    break
                time.sleep(0.05)
        if self.server.poll() is not None:
            sys.exit("nginx does not start: see %s/error.log" % self.work)
        return self

    def __exit__(self, *what):
        self.server.terminate()
        self.server.wait()


class Count:
    """Of the requests through the proxy since reset()."""

    def __init__(self):
        self.lock = threading.Lock()
        self.reset()

    def reset(self):
        self.requests = self.bytes = 0

    def begin(self, spread):
        """The share of the delay this request has: those of one round do not all end at once."""
        with self.lock:
            self.requests += 1
            return 0.7 + 0.6 * (self.requests % 8) / 7 if spread else 1.0

    def end(self, n_bytes):
        with self.lock:
            self.bytes += n_bytes


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64


class SlowProxy:
    """Holds every request for `delay` seconds, at SLOW_URL; counts requests and bytes."""

    def __init__(self, delay=0.0, spread=True):
        self.count, self.delay, self.spread = Count(), delay, spread
        self.server = Server(("127.0.0.1", PORT + 1), self.handler())
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def handler(self):
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            behind = None
            disable_nagle_algorithm = True

            def do_GET(self):
                time.sleep(proxy.delay * proxy.count.begin(proxy.spread))
                self.behind = self.behind or http.client.HTTPConnection("127.0.0.1", PORT)
                kept = {k: v for k, v in self.headers.items()
                        if k.lower() not in ("host", "connection")}
                self.behind.request("GET", self.path, headers=kept)
                answer = self.behind.getresponse()
                body = answer.read()
                head = ["HTTP/1.1 %d %s" % (answer.status, answer.reason)]
                head += ["%s: %s" % h for h in answer.getheaders() if h[0].lower() != "connection"]
                head = ("\r\n".join(head) + "\r\n\r\n").encode()
                # Before the last byte leaves: the client's next request may be quicker than we are.
                proxy.count.end(len(head) + len(body))
                self.wfile.write(head + body)

            def log_message(self, *args):
                pass

        return Handler
