"""The served page without a browser: what its interface lets through, and what remains of a visitor."""

import json
import socket
import stat
import urllib.error
import urllib.request

import pytest

pytest.importorskip('gradio')
from leokit.app import Limits
from leokit.app.server import serve
from leokit.utils import UserError


@pytest.fixture(scope='module')
def running(models):
    with serve(models, Limits(max_upload_mb=1, max_frames=50, queue_size=3, jobs=1), example_size=32) as page:
        yield page


def ask(address, content=None, kind='application/json'):
    """Status and content of an answer."""
    if content is not None and not isinstance(content, bytes):
        content = json.dumps(content).encode()
    request = urllib.request.Request(address, content, {'Content-Type': kind})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except urllib.error.URLError:  # the server has closed the connection without reading everything
        return None, b''


def upload(address, name, content):
    body = (b'--x\r\nContent-Disposition: form-data; name="files"; filename="' + name.encode() +
            b'"\r\nContent-Type: image/png\r\n\r\n' + content + b'\r\n--x--\r\n')
    return ask(f'{address}/gradio_api/upload', body, 'multipart/form-data; boundary=x')


def start(running, value, name='program', *, elem_id='generate-run'):
    """Press a button with a value for its first field, as a program would; status and content of the answer."""
    config = json.loads(ask(f'{running.address}/config')[1])
    button, = [part['id'] for part in config['components'] if part['props'].get('elem_id') == elem_id]
    event, = [event for event in config['dependencies'] if [button, 'click'] in [list(t) for t in event['targets']]]
    defaults = {part['id']: part['props'].get('value') for part in config['components']}
    data = [value, *(defaults[number] for number in event['inputs'][1:])]
    return ask(f'{running.address}/gradio_api/queue/join', dict(data=data, fn_index=event['id'], session_hash=name))


def run(running, value):
    """Press the button and wait for the end; the status, and the events that come back, as text."""
    status, answer = start(running, value)
    if status != 200:
        return status, answer.decode()
    lines = []
    with urllib.request.urlopen(f'{running.address}/gradio_api/queue/data?session_hash=program', timeout=60) as stream:
        for line in stream:
            lines.append(line.decode())
            if 'process_completed' in lines[-1]:
                return 200, ''.join(lines)
    raise AssertionError('the job did not end')


def test_an_upload_is_used_and_its_result_can_be_fetched(running, drawn):
    status, answer = upload(running.address, 'face.png', drawn.portraits[0].read_bytes())
    assert status == 200
    path, = json.loads(answer)
    assert path.startswith(str(running.context.files.root)) and path.endswith('/face.png')
    status, said = run(running, dict(path=path, meta={'_type': 'gradio.FileData'}))
    assert status == 200 and '2 videos of 10 frames' in said
    running.context.files.forget('program')
    assert not list(running.context.files.root.glob('visitors/*/*')) and not list(
        running.context.files.root.glob('*/face.png'))


@pytest.mark.parametrize('path', ['/etc/passwd', 'http://127.0.0.1:1/a.png', '{examples}/../../../etc/passwd'])
def test_programs_cannot_name_other_files(running, path):
    path = path.format(examples=running.context.files.examples)
    assert run(running, dict(path=path, meta={'_type': 'gradio.FileData'})) == (
        403, '{"detail": "the event names a file that was not uploaded here"}')


def test_values_that_no_control_sends_end_in_a_sentence(running):
    for value in (5, 'text', ['x'], dict(no='path')):
        status, said = run(running, value)
        assert status == 200 and 'Traceback' not in said
        assert 'missing' in said or 'deleted from the server' in said or 'unexpected error' in said or 'error' in said


@pytest.mark.parametrize('name', ['../../../evil.png', '/etc/evil.png', 'a/../../evil.png', '..'])
def test_names_of_uploads_stay_in_the_private_folder(running, name):
    before = running.context.files.root.parent
    status, answer = upload(running.address, name, b'\x89PNG\r\n\x1a\n')
    if status == 200:
        path, = json.loads(answer)
        assert running.context.files.holds(path)
    assert not (before / 'evil.png').exists() and not (before.parent / 'evil.png').exists()


def test_names_in_other_scripts(running, drawn):
    status, answer = upload(running.address, 'Фото моё ä.png', drawn.portraits[0].read_bytes())
    assert status == 200
    path, = json.loads(answer)
    status, said = run(running, dict(path=path, meta={'_type': 'gradio.FileData'}))
    assert status == 200 and '2 videos of 10 frames' in said


def test_large_uploads_are_refused(running):
    assert upload(running.address, 'large.png', bytes(2_100_000))[0] in (413, None)
    assert upload(running.address, 'large.png', bytes(1_200_000))[0] in (413, None)  # Gradio's own limit of a file
    assert not list(running.context.files.root.glob('*/large.png'))


def test_nothing_else_is_served(running):
    for path in ('/gradio_api/file=/etc/passwd', '/monitoring', '/docs', '/openapi.json', '/gradio_api/openapi.json',
                 '/gradio_api/proxy=http://localhost/', '/gradio_api/deep_link', '/gradio_api/vibe-code'):
        assert ask(running.address + path)[0] == 404, path
    assert ask(running.address + '/gradio_api/call/start', {})[0] == 404
    info = json.loads(ask(running.address + '/gradio_api/info')[1])
    assert info['named_endpoints'] == info['unnamed_endpoints'] == {}


def test_the_queue_has_a_limit(running, drawn):
    path, = json.loads(upload(running.address, 'face.png', drawn.portraits[0].read_bytes())[1])
    file = dict(path=path, meta={'_type': 'gradio.FileData'})
    statuses = [start(running, file, f'visitor{number}') for number in range(8)]
    assert [status for status, _ in statuses][:2] == [200, 200]
    full = [answer.decode() for status, answer in statuses if status == 503]
    assert full and 'Queue is full' in full[0]
    for number in range(8):
        running.context.files.forget(f'visitor{number}')


@pytest.mark.slow
def test_the_folder_is_private_and_goes_with_the_page(models):
    with serve(models, Limits(), example_size=32) as page:
        root = page.context.files.root
        assert stat.S_IMODE(root.stat().st_mode) == 0o700 and (root / 'examples' / 'portrait_1.png').is_file()
    assert not root.exists()


def test_a_used_port_is_named(models):
    with socket.socket() as other:
        other.bind(('127.0.0.1', 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(UserError, match=f'cannot be served at 127.0.0.1:{port} .*; pass another --port'), serve(
                models, Limits(), port=port):
            pass
