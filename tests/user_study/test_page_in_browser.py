"""The page in a real browser: play, choose, go back, close and resume, finish, save, analyze."""

import base64
import json
import re
import shutil

import numpy as np
import pytest

from leokit.user_study import StudyOptions, analyze_study, encode_clip, prepare_study, read_results, render_page

from support.browser import Browser, find_browser
from user_study.studies import METHODS

PROGRAM = find_browser()
pytestmark = [pytest.mark.browser, pytest.mark.skipif(
    PROGRAM is None, reason='no Chromium or Chrome found: install one, or name it with LEOKIT_BROWSER')]

UNLOCKED = '!document.getElementById("choose-left").disabled'
KEYS = dict(left='ArrowLeft', right='ArrowRight', tie='ArrowDown')


@pytest.fixture(scope='module')
def browser(tmp_path_factory):
    folder = tmp_path_factory.mktemp('browser')
    browser = Browser(PROGRAM, folder)
    yield browser
    browser.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope='module')
def small(folders):
    """Two methods, three pairs and two attention checks: five showings."""
    return prepare_study({method: folders[method] for method in METHODS[:2]}, StudyOptions(
        question='Which waves look calmer?', pairs_per_rater=3, attention_checks=2, allow_ties=True, title='Waves'))


@pytest.fixture
def page(browser, small, tmp_path):
    """The small study, freshly opened."""
    path = tmp_path / 'page.html'
    path.write_text(small.page, encoding='utf-8')
    browser.events.clear()
    browser.open(path.as_uri())
    browser.evaluate('localStorage.clear()')
    browser.open(path.as_uri())
    return browser


def begin(page, name):
    page.write(name)
    page.press('Enter')
    page.wait('!document.getElementById("trial").hidden')


def text(page, element):
    return page.evaluate(f'document.getElementById("{element}").innerText')


def position(page):
    return int(re.match(r'pair (\d+) of 5', text(page, 'counter').lower())[1])


def choose(page, choice):
    """Wait until both videos have been watched, choose, wait for the next pair."""
    place = position(page)
    page.wait(UNLOCKED)
    page.press(KEYS[choice])
    page.wait('!document.getElementById("finish").hidden' if place == 5 else f'session.position === {place}')


def right_choice(page, key):
    """What an attentive rater chooses now: the intact video, or else the one that comes first in the key."""
    shown = page.evaluate('session.trial')
    trial = next(trial for trial in key.trials if trial.id == shown['id'])
    return 'left' if shown['left'] == (trial.right_answer or trial.videos[0]) else 'right'


def save(page):
    """Press the button that has the focus and return the file."""
    before = set(page.downloads.glob('*.json'))
    page.press('Enter')
    page.wait('document.getElementById("saved").innerText')
    for _ in range(200):
        new = [path for path in page.downloads.glob('*.json') if path not in before]
        if new and new[0].stat().st_size:
            return new[0]
        page.evaluate('new Promise((resolve) => setTimeout(resolve, 20))')
    raise TimeoutError('nothing was saved')


def complaints(page):
    """Uncaught exceptions and errors that the browser logged."""
    return [event for event in page.events if event['method'] == 'Runtime.exceptionThrown'
            or event['method'] == 'Log.entryAdded' and event['params']['entry']['level'] == 'error']


def test_a_whole_session(page, small, tmp_path):
    begin(page, 'Ann Rater')
    assert position(page) == 1 and not page.evaluate(UNLOCKED)
    page.press('ArrowLeft')  # too early: neither video has played
    page.evaluate('new Promise((resolve) => setTimeout(resolve, 250))')
    assert position(page) == 1 and page.evaluate('session.answered') == 0

    page.wait(UNLOCKED)
    assert page.evaluate('player.plays.every((plays) => plays > 0)')
    page.press('ArrowLeft', repeat=True)  # a key held down
    assert page.evaluate('session.answered') == 0
    choices = []
    for place in range(1, 6):
        check = any(trial.is_check and trial.id == page.evaluate('session.trial.id') for trial in small.key.trials)
        choices.append(right_choice(page, small.key) if check or place > 1 else 'tie')
        choose(page, choices[-1])
        if place == 2:  # back to the first pair, another choice; then forward without one
            for _ in range(2):
                page.press('b')
            page.wait('session.position === 0')
            assert page.evaluate(UNLOCKED)  # it was watched before
            assert page.evaluate('document.getElementById("choose-tie").getAttribute("aria-pressed")') == 'true'
            choices[0] = right_choice(page, small.key)
            page.press(KEYS[choices[0]])
            page.wait('session.position === 1')
            page.press('f')
            page.wait('session.position === 2')
    path = save(page)

    record = json.loads(path.read_text())
    assert (record['rater'], record['page_hash']) == ('Ann Rater', small.key.page_hash)
    assert [answer['choice'] for answer in record['answers']] == choices
    assert [answer['trial'] for answer in record['answers']] == record['order']
    assert [answer['changes'] for answer in record['answers']] == [1, 0, 0, 0, 0]
    assert all(answer['viewing_ms'] >= 300 and answer['reaction_ms'] >= 0 and min(answer['plays']) >= 0
               for answer in record['answers'])
    result, = read_results([path], small.key)
    assert result.missing == 0
    report = analyze_study([path], small.key, samples=20)
    assert report['raters']['kept'] == 1 and report['answers']['counted'] == 3

    assert complaints(page) == []
    requests = {event['params']['request']['url'].split(':')[0] for event in page.events
                if event['method'] == 'Network.requestWillBeSent'}
    assert requests == {'file', 'blob'}  # nothing left the page


