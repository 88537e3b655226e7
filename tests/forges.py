"""A forge's API for comments, as a server on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit


class Request(NamedTuple):
    """What is asked for: `words` are those of the query, `text` the `body` of a comment."""

    method: str
    path: str
    words: Mapping[str, str]
    text: str


class Forge:
    """Keeps the comments of one place; `refusal` is a status that it answers with instead. What is asked how differs between forges."""

    AUTHORITY: tuple[str, str]  # a header that each request must have
    OWN: Any  # whom its token is of

    def __init__(self) -> None:
        self.comments: list[dict[str, Any]] = []
        self.refusal = 0
        self.url = ""

    def answer(self, request: Request) -> tuple[int, Any]:
        """The status, and what goes with it."""
        raise NotImplementedError

    def encode_author(self, author: Any) -> dict[str, Any]:
        """The entry of a comment that says whose it is."""
        raise NotImplementedError

    def add(self, text: str | None, author: Any) -> None:
        self.comments.append({"id": len(self.comments), "body": text, **self.encode_author(author)})

    def page(self, words: Mapping[str, str]) -> list[dict[str, Any]]:
        end = int(words["page"]) * int(words["per_page"])
        return self.comments[end - int(words["per_page"]) : end]

    def own(self) -> list[str]:
        """The texts of the token's own comments."""
        mine = self.encode_author(self.OWN)
        return [one["body"] for one in self.comments if one.items() >= mine.items()]

    @contextmanager
    def serve(self) -> Iterator[Self]:
        forge = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urlsplit(self.path)
                words = {key: value for key, [value] in parse_qs(url.query).items()}
                size = int(self.headers.get("Content-Length", 0))
                text = json.loads(self.rfile.read(size))["body"] if size else ""
                name, value = forge.AUTHORITY
                assert self.headers[name] == value
                status, content = (
                    (forge.refusal, {}) if forge.refusal else forge.answer(Request(self.command, url.path, words, text))
                )
                said = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            do_POST = do_PUT = do_PATCH = do_GET  # noqa: N815 - the names that http.server looks for

            def log_message(self, *_: object) -> None:
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            self.url = f"http://127.0.0.1:{server.server_address[1]}"
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            yield self
            server.shutdown()
            thread.join()
