#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A web server that serves a directory and, on order, does it badly.

usage: misbehaving-server.py DIR --port-file FILE [--control FILE] [--log FILE] [--tls PEM]

Orders stand in the control file, which is read at every request, or in the URL: /!ORDER/path. An order is
MODE or MODE@GLOB[,MODE@GLOB...]; with a glob it counts only for paths that match. The port is written to
the port file once the server listens. Each request is logged as one JSON object a line.

Modes:
  ok                  as a good server does, with Range
  status-N            answer status N with a short text
  cut                 full Content-Length, half of the body, end of connection
  cut-always          the same, and Range is ignored
  short               half of the body, with the Content-Length of that half
  other               other bytes of the same size
  flip                one bit of the last byte differs
  long                the body and 100 more bytes
  endless             a chunked body that never ends
  endless-error       status 500 with a chunked body that never ends
  slow                one byte a second
  stall               the request is read and never answered
  stall-body          the head, half of the body, then nothing
  no-range            Range is ignored
  wrong-range         status 206 with the part that starts one byte later than asked for
  lying-range         status 206 as asked for, with other bytes
  status-range-416    status 416 to every request with Range
  gzip                Content-Encoding: gzip, unasked
  bomb                Content-Encoding: gzip, 1000 times larger unpacked than the file
  loop                redirect to itself
  redirect-N          N redirects, then the file
  to-file             redirect to file:///etc/passwd
  to-ftp              redirect to ftp://
  to=URL              redirect to URL + path (the rest of the order is the URL; no other order after it)
  headers             a megabyte of header lines
  garbage             no HTTP at all
  attachment          Content-Disposition with ../ in the file name
  once-N              status N to the first request of each file, then ok
  rest-S              status 503 with Retry-After: S to the first request of each file, then ok
  rest-for-ever-S     the same to every request
  rate-N              N bytes a second
  together-N          as ok, once N requests wait for it; status 400 when there are never so many
