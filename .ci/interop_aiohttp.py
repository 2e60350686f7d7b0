#!/usr/bin/env python3
"""aiohttp as a peer, both ways.

    interop_aiohttp.py client URL                        aiohttp's client against a running conformance_server
    interop_aiohttp.py server PROGRAMS [--runtime R]     aiohttp's server for the programs in a folder of examples:
                                                         conformance_client and fetch

Each check compares statuses and bytes; the first difference ends the script with status 1.
"""
import asyncio
import hashlib
import json
import os
import sys

import aiohttp
from aiohttp import web

MEBIBYTE = 1 << 20


def same(what, wanted, got):
    if wanted != got:
        sys.exit("aiohttp: %s: expected %.200r, got %.200r" % (what, wanted, got))


async def client(base):
    big = os.urandom(8 * MEBIBYTE)
    count = 0

    async def pieces(data, size):
        for start in range(0, len(data), size):
            yield data[start:start + size]
            await asyncio.sleep(0)

    async def mixed(session, number):
        kind = number % 5
        if kind == 0:
            async with session.get(base + "/") as response:
                same("GET", (200, "Hello, World!"), (response.status, await response.text()))
        elif kind == 1:
            async with session.get(base + "/json") as response:
                same("JSON", {"message": "Hello, World!"}, await response.json())
        elif kind == 2:
            async with session.get("%s/user/%d" % (base, number)) as response:
                same("path", str(number), await response.text())
        elif kind == 3:
            body = os.urandom(number * 97 + 1)
            async with session.post(base + "/echo", data=body) as response:
                same("echo", (200, body), (response.status, await response.read()))
        else:
            body = os.urandom(number * 31 + 1)
            async with session.post(base + "/echo", data=pieces(body, 777)) as response:
                same("chunked echo", (200, body), (response.status, await response.read()))

    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=20)) as session:
        await asyncio.gather(*(mixed(session, number) for number in range(200)))
        count += 200
        async with session.post(base + "/echo", data=pieces(big, 65_536)) as response:
            received = bytearray()
            async for piece in response.content.iter_chunked(10_000):
                received += piece
            same("streamed upload and download", big, bytes(received))
        async with session.post(base + "/echo", data=big, expect100=True) as response:
            same("Expect", big, await response.read())
        async with session.get(base + "/stream") as response:
            same("stream", b"x" * MEBIBYTE, await response.read())
            same("stream is chunked", "chunked", response.headers.get("Transfer-Encoding"))
        async with session.head(base + "/") as response:
            same("HEAD", (200, "13", b""), (response.status, response.headers["Content-Length"], await response.read()))
        async with session.post(base + "/nowhere", data=big) as response:
            same("early answer", 404, response.status)
        async with session.get(base + "/") as response:
            same("after an early answer", 200, response.status)
        # A reader that leaves in the middle must not harm others.
        response = await session.get(base + "/stream")
        await response.content.read(1000)
        response.close()
        async with session.get(base + "/") as response:
            same("after a reader that left", 200, response.status)
        count += 8
    old = aiohttp.ClientSession(version=aiohttp.HttpVersion10, timeout=timeout)
    async with old as session, session.get(base + "/stream") as response:
        same("HTTP/1.0", b"x" * MEBIBYTE, await response.read())
    print("aiohttp %s as client: %d checks" % (aiohttp.__version__, count + 1))


class Site:
    """An aiohttp application that our client visits; it counts what came."""

    def __init__(self):
        self.received = 0
        self.posts = 0
        self.peers = set()

    async def hello(self, request):
        self.peers.add(request.transport.get_extra_info("peername"))
        return web.Response(text="Hello, World!")

    async def echo(self, request):
        response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
        await response.prepare(request)
        async for piece in request.content.iter_chunked(50_000):
            self.received += len(piece)
            await response.write(piece)
        self.posts += 1
        return response

    async def stream(self, request):
        response = web.StreamResponse()
        if request.version >= aiohttp.HttpVersion11:
            response.enable_chunked_encoding()
        await response.prepare(request)
        for _ in range(64):
            await response.write(b"x" * 16_384)
        return response

    async def old(self, request):
        """A body that ends with the connection."""
        response = web.StreamResponse()
        response.force_close()
        response._length_check = False
        await response.prepare(request)
        await response.write(b"until the end")
        return response

    async def start(self):
        app = web.Application(client_max_size=64 * MEBIBYTE)
        app.add_routes([web.get("/", self.hello), web.post("/echo", self.echo), web.get("/stream", self.stream)])
        app.add_routes([web.get("/old", self.old), web.get("/moved", self.moved), web.get("/empty", self.empty)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.runner = runner
        return "http://127.0.0.1:%d" % runner.addresses[0][1]

    async def moved(self, request):
        raise web.HTTPFound("/")

    async def empty(self, request):
        return web.Response(status=204)


async def run(*command):
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await asyncio.wait_for(process.communicate(), 120)
    same("exit status of " + " ".join(command), 0, process.returncode)
    return output


async def server(programs, runtime):
    site = Site()
    base = await site.start()
    ours = [os.path.join(programs, "conformance_client")]
    digest = lambda data: hashlib.sha256(data).hexdigest()
    urls = [base + "/", base + "/stream", base + "/old", base + "/empty", base + "/", base + "/nowhere"]
    lines = (await run(*ours, "http1", "--runtime", runtime, *urls, "-X", "HEAD", base + "/")).splitlines()
    got = [(line.get("status"), line.get("body_sha256")) for line in map(json.loads, lines)]
    hello, nothing = digest(b"Hello, World!"), digest(b"")
    bodies = [hello, digest(b"x" * MEBIBYTE), digest(b"until the end"), nothing, hello]
    same("five fetches", list(zip((200, 200, 200, 204, 200), bodies)), got[:5])
    same("404", 404, got[5][0])
    same("HEAD", (200, nothing), got[6])
    line = json.loads(await run(*ours, "redirects", "--runtime", runtime, base + "/moved"))
    same("a redirect", (200, hello), (line["status"], line["body_sha256"]))
    line = json.loads(await run(*ours, "redirects", "--runtime", runtime, "-X", "POST", "-d", "sent", base + "/echo"))
    same("an upload", (200, digest(b"sent")), (line["status"], line["body_sha256"]))
    site.peers.clear()
    await run(*ours, "load", "--runtime", runtime, "--url", base + "/", "--n", "2000", "--c", "16")
    same("connections of 16 tasks are kept", True, len(site.peers) <= 16)
    site.received = site.posts = 0
    options = ["--url", base + "/echo", "--n", "20", "--c", "4", "--post", str(4 * MEBIBYTE)]
    await run(*ours, "load", "--runtime", runtime, *options)
    same("20 uploads of 4 MiB", (20, 80 * MEBIBYTE), (site.posts, site.received))
    same("fetch", b"x" * MEBIBYTE, await run(os.path.join(programs, "fetch"), base + "/stream"))
    await site.runner.cleanup()
    print("aiohttp %s as server, our client on %s: 14 checks" % (aiohttp.__version__, runtime))


if __name__ == "__main__":
    words = sys.argv[1:]
    if words[:1] == ["client"] and len(words) == 2:
        asyncio.run(client(words[1]))
    elif words[:1] == ["server"] and len(words) in (2, 4):
        asyncio.run(server(words[1], words[3] if len(words) == 4 else "smol"))
    else:
        sys.exit(__doc__)
