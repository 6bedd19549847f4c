"""The page in a real browser: every tab, a wrong upload in each, cancel, download, two visitors at once."""

import re
import shlex
import shutil
import time
import urllib.request

import pytest

pytest.importorskip('gradio')
from leokit.app import Limits
from leokit.app.jobs import Job
from leokit.app.server import serve
from leokit.cli.commands import build_parser
from leokit.video import open_video

from app.page_driver import PROGRAM, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.skipif(
    PROGRAM is None, reason='no Chromium or Chrome found: install one, or name it with LEOKIT_BROWSER')]


@pytest.fixture(scope='module')
def running(models):
    with serve(models, Limits(max_upload_mb=2, max_frames=200), example_size=64) as page:
        yield page


@pytest.fixture
def visit(running, tmp_path):
    """Open the page; each call is another visitor."""
    pages = []

    def open_page():
        folder = tmp_path / f'browser_{len(pages)}'
        folder.mkdir()
        pages.append(Page(folder, running.address))
        return pages[-1]
    yield open_page
    for page in pages:
        page.close()
    shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.fixture
def page(visit):
    return visit()


def fetched(address, folder, name='fetched.mp4'):
    """Number of frames and rate of a video on the page."""
    path = folder / name
    path.write_bytes(urllib.request.urlopen(address).read())
    with open_video(path) as video:
        return len(video), video.fps, video.read([0, len(video) - 1])


def check_command(page, tab, command):
    """The command line parses, and is the command of the tab."""
    words = shlex.split(page.command(tab))
    assert words[:2] == ['leokit', command]
    return build_parser().parse_args(words[1:])


def check_clean(page):
    assert page.complaints() == [] and page.foreign_requests() == []


def test_animate(page, tmp_path):
    page.choose_example('animate-examples')
    page.wait_for_field('animate-driving')
    page.start('animate')
    assert re.fullmatch(r'48 frames at 25 frames per second, driving frame \d+ stands .*, no sound',
                        page.wait_for_end('animate'))
    address, = page.results('animate')
    frames, fps, pixels = fetched(address, tmp_path)
    assert (frames, fps) == (48, 25.0) and pixels.shape[1:] == (64, 64, 3)  # of the picture; the model has 32x32
    args = check_command(page, 'animate', 'animate')
    assert (args.source, args.driving) == ('portrait_1.png', 'talking.mp4')

    page.click('animate-download')
    for _ in range(100):
        if done := list(page.browser.downloads.glob('animated*.mp4')):
            break
        page.browser.evaluate('new Promise((resolve) => setTimeout(resolve, 50))')
    assert done[0].read_bytes() == (tmp_path / 'fetched.mp4').read_bytes()
    check_clean(page)


def test_generate(page, tmp_path):
    page.open_tab('Generate')
    page.choose_example('generate-examples')
    page.wait_for_field('generate-image')
    page.start('generate')
    assert page.wait_for_end('generate').startswith('2 videos of 10 frames')
    one, two = page.results('generate')
    first, second = fetched(one, tmp_path), fetched(two, tmp_path)
    assert first[0] == second[0] == 10
    assert (first[2][1] != second[2][1]).any()  # different motion
    assert check_command(page, 'generate', 'generate').num_sequences == 2
    check_clean(page)


def test_long_shows_frames_while_they_are_made(page, tmp_path):
    page.open_tab('Long')
    page.choose_example('long-examples')
    page.wait_for_field('long-image')
    page.browser.evaluate('window.seen = new Set(); new MutationObserver(() => { const image = document.querySelector('
                          '"#long-live img"); if (image) window.seen.add(image.src) }).observe(document.body, '
                          '{childList: true, subtree: true, attributes: true})')
    page.start('long')
    assert page.wait_for_end('long') == '200 frames at 25 frames per second, 8.0 seconds'
    assert page.browser.evaluate('window.seen.size') >= 3
    address, = page.results('long')
    assert fetched(address, tmp_path)[0] == 200
    assert check_command(page, 'long', 'generate').num_frames == 200
    check_clean(page)


def test_a_video_is_continued(page, clip, tmp_path):
    page.open_tab('Long')
    page.browser.evaluate('document.querySelectorAll("#long-start input")[1].click()')
    page.upload('long-video', clip)
    page.start('long')
    assert page.wait_for_end('long').startswith('200 frames')
    assert check_command(page, 'long', 'generate').continued == [clip.name]
    check_clean(page)


def test_unconditional(page, tmp_path):
    page.open_tab('Unconditional')
    page.choose_example('unconditional-examples', 1)
    page.browser.wait('document.querySelector("#unconditional-seed input")?.value === "5"')
    page.start('unconditional')
    assert page.wait_for_end('unconditional').startswith('1 video of 20 frames')
    address, = page.results('unconditional')
    assert fetched(address, tmp_path)[0] == 20
    args = check_command(page, 'unconditional', 'generate')
    assert (args.unconditional, args.num_frames, args.seed) == (1, 20, 5)
    check_clean(page)


def test_edit(page, tmp_path):
    page.open_tab('Edit')
    page.choose_example('edit-examples')
    page.browser.wait('document.querySelectorAll("#edit-first img").length === 2', 20)  # before and after
    page.start('edit')
    assert page.wait_for_end('edit').startswith('48 frames')
    assert fetched(page.results('edit')[0], tmp_path)[0] == 48
    args = check_command(page, 'edit', 'edit')
    assert args.editor == 'Recolor' and args.editor_options == dict(hue='120', saturation='1')
    check_clean(page)


