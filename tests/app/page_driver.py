"""One visitor of the page: a browser with the actions and questions of the tests."""

import json

from support.browser import Browser, find_browser

PROGRAM = find_browser()


class Page:
    """The page in a browser of its own.

    Args:
        folder (Path): An empty folder for the browser.
        address (str): Where the page is served.
    """

    def __init__(self, folder, address):
        self.browser = Browser(PROGRAM, folder)
        self.address = address
        self.browser.call('Emulation.setDeviceMetricsOverride', width=1280, height=1000, deviceScaleFactor=1,
                          mobile=False)
        self.browser.open(address)
        self.browser.wait('document.querySelector("#animate-run")', 60)

    def open_tab(self, name):
        """Show a tab, by its title."""
        self.browser.evaluate('[...document.querySelectorAll("button[role=tab]")]'
                              f'.find((tab) => tab.innerText.trim() === {json.dumps(name)}).click()')

    def click(self, element):
        """Press a button, once it can be pressed."""
        selector = json.dumps(f'#{element}')
        self.browser.wait(f'document.querySelector({selector}) && !document.querySelector({selector}).disabled', 20)
        self.browser.evaluate(f'document.querySelector({selector}).click()')

    def start(self, tab):
        """Start the job of a tab; the words of its last job do not count as the end of this one."""
        self.browser.evaluate(f'document.querySelectorAll("#{tab}-status .leokit-status").forEach('
                              '(message) => message.classList.add("old"))')
        self.click(f'{tab}-run')

    def upload(self, element, path):
        """Upload a file into a field and wait until the page shows it."""
        self.browser.wait(f'document.querySelector("#{element} input[type=file]")', 20)
        self.browser.choose_file(f'#{element} input[type=file]', path)
        self.browser.wait(f'document.querySelector("#{element} img, #{element} video")', 20)

    def choose_example(self, element, number=0):
        """Fill in the fields by an example."""
        examples = f'#{element} .gallery-item, #{element} tbody tr'
        self.browser.wait(f'document.querySelectorAll({json.dumps(examples)}).length > {number}', 20)
        self.browser.evaluate(f'document.querySelectorAll({json.dumps(examples)})[{number}].click()')

    def wait_for_field(self, element):
        """Wait until an image or video field is filled."""
        self.browser.wait(f'document.querySelector("#{element} img, #{element} video")', 20)

    def status(self, tab):
        """The text below the result."""
        return self.browser.evaluate(f'document.querySelector("#{tab}-status").innerText.trim()')

    def wait_for_end(self, tab, seconds=60):
        """Wait until a job has ended, and return its last words."""
        self.browser.wait(f'document.querySelector("#{tab}-status :is(.done, .error, .note):not(.old)")', seconds)
        return self.status(tab)

    def failed(self, tab):
        """Whether the last words of a job are an error."""
        return self.browser.evaluate(f'Boolean(document.querySelector("#{tab}-status .error"))')

    def results(self, tab):
        """Addresses of the videos that a job shows."""
        self.browser.wait(f'document.querySelector("#{tab}-result-0 video")', 20)
        return self.browser.evaluate(f'[...document.querySelectorAll("[id^={tab}-result] video")].map((v) => v.src || '
                                     'v.currentSrc)')

    def command(self, tab):
        """The command line that the tab shows."""
        return self.browser.evaluate(f'document.querySelector("#{tab}-command .cm-content").innerText'
                                     '.replaceAll("\\n", " ")')

    def complaints(self):
        """Uncaught exceptions and failed requests."""
        return [event for event in self.browser.events if event['method'] == 'Runtime.exceptionThrown' or (
            event['method'] == 'Network.responseReceived' and event['params']['response']['status'] >= 400)]

    def foreign_requests(self):
        """Addresses outside the page that the browser asked for."""
        addresses = [event['params']['request']['url'] for event in self.browser.events
                     if event['method'] == 'Network.requestWillBeSent']
        return [each for each in addresses if not each.startswith((self.address, 'data:', 'blob:'))]

    def close(self):
        """End the browser, if it has not ended yet."""
        if self.browser is not None:
            self.browser.close()
        self.browser = None