def test_a_session_resumes_after_closing(page, small):
    begin(page, 'Bob')
    form = page.evaluate('session.state.form')
    choose(page, 'left')
    choose(page, 'right')
    page.open(page.evaluate('location.href'))
    assert 'Bob: 2 of 5 pairs done' in text(page, 'resume-text')
    page.click('#resume-button')
    page.wait('!document.getElementById("trial").hidden')
    assert position(page) == 3 and page.evaluate('session.state.form') == form
    for _ in range(3):
        choose(page, 'tie')
    assert [answer['choice'] for answer in json.loads(save(page).read_text())['answers']] == [
        'left', 'right', 'tie', 'tie', 'tie']


def test_pause_replay_and_mouse(page):
    page.click('#start')
    assert 'enter a name' in text(page, 'rater-error')
    page.evaluate('document.getElementById("rater").focus()')
    begin(page, 'Cleo')
    page.wait('player.sides.every(({ video }) => !video.paused)')
    page.press(' ')
    assert page.evaluate('player.sides.every(({ video }) => video.paused)') and 'Space' in text(page, 'status')
    page.press('r')
    page.wait(UNLOCKED)
    plays = page.evaluate('player.plays')
    page.wait(f'player.plays[0] > {plays[0]} && player.plays[1] > {plays[1]}')  # the videos repeat
    page.click('#choose-right')
    page.wait('session.position === 1')
    assert page.evaluate('session.trialAt(0).id in session.state.answers')


def test_the_link_names_rater_and_form(browser, small, tmp_path):
    path = tmp_path / 'page.html'
    path.write_text(small.page, encoding='utf-8')
    browser.open(path.as_uri() + '?rater=r17&form=33')
    assert browser.evaluate('document.getElementById("rater").value') == 'r17'
    browser.press('Enter')
    browser.wait('session !== null')
    assert browser.evaluate('session.state.form') == 33 % len(small.key.forms)


def test_a_video_that_cannot_be_played_is_skipped_and_reported(page, small, tmp_path):
    broken = next(iter(small.key.videos))
    path = tmp_path / 'broken.html'
    path.write_text(re.sub(rf'(id="video-{broken}">)[^<]+', rf'\g<1>{base64.b64encode(b"junk" * 99).decode()}',
                           small.page), encoding='utf-8')
    page.open(path.as_uri())
    page.evaluate('localStorage.clear()')
    page.open(path.as_uri())
    begin(page, 'Dan')
    skipped = 0
    for place in range(1, 6):
        page.wait(f'session.position === {place - 1} && (player.broken || {UNLOCKED})')
        skipped += page.evaluate('player.broken')
        if page.evaluate('player.broken'):
            assert 'Skip' in text(page, 'status') and not page.evaluate(UNLOCKED)
        page.press('s' if page.evaluate('player.broken') else 'ArrowLeft')
        page.wait(f'!document.getElementById("finish").hidden || session.position === {place}')
    result, = read_results([save(page)], small.key)
    assert sum(answer.choice == 'unplayable' for answer in result.answers) == skipped > 0


def test_colors_are_shown_as_they_were(browser, tmp_path):
    colors = np.array([[200, 30, 40], [40, 180, 60], [30, 60, 210], [220, 200, 60]], np.uint8)
    frame = np.repeat(np.repeat(colors.reshape(2, 2, 3), 32, axis=0), 32, axis=1)
    clip = encode_clip([np.stack([frame] * 6)], 25)
    study = dict(page_hash='f' * 64, title='Colors', introduction='', question='Which?', closing='', allow_ties=False,
                 trials=[dict(id='t', videos=['v', 'w'])], forms=[[[0, False]]])
    path = tmp_path / 'colors.html'
    path.write_text(render_page(study, dict(v=clip.data, w=clip.data)), encoding='utf-8')
    browser.open(path.as_uri())
    browser.evaluate('start("Eve")')
    browser.wait(UNLOCKED)
    shown = browser.evaluate('''(() => {
        const canvas = document.createElement('canvas');
        canvas.width = canvas.height = 64;
        const context = canvas.getContext('2d');
        context.drawImage(player.sides[0].video, 0, 0);
        return [[16, 16], [48, 16], [16, 48], [48, 48]].map(([x, y]) =>
            Array.from(context.getImageData(x, y, 1, 1).data.slice(0, 3)));
    })()''')
    assert np.abs(np.array(shown) - colors.astype(int)).max() <= 8
