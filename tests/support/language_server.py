"""npm's yaml-language-server as an editor drives it: LSP over the server's stdin and stdout."""

from __future__ import annotations

import itertools
import json
import os
import queue
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any, Self

PATIENCE = 120  # seconds without a word of the server, after which it is taken for dead
NAMED = "LORAKIT_YAML_LANGUAGE_SERVER"
# what an editor's user may set; no catalogue of schemas is asked on the network
SETTINGS = {"yaml": {"schemaStore": {"enable": False}}}
Json = dict[str, Any]


def found() -> str | None:
    """The server that the environment names, or that is on the PATH; None where there is none."""
    return os.environ.get(NAMED) or shutil.which("yaml-language-server")


class Server:
    """A running server with a folder open; a context that ends it."""

    def __init__(self, program: str, folder: Path) -> None:
        self._process = subprocess.Popen(
            [program, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._said: queue.Queue[Json | None] = queue.Queue()
        self._numbers = itertools.count(1)
        self._sending = threading.Lock()
        threading.Thread(target=self._listen, daemon=True).start()
        item = {"snippetSupport": True, "documentationFormat": ["markdown"]}
        self.request(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": folder.as_uri(),
                "workspaceFolders": [{"uri": folder.as_uri(), "name": folder.name}],
                "capabilities": {
                    "textDocument": {
                        "completion": {"completionItem": item},
                        "publishDiagnostics": {},
                    },
                    "workspace": {"configuration": True, "workspaceFolders": True},
                },
            },
        )
        self._send({"method": "initialized", "params": {}})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def open(self, document: Path) -> None:
        """Open a document; each once, so that whatever is said of it is of this text."""
        text = document.read_text("utf-8")
        item = {"uri": document.as_uri(), "languageId": "yaml", "version": 1, "text": text}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": item}})

    def diagnostics(self, document: Path) -> list[str]:
        """What is underlined in a document that is opened now: line (from 1) and message."""
        self.open(document)
        while True:
            told = self._next()
            params = told.get("params") or {}
            if told.get("method") != "textDocument/publishDiagnostics":
                continue
            if params["uri"] == document.as_uri():
                return [
                    f"{one['range']['start']['line'] + 1}: {one['message']}"
                    for one in params["diagnostics"]
                ]

    def completions(self, document: Path, line: int, column: int) -> dict[str, str]:
        """What may be typed at a place, counted from 0, with its explanation."""
        told = self._at("completion", document, line, column)
        items = told["items"] if isinstance(told, dict) else told
        return {item["label"]: _text(item.get("documentation")) for item in items}

    def hover(self, document: Path, line: int, column: int) -> str:
        """What stands beside the pointer at a place, counted from 0."""
        told = self._at("hover", document, line, column)
        return _text(told["contents"]) if told else ""

    def request(self, method: str, params: Json) -> Any:
        """What the server answers."""
        number = next(self._numbers)
        self._send({"id": number, "method": method, "params": params})
        while True:
            told = self._next()
            if told.get("id") == number:
                assert "error" not in told, told["error"]
                return told["result"]

    def _at(self, what: str, document: Path, line: int, column: int) -> Any:
        at = {"line": line, "character": column}
        uri = {"uri": document.as_uri()}
        return self.request(f"textDocument/{what}", {"textDocument": uri, "position": at})

    def _send(self, message: Json) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        pipe = self._process.stdin
        assert pipe
        with self._sending:
            pipe.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
            pipe.flush()

    def _next(self) -> Json:
        told = self._said.get(timeout=PATIENCE)
        assert told is not None, f"the server ended with {self._process.wait()}"
        return told

    def _listen(self) -> None:
        pipe = self._process.stdout
        assert pipe
        while header := pipe.readline():
            length = int(header.split(b":")[1])
            while pipe.readline().strip():
                pass
            told = json.loads(pipe.read(length))
            if "id" in told and "method" in told:
                self._answer(told)
            else:
                self._said.put(told)
        self._said.put(None)

    def _answer(self, asked: Json) -> None:
        items = (asked.get("params") or {}).get("items", [])
        settings = [SETTINGS.get(item.get("section", "")) for item in items]
        of_user = asked["method"] == "workspace/configuration"
        self._send({"id": asked["id"], "result": settings if of_user else None})


def _text(told: Any) -> str:
    return str(told["value"] if isinstance(told, dict) else told or "")
