"""A bucket of S3's kind on loopback: as much of its protocol as keeping files needs."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


class Bucket:
    """Objects by their names, in memory."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.parts: dict[str, dict[int, bytes]] = {}
        self.multiparts = 0
        self.is_away = False
        self.url = ""
        self._talking: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator["Bucket"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for writer in self._talking:
                writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._talking.add(writer)
        try:
            while line := await reader.readline():
                method, target, _ = line.decode().split(" ")
                headers: dict[str, str] = {}
                while (line := await reader.readline()).strip():
                    name, _, value = line.decode().partition(":")
                    headers[name.lower()] = value.strip()
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                status, told, content = self._answer(method, target, headers, body)
                head = f"HTTP/1.1 {status} X\r\ncontent-length: {len(content)}\r\n"
                head += "".join(f"{name}: {value}\r\n" for name, value in told.items())
                writer.write(head.encode() + b"\r\n" + (b"" if method == "HEAD" else content))
                await writer.drain()
        finally:
            writer.close()

    def _answer(  # noqa: PLR0911 (one return for each of its few words)
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=key/")
        url = urlsplit(target)
        name = unquote(url.path).removeprefix("/music/")
        query: Any = {key: values[0] for key, values in parse_qs(url.query, keep_blank_values=True).items()}
        if self.is_away:
            return 403, {}, b"<Error><Code>AccessDenied</Code></Error>"
        match method, query:
            case "POST", {"uploads": _}:
                self.multiparts += 1
                self.parts[name] = {}
                begun = "InitiateMultipartUploadResult"
                return 200, {}, f"<{begun}><UploadId>{self.multiparts}</UploadId></{begun}>".encode()
            case "PUT", {"partNumber": number}:
                self.parts[name][int(number)] = body
                return 200, {"etag": f'"{number}"'}, b""
            case "POST", {"uploadId": _}:
                self.objects[name] = b"".join(part for _, part in sorted(self.parts.pop(name).items()))
                xml = '<CompleteMultipartUploadResult><ETag>"x"</ETag></CompleteMultipartUploadResult>'
                return 200, {}, xml.encode()
            case "PUT", _:
                self.objects[name] = body
                return 200, {"etag": '"x"'}, b""
            case "POST", {"delete": _}:
                keys = re.findall(r"<Key>(.*?)</Key>", body.decode())
                for key in keys:
                    self.objects.pop(key, None)
                said = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
                return 200, {}, f"<DeleteResult>{said}</DeleteResult>".encode()
            case _ if name not in self.objects:
                return 404, {}, b"<Error><Code>NoSuchKey</Code></Error>"
            case _:
                content = self.objects[name]
                told = {"etag": '"x"', "last-modified": "Sun, 22 Nov 2026 00:00:00 GMT"}
                if match := re.fullmatch(r"bytes=(\d+)-(\d+)", headers.get("range", "")):
                    start, last = int(match[1]), int(match[2])
                    told["content-range"] = f"bytes {start}-{last}/{len(content)}"
                    return 206, told, content[start : last + 1]
                return 200, told, content