def test_manipulate(page, tmp_path):
    page.open_tab('Manipulate')
    page.choose_example('manipulate-examples')
    page.browser.wait('document.querySelectorAll("#manipulate-preview img").length === 2', 20)
    before = page.browser.evaluate('document.querySelectorAll("#manipulate-preview img")[1].src')
    page.browser.evaluate('(() => { const slider = document.querySelector("#manipulate-direction-1 input[type=range]");'
                          ' slider.value = slider.max; slider.dispatchEvent(new Event("input", {bubbles: true})) })()')
    page.browser.wait('document.querySelectorAll("#manipulate-preview img")[1].src !== ' + repr(before), 20)
    page.browser.wait('document.querySelector("#manipulate-command .cm-content").innerText.includes("1=3")', 20)
    args = check_command(page, 'manipulate', 'manipulate')
    assert (args.image, args.apply) == ('portrait_1.png', ['1=3'])
    page.click('manipulate-reset')
    page.browser.wait('document.querySelectorAll("#manipulate-preview img")[1].src === ' + repr(before), 20)
    check_clean(page)


def test_compare(page, clip, tmp_path):
    page.open_tab('Compare')
    page.choose_example('compare-examples')
    page.wait_for_field('compare-right')
    page.start('compare')
    assert re.search('talking.mp4: 48 frames, .* nodding.mp4: 48 frames', page.wait_for_end('compare'))
    frames, _, pixels = fetched(page.results('compare')[0], tmp_path)
    assert frames == 48 and pixels.shape[1:3] == (64, 132)  # two of 64x64 and a gap of 4
    check_command(page, 'compare', 'compare')
    check_clean(page)


@pytest.mark.parametrize('title, tab, uploads, named', [
    ('Animate', 'animate', {'animate-source': 'text.png'}, 'text.png is not an image but text'),
    ('Animate', 'animate', {'animate-source': 'good.png', 'animate-driving': 'text.mp4'},
     'text.mp4 is not a video but text'),
    ('Generate', 'generate', {'generate-image': 'broken.png'}, 'broken.png'),
    ('Long', 'long', {'long-image': 'text.png'}, 'text.png is not an image but text'),
    ('Edit', 'edit', {'edit-video': 'archive.mp4'}, 'archive.mp4 is not a video but a zip archive'),
    ('Compare', 'compare', {'compare-left': 'playlist.mp4'}, 'playlist.mp4 is not a video but text'),
])
def test_wrong_uploads_are_explained(page, wrong_files, drawn, title, tab, uploads, named):
    files = dict(wrong_files, **{'good.png': drawn.portraits[0]})
    page.open_tab(title)
    for element, name in uploads.items():
        page.browser.wait(f'document.querySelector("#{element} input[type=file]")', 20)
        page.browser.choose_file(f'#{element} input[type=file]', files[name])
        shown = f'document.querySelector("#{tab}-command .cm-content")?.innerText.includes("{files[name].name}")'
        page.browser.wait(shown, 20)
    page.start(tab)
    said = page.wait_for_end(tab)
    assert page.failed(tab) and named in said and '/tmp' not in said
    page.start(tab)  # the same words again, and the page still works
    assert page.wait_for_end(tab) == said
    assert page.complaints() == []


def test_a_click_right_after_a_job_is_not_lost(page, monkeypatch):
    end = Job.end
    monkeypatch.setattr(Job, 'end', lambda job: (time.sleep(1), end(job)))  # the result is shown before that
    page.start('animate')
    said = page.wait_for_end('animate')
    assert page.failed('animate')  # no inputs
    page.start('animate')
    assert page.wait_for_end('animate', 20) == said


def test_a_wrong_image_shows_a_sentence_in_the_preview(page, wrong_files):
    page.open_tab('Manipulate')
    page.browser.wait('document.querySelector("#manipulate-image input[type=file]")', 20)
    page.browser.choose_file('#manipulate-image input[type=file]', wrong_files['text.png'])
    page.browser.wait('document.querySelector("#manipulate-preview .error")', 20)
    assert 'text.png is not an image' in page.browser.evaluate(
        'document.querySelector("#manipulate-preview").innerText')


def test_cancel(page, running):
    page.open_tab('Long')
    page.choose_example('long-examples')
    page.wait_for_field('long-image')
    page.start('long')
    page.browser.wait('document.querySelector("#long-live img")', 20)
    page.click('long-cancel')
    assert page.wait_for_end('long', 20) == 'Canceled.'
    page.browser.wait('!document.querySelector("#long-run").disabled', 20)
    page.browser.evaluate('new Promise((resolve) => setTimeout(resolve, 1500))')
    assert list(running.context.files.root.glob('visitors/**/*.part.mp4')) == []
    page.start('long')  # it can be started again
    assert page.wait_for_end('long').startswith('200 frames')


def test_two_visitors_at_once(visit, running, clip, tmp_path):
    one, two = visit(), visit()
    one.open_tab('Compare')
    one.upload('compare-left', clip)  # and never used
    one.open_tab('Animate')
    for page, number in ((one, 0), (two, 1)):
        page.choose_example('animate-examples', number)
        page.wait_for_field('animate-driving')
    one.start('animate')
    two.start('animate')
    results = []
    for page in (one, two):
        assert page.wait_for_end('animate').startswith('48 frames')
        results += page.results('animate')
    frames = [fetched(address, tmp_path)[2] for address in results]
    assert (frames[0] != frames[1]).any()
    folders = set(running.context.files.root.glob('visitors/*'))
    one.close()  # its files go with it, those of the other visitor stay
    visitor = [folder for folder in folders if str(folder) in results[0]]
    for _ in range(100):
        if not visitor[0].exists():
            break
        two.browser.evaluate('new Promise((resolve) => setTimeout(resolve, 200))')
    assert not visitor[0].exists() and not list(running.context.files.root.glob(f'*/{clip.name}'))
    assert fetched(results[1], tmp_path)[0] == 48