"""

import argparse
import fnmatch
import gzip
import json
import os
import re
import ssl
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

log_lock = threading.Lock()
seen = set()
groups = {}  # how many -> the paths that wait, and whether all are there


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "misbehaving"
    directory = "."
    control = None
    log = None
    error_content_type = "text/plain"
    error_message_format = "%(code)d\n"

    def log_message(self, *args):
        pass

    def note(self, path):
        if self.log is None:
            return
        entry = {
            "path": path,
            "range": self.headers.get("Range"),
            "authorization": self.headers.get("Authorization"),
            "agent": self.headers.get("User-Agent"),
            "headers": sorted(k.lower() for k in self.headers.keys()),
        }
        with log_lock, open(self.log, "a", encoding="utf-8") as f:
            f.write(json.dumps(entry) + "\n")

    def standing_order(self):
        try:
            with open(self.control, encoding="utf-8") as f:
                return f.read().strip()
        except (OSError, TypeError):
            return ""

    def split(self):
        """The path within the directory, and the mode that counts for it."""
        path = self.path
        m = re.match(r"/!([^/]*)(/.*)$", path)
        if m:
            order, path = urllib.parse.unquote(m.group(1)), m.group(2)
        else:
            order = self.standing_order()
        if order.startswith("to="):
            return path, order
        for one in order.split(","):
            mode, _, glob = one.partition("@")
            if mode and fnmatch.fnmatchcase(path, glob or "*"):
                return path, mode
        return path, "ok"

    def read(self, path):
        """The file's bytes; None when there is none."""
        parts = [urllib.parse.unquote(p) for p in path.split("/") if p]
        if any(p in ("", ".", "..") or "/" in p or "\0" in p for p in parts):
            return None
        try:
            with open(os.path.join(self.directory, *parts), "rb") as f:
                return f.read()
        except (OSError, ValueError):
            return None

    def head(self, status, length=None, **more):
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for k, v in more.items():
            self.send_header(k.replace("_", "-"), v)
        self.end_headers()

    def drop(self):
        self.close_connection = True

    def text(self, status):
        body = b"status %d\n" % status
        self.head(status, len(body), Content_Type="text/plain")
        self.wfile.write(body)

    def send_file(self, data, ranges=True):
        m = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if not m or not ranges:
            self.head(200, len(data), Content_Type="application/octet-stream")
            self.wfile.write(data)
            return
        start = int(m.group(1))
        if start >= len(data):
            self.head(416, 0, Content_Range="bytes */%d" % len(data))
            return
        self.send_part(data, start, start)

    def send_part(self, data, start, told, body=None):
        body = data[start:] if body is None else body
        where = "bytes %d-%d/%d" % (told, told + len(body) - 1, len(data))
        self.head(206, len(body), Content_Range=where)
        self.wfile.write(body)

    def asked_start(self):
        m = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        return int(m.group(1)) if m else None

    def chunks_for_ever(self, status):
        self.head(status, None, Transfer_Encoding="chunked")
        chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        while True:
            self.wfile.write(chunk)

    def redirect(self, to):
        self.head(302, 0, Location=to)

    def do_GET(self):
        path, mode = self.split()
        self.note(path)
        try:
            self.serve(path, mode)
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            self.drop()

    def serve(self, path, mode):
        m = re.fullmatch(r"status-(\d{3})", mode)
        if m:
            return self.text(int(m.group(1)))
        m = re.fullmatch(r"redirect-(\d+)", mode)
        if m:
            n = int(m.group(1))
            return self.redirect("/!%s%s" % ("redirect-%d" % (n - 1) if n > 1 else "ok", path))
        if mode.startswith("to="):
            return self.redirect(mode[3:] + path)
        m = re.fullmatch(r"(once|rest|rest-for-ever)-(\d+)", mode)
        if m:
            return self.passing(path, m.group(1), int(m.group(2)))
        m = re.fullmatch(r"rate-(\d+)", mode)
        if m:
            return self.at_rate(path, int(m.group(1)))
        m = re.fullmatch(r"together-(\d+)", mode)
        if m:
            return self.together(path, int(m.group(1)))
        blind = getattr(self, "bad_" + mode.replace("-", "_"), None)
        if blind is not None:
            return blind(path)
        data = self.read(path)
        if data is None:
            return self.text(404)
        sighted = getattr(self, "file_" + mode.replace("-", "_"), None)
        if sighted is None:
            return self.text(501)
        return sighted(data)

    def passing(self, path, kind, n):
        with log_lock:
            is_first = (path, kind, n) not in seen
            seen.add((path, kind, n))
        if kind == "once" and is_first:
            return self.text(n)
        if kind == "rest-for-ever" or (kind == "rest" and is_first):
            return self.head(503, 0, Retry_After=str(n))
        return self.serve(path, "ok")

    def together(self, path, n):
        # Paths, not requests: libcurl asks once more where a connection that it kept is gone.
        with log_lock:
            paths, are_all = groups.setdefault(n, (set(), threading.Event()))
            if (n, path) not in seen:
                paths.add(path)
            if len(paths) == n:
                seen.update((n, known) for known in paths)
                groups.pop(n)
                are_all.set()
            if (n, path) in seen:
                are_all = None
        if are_all is not None and not are_all.wait(15):
            return self.text(400)
        return self.serve(path, "ok")

    def at_rate(self, path, n):
        data = self.read(path)
        if data is None:
            return self.text(404)
        start = self.asked_start() or 0
        if start:
            where = "bytes %d-%d/%d" % (start, len(data) - 1, len(data))
            self.head(206, len(data) - start, Content_Range=where)
        else:
            self.head(200, len(data))
        for i in range(start, len(data), max(n // 20, 1)):
            self.wfile.write(data[i : i + max(n // 20, 1)])
            self.wfile.flush()
            time.sleep(0.05)

    # Modes that do not look at the file.

    def bad_endless(self, _):
        self.chunks_for_ever(200)

    def bad_endless_error(self, _):
        self.chunks_for_ever(500)

    def bad_stall(self, _):
        time.sleep(600)
        self.drop()

    def bad_loop(self, _):
        self.redirect(self.path)

    def bad_to_file(self, _):
        self.redirect("file:///etc/passwd")

    def bad_to_ftp(self, path):
        self.redirect("ftp://127.0.0.1:%d%s" % (self.server.server_address[1], path))

    def bad_headers(self, _):
        self.send_response(200)
        for i in range(10000):
            self.send_header("X-Flood-%d" % i, "y" * 100)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def bad_garbage(self, _):
        self.wfile.write(b"\x00\x01\x02 this is no HTTP\r\n\r\n")
        self.drop()

    # Modes that spoil a file.

    def file_ok(self, data):
        self.send_file(data)

    def file_no_range(self, data):
        self.send_file(data, ranges=False)

    def file_attachment(self, data):
        self.head(200, len(data), Content_Disposition='attachment; filename="../../evil"')
        self.wfile.write(data)

    def file_cut(self, data):
        start = self.asked_start() or 0
        rest = data[start:]
        if start:
            where = "bytes %d-%d/%d" % (start, len(data) - 1, len(data))
            self.head(206, len(rest), Content_Range=where)
        else:
            self.head(200, len(rest))
        self.wfile.write(rest[: len(rest) // 2])
        self.drop()

    def file_cut_always(self, data):
        self.head(200, len(data))
        self.wfile.write(data[: len(data) // 2])
        self.drop()

    def file_short(self, data):
        self.head(200, len(data) // 2)
        self.wfile.write(data[: len(data) // 2])

    def file_other(self, data):
        self.send_file(bytes(b ^ 0x55 for b in data))

    def file_flip(self, data):
        self.send_file(data[:-1] + bytes([data[-1] ^ 1]) if data else data)

    def file_long(self, data):
        self.send_file(data + b"z" * 100)

    def file_slow(self, data):
        self.head(200, len(data))
        for i in range(len(data)):
            self.wfile.write(data[i : i + 1])
            self.wfile.flush()
            time.sleep(1)

    def file_stall_body(self, data):
        self.head(200, len(data))
        self.wfile.write(data[: len(data) // 2])
        self.wfile.flush()
        time.sleep(600)
        self.drop()

    def file_wrong_range(self, data):
        start = self.asked_start()
        if start is None:
            return self.send_file(data)
        return self.send_part(data, start + 1, start + 1)

    def file_lying_range(self, data):
        start = self.asked_start()
        if start is None:
            return self.send_file(data)
        return self.send_part(data, start, start, bytes(b ^ 0x55 for b in data[start:]))

    def file_status_range_416(self, data):
        if self.asked_start() is None:
            return self.send_file(data)
        return self.head(416, 0, Content_Range="bytes */%d" % len(data))

    def file_gzip(self, data):
        packed = gzip.compress(data)
        self.head(200, len(packed), Content_Encoding="gzip")
        self.wfile.write(packed)

    def file_bomb(self, data):
        packed = gzip.compress(b"\0" * (1000 * max(len(data), 1)))
        self.head(200, len(packed), Content_Encoding="gzip")
        self.wfile.write(packed)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that hangs up is what many orders are about."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    p.add_argument("directory")
    p.add_argument("--port-file", required=True)
    p.add_argument("--control")
    p.add_argument("--log")
    p.add_argument("--tls", help="speak https with this certificate and key")
    a = p.parse_args()
    Handler.directory, Handler.control, Handler.log = a.directory, a.control, a.log
    server = Server(("127.0.0.1", 0), Handler)
    if a.tls:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(a.tls)
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    with open(a.port_file + ".new", "w", encoding="utf-8") as f:
        f.write("%d\n" % server.server_address[1])
    os.rename(a.port_file + ".new", a.port_file)
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
