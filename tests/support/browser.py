"""A headless browser driven through the DevTools protocol over a pipe: no driver program, no Python package."""

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome')
FLAGS = ('--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--mute-audio',
         '--disable-background-networking', '--disable-component-update', '--disable-sync',
         '--disable-dev-shm-usage', '--window-size=1280,800', '--remote-debugging-pipe')
# The browser reads commands from descriptor 3 and writes to 4; the pipe is moved out of the way first.
LAUNCH = ('import fcntl, os, sys; r, w = (fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]); '
          'os.dup2(r, 3); os.dup2(w, 4); os.execvp(sys.argv[3], sys.argv[3:])')
KEY_CODES = {'ArrowLeft': 37, 'ArrowRight': 39, 'ArrowDown': 40, 'Enter': 13, 'Backspace': 8, ' ': 32}


def find_browser() -> str | None:
    """Return the browser named by LEOKIT_BROWSER, or the first of the usual ones on the path."""
    named = os.environ.get('LEOKIT_BROWSER')
    return named or next((found for name in NAMES if (found := shutil.which(name))), None)


class Browser:
    """One browser with one tab.

    Args:
        program (str): The browser.
        folder (Path): An empty folder for its profile and its downloads.
    """

    def __init__(self, program: str, folder: Path) -> None:
        self.downloads = folder / 'downloads'
        self.events: list[dict[str, Any]] = []
        self._number, self._buffer, self._session = 0, b'', None
        to_child, self._write = os.pipe()
        self._read, from_child = os.pipe()
        command = [sys.executable, '-c', LAUNCH, str(to_child), str(from_child), program, *FLAGS,
                   f'--user-data-dir={folder / "profile"}', 'about:blank']
        self._process = subprocess.Popen(command, pass_fds=(to_child, from_child), stdin=subprocess.DEVNULL,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_child)
        os.close(from_child)
        pages = [target for target in self.call('Target.getTargets')['targetInfos'] if target['type'] == 'page']
        target = pages[0]['targetId'] if pages else self.call('Target.createTarget', url='about:blank')['targetId']
        self.call('Browser.setDownloadBehavior', behavior='allow', downloadPath=str(self.downloads))
        self._session = self.call('Target.attachToTarget', targetId=target, flatten=True)['sessionId']
        for domain in ('Page', 'Runtime', 'Network', 'Log'):
            self.call(f'{domain}.enable')

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send one command and wait for its answer; events that come meanwhile are kept."""
        self._number += 1
        message = {'id': self._number, 'method': method, 'params': params}
        if self._session:
            message['sessionId'] = self._session
        os.write(self._write, json.dumps(message).encode() + b'\0')
        while True:
            answer = self._receive()
            if answer.get('id') != self._number:
                self.events.append(answer)
            elif 'error' in answer:
                raise RuntimeError(f'{method}: {answer["error"]["message"]}')
            else:
                return answer['result']

    def evaluate(self, script: str) -> Any:
        """Return the value of a JavaScript expression; a promise is awaited."""
        result = self.call('Runtime.evaluate', expression=script, returnByValue=True, awaitPromise=True,
                           userGesture=True)
        if 'exceptionDetails' in result:
            raise RuntimeError(f'{script}: {result["exceptionDetails"]}')
        return result['result'].get('value')

    def open(self, address: str) -> None:
        """Load a page and wait for its program to have run."""
        self.evaluate('window.isOld = true')
        self.call('Page.navigate', url=address)
        self.wait('!window.isOld && document.readyState === "complete"')

    def wait(self, condition: str, seconds: float = 10.0) -> None:
        """Wait until a JavaScript expression is true."""
        end = time.monotonic() + seconds
        while True:
            try:
                if self.evaluate(f'Boolean({condition})'):
                    return
            except RuntimeError as error:
                if 'context' not in str(error):  # the page was being replaced
                    raise
            if time.monotonic() > end:
                raise TimeoutError(f'still not true after {seconds} s: {condition}')
            time.sleep(0.02)

    def press(self, key: str, repeat: bool = False) -> None:
        """Press and release a key."""
        code = KEY_CODES.get(key, ord(key[0].upper()))
        params = {'key': key, 'windowsVirtualKeyCode': code, 'autoRepeat': repeat}
        text = '\r' if key == 'Enter' else key if len(key) == 1 else None
        if text:
            params['text'] = text
        self.call('Input.dispatchKeyEvent', type='keyDown', **params)
        self.call('Input.dispatchKeyEvent', type='keyUp', key=key, windowsVirtualKeyCode=code)

    def write(self, text: str) -> None:
        """Type a text into the focused element."""
        self.call('Input.insertText', text=text)

    def click(self, selector: str) -> None:
        """Click in the middle of an element with the mouse."""
        x, y = self.evaluate('(() => {const box = document.querySelector(' + json.dumps(selector) + ')'
                             '.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]})()')
        for kind in ('mousePressed', 'mouseReleased'):
            self.call('Input.dispatchMouseEvent', type=kind, x=x, y=y, button='left', clickCount=1)

    def choose_file(self, selector: str, path: Path) -> None:
        """Put a file into an input element for files."""
        root = self.call('DOM.getDocument')['root']['nodeId']
        node = self.call('DOM.querySelector', nodeId=root, selector=selector)['nodeId']
        if not node:
            raise RuntimeError(f'there is no element {selector}')
        self.call('DOM.setFileInputFiles', nodeId=node, files=[str(path)])

    def screenshot(self, path: Path, *, width: int = 1280, height: int | None = None) -> None:
        """Save a picture of the page: of all of it, or of its upper part."""
        height = height or self.evaluate('document.documentElement.scrollHeight')
        self.call('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.evaluate('new Promise((resolve) => setTimeout(resolve, 300))')
        Path(path).write_bytes(base64.b64decode(self.call('Page.captureScreenshot', format='png')['data']))

    def close(self) -> None:
        """End the browser."""
        try:
            self._session = None
            self.call('Browser.close')
            self._process.wait(timeout=5)
        except (OSError, RuntimeError, TimeoutError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        finally:
            os.close(self._write)
            os.close(self._read)

    def _receive(self, seconds: float = 20.0) -> dict[str, Any]:
        """Read one message."""
        while b'\0' not in self._buffer:
            if not select.select([self._read], [], [], seconds)[0]:
                raise TimeoutError(f'the browser said nothing for {seconds} s')
            chunk = os.read(self._read, 1 << 16)
            if not chunk:
                raise OSError('the browser has ended')
            self._buffer += chunk
        message, _, self._buffer = self._buffer.partition(b'\0')
        return json.loads(message)
