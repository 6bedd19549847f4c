"""The page of a study: one HTML file that contains its styles, scripts and videos, and loads nothing else.

A content security policy with the hashes of the styles and scripts forbids the page to send or fetch anything. The
videos are stored as base64 in inert ``script`` elements and become blob URLs when their pair is shown, so that the
browser decodes two of them at a time.
"""

import base64
import hashlib
import html
import json
import re
from importlib import resources
from typing import Any

SCRIPTS = ('session.js', 'player.js', 'page.js')


def page_hash(study: dict[str, Any], digests: dict[str, str]) -> str:
    """SHA-256 that identifies a page in its results, from the study and the digests of the videos' frames by id."""
    return hashlib.sha256(json.dumps([study, digests], sort_keys=True).encode()).hexdigest()


def render_page(study: dict[str, Any], videos: dict[str, bytes]) -> str:
    """Assemble the page.

    Args:
        study (dict): Data for the page's scripts: page_hash, title, introduction, question, closing (str),
            allow_ties (bool), trials (list of dict(id, videos)), forms (lists of [index of a trial, flipped]).
        videos (dict): MP4 files by id.
    """
    style = _part('style.css')
    script = "'use strict';\n" + '\n'.join(_part(name) for name in SCRIPTS)
    parts = {
        'title': html.escape(study['title']),
        'style': style,
        'style_hash': _source_hash(style),
        'script': script,
        'script_hash': _source_hash(script),
        'study': _inert_json(study),
        'videos': '\n'.join(f'<script type="text/plain" id="video-{name}">{base64.b64encode(data).decode()}</script>'
                            for name, data in sorted(videos.items())),
    }
    return re.sub(r'\{\{(\w+)\}\}', lambda match: parts[match[1]], _part('template.html'))


def _part(name: str) -> str:
    """Read one of the files of the page."""
    return resources.files('leokit.user_study').joinpath('page', name).read_text(encoding='utf-8')


def _source_hash(text: str) -> str:
    """The source expression that allows exactly this inline text in a content security policy."""
    return 'sha256-' + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _inert_json(record: dict[str, Any]) -> str:
    """JSON that cannot close the script element around it, whatever the experimenter's texts contain."""
    return json.dumps(record, ensure_ascii=False).replace('<', '\\u003c')
