"""What reaches the application behind the guard, and what does not."""

import asyncio
import json

import pytest

from leokit.app import Limits
from leokit.app.guard import Guard


@pytest.fixture
def ask(files):
    """Send a request; the status, 200 if it reached the application, and what the application read."""
    def ask(method, path, body=b'', headers=()):
        seen, sent = [], []

        async def application(scope, receive, send):
            seen.append((await receive()).get('body') if method == 'POST' else b'')
            await send({'type': 'http.response.start', 'status': 200})

        async def receive():
            return {'type': 'http.request', 'body': body, 'more_body': False}

        async def send(message):
            sent.append(message)
        guard = Guard(application, files, Limits(max_upload_mb=1, max_storage_mb=1))
        scope = dict(type='http', method=method, path=path, headers=list(headers))
        asyncio.run(guard(scope, receive, send))
        return sent[0]['status'], seen
    return ask


@pytest.fixture
def own(files):
    path = files.visitor('one').new_file('a.png')
    path.write_bytes(b'1')
    return str(path)


@pytest.mark.parametrize('path', [
    '/', '/config', '/theme.css', '/assets/index.js', '/static/img/logo.svg', '/gradio_api/info',
    '/gradio_api/queue/data', '/gradio_api/heartbeat/abc123', '/gradio_api/startup-events'])
def test_what_the_page_needs_passes(ask, path):
    assert ask('GET', path)[0] == 200


@pytest.mark.parametrize('method, path', [
    ('GET', '/gradio_api/proxy=http://127.0.0.1/'), ('GET', '/gradio_api/file=http://127.0.0.1/'),
    ('GET', '/gradio_api/file=/etc/passwd'), ('GET', '/gradio_api/file=../../etc/passwd'), ('GET', '/monitoring'),
    ('POST', '/gradio_api/component_server'), ('POST', '/gradio_api/process_recording'), ('GET', '/docs'),
    ('POST', '/gradio_api/vibe-edit'), ('POST', '/login'), ('PUT', '/'), ('GET', '/gradio_api/deep_link'),
    ('POST', '/gradio_api/call/predict'), ('POST', '/gradio_api/api/predict'), ('GET', '/gradio_api/dev/reload')])
def test_everything_else_is_not_there(ask, method, path):
    assert ask(method, path) == (404, [])


def test_only_own_files_are_served(ask, own, files):
    assert ask('GET', f'/gradio_api/file={own}')[0] == 200
    (files.root / 'link.png').symlink_to('/etc/hostname')
    assert ask('GET', f'/gradio_api/file={files.root / "link.png"}')[0] == 404


def test_events_reach_the_application_unchanged(ask, own):
    event = json.dumps(dict(data=[dict(path=own, url='http://localhost/x', meta={}), 'text', 3], fn_index=1)).encode()
    assert ask('POST', '/gradio_api/queue/join', event) == (200, [event])
    assert ask('POST', '/gradio_api/run/predict', b'{"data": []}')[0] == 200
    assert ask('POST', '/gradio_api/cancel', b'{}')[0] == 200


@pytest.mark.parametrize('file', [
    dict(path='/etc/passwd'), dict(path='http://example.org/a.png'), dict(path='https://example.org/a.png'),
    dict(path='file:///etc/passwd'), dict(path='ftp://example.org/a'), dict(path='relative.png'), dict(path=['/etc']),
    dict(path=3), dict(url='http://example.org/a.png'), dict(path=None, url='https://example.org/a.png'),
    dict(path='{own}', url='data:image/png;base64,AAAA'), dict(path='{own}', url='file:///etc/passwd'),
    [[dict(deep=dict(path='/etc/passwd'))]]])
def test_events_that_name_other_files_are_refused(ask, own, file):
    event = json.dumps(dict(data=[file], fn_index=0)).replace('{own}', own).encode()
    assert ask('POST', '/gradio_api/queue/join', event) == (403, [])
    assert ask('POST', '/gradio_api/run/predict', event) == (403, [])


def test_events_that_are_no_json_or_too_large_are_refused(ask):
    assert ask('POST', '/gradio_api/queue/join', b'{"data"')[0] == 400
    assert ask('POST', '/gradio_api/queue/join', b'[' * 100_000)[0] == 400
    assert ask('POST', '/gradio_api/queue/join', bytes(1_000_001))[0] == 413


def test_uploads_are_limited(ask, files):
    def upload(size):
        return ask('POST', '/gradio_api/upload', headers=[(b'content-length', size)])[0]
    assert upload(b'900000') == 200
    assert upload(b'2000001') == 413  # the file and the form around it
    assert upload(b'-1') == upload(b'') == 411
    (files.root / 'others').write_bytes(bytes(500_000))
    assert upload(b'600000') == 507 and upload(b'400000') == 200
