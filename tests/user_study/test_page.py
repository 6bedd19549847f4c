"""The page is one file, loads nothing else, and its texts cannot escape from their elements."""

import base64
import hashlib
import html
import json
import re

import pytest

from leokit.user_study.page import page_hash, render_page

TEXTS = dict(title='A </title><script>alert(1)</script>', introduction='', question='Which {{script}} </script>?',
             closing='', allow_ties=False)


@pytest.fixture(scope='module')
def page():
    study = TEXTS | dict(trials=[dict(id='t1', videos=['v1', 'v2'])], forms=[[[0, True]]])
    return render_page(study, dict(v1=b'first video', v2=b'second video'))


def block(page, pattern):
    return re.search(pattern, page, re.DOTALL)[1]


def test_videos_are_in_the_page(page):
    for name, data in dict(v1=b'first video', v2=b'second video').items():
        text = block(page, f'<script type="text/plain" id="video-{name}">(.*?)</script>')
        assert base64.b64decode(text) == data


def test_texts_cannot_break_out(page):
    study = json.loads(block(page, '<script type="application/json" id="study">(.*?)</script>'))
    assert {name: study[name] for name in TEXTS} == TEXTS
    assert html.unescape(block(page, '<title>(.*?)</title>')) == TEXTS['title']
    assert 'alert(1)</script>' not in page


def test_the_policy_allows_exactly_what_is_there(page):
    policy = block(page, 'http-equiv="Content-Security-Policy" content="(.*?)"')
    for tag, rule in (('style', 'style-src'), ('script', 'script-src')):
        source = block(page, rf'<{tag}>(.*?)</{tag}>')
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert f"{rule} 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert not re.search(r'(src|href)="(?!data:,|#")', page)  # nothing is loaded


def test_the_hash_depends_on_texts_and_videos():
    study = TEXTS | dict(trials=[], forms=[])
    hashes = {page_hash(study, dict(v1='0a')), page_hash(study, dict(v1='0b')), page_hash(study, dict(v2='0a')),
              page_hash(study | dict(question='Where?'), dict(v1='0a'))}
    assert len(hashes) == 4 and all(re.fullmatch('[0-9a-f]{64}', value) for value in hashes)
    assert page_hash(dict(reversed(study.items())), dict(v1='0a')) in hashes  # the order of keys does not matter
