"""A stand-in for the hub: what huggingface_hub asks of it to make a dataset and to commit files."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class HubState:
    """What the hub has been given."""

    status: int = 200
    """What it answers to a request to make a repository."""
    url: str = ""
    created: list[dict[str, object]] = field(default_factory=list)
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """Repository -> path -> content."""
    tokens: set[str] = field(default_factory=set)
    unknown: list[str] = field(default_factory=list)


@contextmanager
def serving() -> Iterator[HubState]:
    """A hub on loopback, for as long as the block lasts."""
    state = HubState()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(state))
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(state: HubState) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            repo = _repo(self.path)
            if not self.path.startswith("/api/datasets/") or repo not in state.files:
                return self._answer({"error": "not found"}, 404)
            if "/tree/" in self.path:
                files = state.files[repo].items()
                return self._answer(
                    [{"type": "file", "path": path, "size": len(text), "oid": "0" * 40} for path, text in files]
                )
            siblings = [{"rfilename": path} for path in state.files[repo]]
            self._answer({"id": repo, "sha": "0" * 40, "siblings": siblings})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            state.tokens.add(self.headers.get("Authorization", ""))
            path = self.path.partition("?")[0]
            if path == "/api/repos/create":
                asked = json.loads(body)
                state.created.append(asked)
                if state.status != 200:
                    return self._answer({"error": "no"}, state.status)
                name = f"{asked['organization']}/{asked['name']}" if asked.get("organization") else asked["name"]
                state.files.setdefault(name, {})
                return self._answer({"url": f"{state.url}/datasets/{name}", "name": name})
            if path == "/api/validate-yaml":
                return self._answer({"errors": [], "warnings": []})
            if "/preupload/" in path:
                files = [
                    {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False, "oid": None}
                    for file in json.loads(body)["files"]
                ]
                return self._answer({"files": files})
            if "/commit/" in path:
                for line in map(json.loads, body.decode().splitlines()):
                    value = line["value"]
                    if line["key"] == "file":
                        state.files[_repo(path)][value["path"]] = base64.b64decode(value["content"])
                    elif line["key"] == "deletedFile":
                        del state.files[_repo(path)][value["path"]]
                url = f"{state.url}/datasets/{_repo(path)}/commit/{'0' * 40}"
                return self._answer({"success": True, "commitOid": "0" * 40, "commitUrl": url})
            state.unknown.append(path)
            self._answer({"error": "not found"}, 404)

        def _answer(self, value: object, status: int = 200) -> None:
            text = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    return Handler


def _repo(path: str) -> str:
    """Owner and name in /api/datasets/<owner>/<name>/..."""
    return "/".join(path.split("/")[3:5])
