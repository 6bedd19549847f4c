"""What reaches Gradio from the network: a short list of addresses, and no file or address of the visitor's choosing.

Gradio's own checks stay in place; this comes before them. Its page needs few of its addresses, and its file fields also
accept addresses of other servers, which it would fetch.
"""

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from leokit.app.files import PrivateFiles
from leokit.app.limits import MEGABYTE, Limits

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

API = '/gradio_api'
FILE = f'{API}/file='
READABLE = re.compile(rf'/|/(config|theme\.css|robots\.txt|favicon\.ico|manifest\.json|pwa_icon)/?|/(static|assets)/.+|'
                      rf'{API}/(startup-events|theme\.css|app_id/?|info/?|queue/data|upload_progress|heartbeat/\w+)')
EVENTS = re.compile(rf'{API}/(queue/join|run/predict/?|cancel|reset/?)')
UPLOAD = f'{API}/upload'
MAX_EVENT_BYTES = MEGABYTE
ADDRESS = re.compile(r'\s*(?!file:)[a-z][a-z0-9+.-]*:', re.IGNORECASE)


class Guard:
    """ASGI middleware in front of Gradio.

    It answers with 404 what the page does not need, and refuses events that name files outside the private folder,
    uploads that are too large, and uploads while the folder is full.

    Args:
        app: The application behind it.
        files (PrivateFiles): The private folder.
        limits (Limits): The limits of a visitor.
    """

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], files: PrivateFiles,
                 limits: Limits) -> None:
        self.app = app
        self.files = files
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope['type'] == 'lifespan':
            await self.app(scope, receive, send)
            return
        if scope['type'] != 'http':  # the page opens no web sockets
            await send({'type': 'websocket.close', 'code': 1008})
            return
        path, method = scope['path'], scope['method']
        if method in ('GET', 'HEAD'):
            allowed = READABLE.fullmatch(path) or (path.startswith(FILE) and self.files.holds(path[len(FILE):]))
            refused = None if allowed else (404, 'not found')
        elif method == 'POST' and path == UPLOAD:
            refused = self._refuse_upload(scope)
        elif method == 'POST' and EVENTS.fullmatch(path):
            content = await _read(receive, MAX_EVENT_BYTES)
            refused = (413, 'the event is too large') if content is None else self._refuse_event(content)
            receive = _replay(content)
        else:
            refused = (404, 'not found')
        if refused:
            await _answer(send, *refused)
        else:
            await self.app(scope, receive, send)

    def _refuse_upload(self, scope: Scope) -> tuple[int, str] | None:
        length = dict(scope['headers']).get(b'content-length', b'')
        if not length.isdigit():
            return 411, 'the size of the upload is missing'
        # the form around the file takes a few hundred bytes
        if int(length) > self.limits.max_upload_bytes + MEGABYTE:
            return 413, f'the file is larger than {self.limits.max_upload_mb} MB'
        if self.files.used_bytes() + int(length) > self.limits.max_storage_mb * MEGABYTE:
            return 507, 'the server has no room for further uploads; try again later'
        return None

    def _refuse_event(self, content: bytes) -> tuple[int, str] | None:
        try:
            event = json.loads(content or b'{}')
        except (ValueError, RecursionError):
            return 400, 'the event is not JSON'
        return None if self._names_own_files(event) else (403, 'the event names a file that was not uploaded here')

    def _names_own_files(self, value: Any) -> bool:
        """Whether every file of an event lies in the private folder."""
        waiting = [value]
        while waiting:
            value = waiting.pop()
            if isinstance(value, dict):
                path, url = value.get('path'), value.get('url')
                if path is not None and not (isinstance(path, str) and not ADDRESS.match(path)
                                             and self.files.holds(path)):
                    return False
                # the page sends the address of its own file along; Gradio reads the path, except for data: addresses
                if path is None and isinstance(url, str) or isinstance(url, str) and not re.match(r'https?://|/', url):
                    return False
                waiting += value.values()
            elif isinstance(value, list):
                waiting += value
        return True


async def _read(receive: Receive, limit: int) -> bytes | None:
    """The body of a request; None if it is larger than the limit."""
    content = b''
    while True:
        message = await receive()
        content += message.get('body', b'')
        if len(content) > limit:
            return None
        if not message.get('more_body'):
            return content


def _replay(content: bytes | None) -> Receive:
    """A body that has been read, for the application behind; afterwards the connection is silent."""
    messages = [{'type': 'http.request', 'body': content or b'', 'more_body': False}]

    async def receive() -> MutableMapping[str, Any]:
        return messages.pop() if messages else {'type': 'http.disconnect'}
    return receive


async def _answer(send: Send, status: int, text: str) -> None:
    body = json.dumps({'detail': text}).encode()
    await send({'type': 'http.response.start', 'status': status, 'headers': [
        (b'content-type', b'application/json'), (b'content-length', str(len(body)).encode())]})
    await send({'type': 'http.response.body', 'body': body})
