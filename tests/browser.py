"""A real browser, headless, spoken to by the DevTools protocol: what it shows and complains of."""

import asyncio
import base64
import json
import shutil
import subprocess
import tempfile
import urllib.request
from pathlib import Path
from typing import NamedTuple

from tornado.websocket import websocket_connect

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


class Shown(NamedTuple):
    """What a page looked like: its widths, complaints, requests, a picture, and its print."""

    scroll_width: int
    width: int
    complaints: list[str]
    requests: list[str]
    png: bytes
    pdf: bytes


def shown(page: Path, width: int, scheme: str) -> Shown:
    """Return what `page` looks like in a window of so many pixels, light or dark."""
    return asyncio.run(_shown(page, width, scheme))


async def _shown(page, width, scheme):
    with tempfile.TemporaryDirectory() as profile:
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]
        process = subprocess.Popen(
            [CHROMIUM, *flags, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            return await _visited(Path(profile), page, width, scheme)
        finally:
            process.terminate()
            process.wait(20)


class _Tab:
    """A tab that is asked, and what it says of its own."""

    def __init__(self, socket):
        self.socket, self.events, self.asked = socket, [], 0

    async def ask(self, method, **params):
        self.asked += 1
        message = {"id": self.asked, "method": method, "params": params}
        await self.socket.write_message(json.dumps(message))
        while (said := json.loads(await self.socket.read_message())).get("id") != self.asked:
            self.events.append(said)
        return said.get("result", {})

    async def wait(self, method):
        while not any(event.get("method") == method for event in self.events):
            self.events.append(json.loads(await self.socket.read_message()))

    def told(self, *methods):
        return [event["params"] for event in self.events if event.get("method") in methods]


async def _visited(profile, page, width, scheme):
    port = await _port(profile)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as listed:
        url = next(one for one in json.load(listed) if one["type"] == "page")
    socket = await websocket_connect(url["webSocketDebuggerUrl"], max_message_size=200_000_000)
    tab = _Tab(socket)
    for domain in ("Page", "Runtime", "Log", "Network"):
        await tab.ask(f"{domain}.enable")
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    await tab.ask("Emulation.setDeviceMetricsOverride", **metrics)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    await tab.ask("Emulation.setEmulatedMedia", features=[feature])
    await tab.ask("Page.navigate", url=page.resolve().as_uri())
    await tab.wait("Page.loadEventFired")
    found = await _seen(tab)
    socket.close()
    return found


async def _seen(tab):
    sizes = "JSON.stringify([document.documentElement.scrollWidth, innerWidth])"
    measured = await tab.ask("Runtime.evaluate", expression=sizes, returnByValue=True)
    picture = await tab.ask("Page.captureScreenshot", captureBeyondViewport=True)
    printed = await tab.ask("Page.printToPDF", printBackground=True)
    wrong = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
    return Shown(
        *json.loads(measured["result"]["value"]),
        [json.dumps(params) for params in tab.told(*wrong)],
        [params["request"]["url"] for params in tab.told("Network.requestWillBeSent")],
        *(base64.b64decode(one["data"]) for one in (picture, printed)),
    )


async def _port(profile):
    for _ in range(300):
        found = profile / "DevToolsActivePort"
        if found.is_file() and found.read_text().strip():
            return int(found.read_text().split()[0])
        await asyncio.sleep(0.1)
    raise TimeoutError("chromium did not open its port")
