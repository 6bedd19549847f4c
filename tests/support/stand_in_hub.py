"""A stand-in for the Hugging Face Hub: as much of its HTTP interface as downloads and uploads of a model use."""

import base64
import hashlib
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = '1' * 40


class Hub:
    """Repositories as dicts of files, and what was asked for."""

    def __init__(self):
        self.repositories, self.objects, self.requests, self.address = {}, {}, [], ''


def _handler(hub):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'

        def log_message(self, *_):
            pass

        def answer(self, content, status=200, **headers):
            body = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header('Content-Length', str(len(body)))
            self.send_header('Content-Type', headers.pop('kind', 'application/json'))
            for key, value in headers.items():
                self.send_header(key.replace('_', '-'), value)
            self.end_headers()
            if self.command != 'HEAD':
                self.wfile.write(body)

        def body(self):
            if self.headers.get('Transfer-Encoding') == 'chunked':
                parts = []
                while size := int(self.rfile.readline(), 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b''.join(parts)
            return self.rfile.read(int(self.headers.get('Content-Length') or 0))

        def do_GET(self):
            path = unquote(urlsplit(self.path).path)
            hub.requests.append((self.command, path))
            words = path.strip('/').split('/')
            if words[:2] == ['api', 'models'] and '/'.join(words[2:4]) in hub.repositories:
                files = hub.repositories['/'.join(words[2:4])]
                facts = [dict(rfilename=name, path=name, type='file', size=len(data), oid='0' * 40)
                         for name, data in files.items()]
                return self.answer(facts if 'tree' in words else dict(
                    id='/'.join(words[2:4]), sha=COMMIT, siblings=facts, private=False, tags=[], downloads=0, likes=0))
            if len(words) > 4 and words[2] == 'resolve':
                data = hub.repositories.get('/'.join(words[:2]), {}).get('/'.join(words[4:]))
                if data is not None:
                    return self.answer(data, kind='application/octet-stream', X_Repo_Commit=COMMIT,
                                       ETag=f'"{hashlib.sha256(data).hexdigest()}"')
            return self.answer(dict(error='Repository not found'), 404, X_Error_Code='RepoNotFound',
                               X_Error_Message='Repository not found')

        do_HEAD = do_GET

        def do_POST(self):
            path, body = urlsplit(self.path).path, self.body()
            hub.requests.append((self.command, path))
            words = path.strip('/').split('/')
            if path == '/api/repos/create':
                wanted = json.loads(body)
                name = f'{wanted["organization"]}/{wanted["name"]}' if wanted.get('organization') else wanted['name']
                hub.repositories.setdefault(name, {})
                return self.answer(dict(url=f'{hub.address}/{name}', id=name))
            if path == '/api/validate-yaml':
                return self.answer(dict(errors=[], warnings=[]))
            if 'preupload' in words:
                return self.answer(dict(files=[
                    dict(path=file['path'], shouldIgnore=False,
                         uploadMode='lfs' if file['path'].endswith('.safetensors') else 'regular')
                    for file in json.loads(body)['files']]))
            if path.endswith('/info/lfs/objects/batch'):
                return self.answer(dict(transfer='basic', objects=[
                    dict(item, actions=dict(upload=dict(href=f'{hub.address}/lfs/{item["oid"]}', header={})))
                    for item in json.loads(body)['objects']]))
            if 'commit' in words:
                files = hub.repositories['/'.join(words[2:4])]
                for line in map(json.loads, body.splitlines()):
                    value = line['value']
                    if line['key'] == 'file':
                        files[value['path']] = base64.b64decode(value['content'])
                    elif line['key'] == 'lfsFile':
                        files[value['path']] = hub.objects[value['oid']]
                return self.answer(dict(commitUrl=f'{hub.address}/{"/".join(words[2:4])}/commit/{COMMIT}',
                                        commitOid=COMMIT, hookOutput='', success=True))
            return self.answer(dict(error=f'unknown {path}'), 404)

        def do_PUT(self):
            hub.requests.append((self.command, self.path))
            hub.objects[self.path.rpartition('/')[2]] = self.body()
            self.answer({})

    return Handler


@contextmanager
def stand_in_hub():
    """Serve an empty hub on a free port of this machine."""
    hub = Hub()
    server = ThreadingHTTPServer(('127.0.0.1', 0), _handler(hub))
    hub.address = f'http://127.0.0.1:{server.server_port}'
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
