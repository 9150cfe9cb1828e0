"""What alerts are sent to: a webhook and a mail server on this machine, which keep what they got."""

import json
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class Webhook:
    """`status` is what it answers."""

    url: str = ""
    status: int = 200
    messages: list[dict[str, Any]] = field(default_factory=list)

    @property
    def titles(self) -> list[str]:
        return [message["title"] for message in self.messages]


@dataclass
class Mailbox:
    url: str = ""
    mails: list[EmailMessage] = field(default_factory=list)


@contextmanager
def webhook() -> Iterator[Webhook]:
    hook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if hook.status == 200:
                hook.messages.append(json.loads(content))
            self.send_response(hook.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        hook.url = f"json://user:secret-word@127.0.0.1:{port}/hook"
        yield hook


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()

    class Handler(socketserver.StreamRequestHandler):
        """As much of SMTP as a client needs that trusts its server."""

        def handle(self) -> None:
            self.say(220)
            while command := self.rfile.readline().strip().upper():
                if command == b"DATA":
                    self.say(354)
                    box.mails.append(read_mail(iter(self.rfile.readline, b".\r\n")))
                self.say(221 if command == b"QUIT" else 250)

        def say(self, code: int) -> None:
            self.wfile.write(b"%d ok\r\n" % code)

    with serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)) as port:
        box.url = f"mailto://127.0.0.1:{port}?from=greenstream@example.com&to=ops@example.com&mode=insecure"
        yield box


def read_mail(lines: Iterator[bytes]) -> EmailMessage:
    return message_from_bytes(b"".join(lines), policy=policy.default)


@contextmanager
def serving(server: socketserver.TCPServer) -> Iterator[int]:
    with server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
