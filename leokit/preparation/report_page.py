"""The page of a preparation's report: one HTML file without scripts, which loads nothing else."""

import html
from typing import Any, Iterable, Mapping, Sequence

MAX_ROWS = 2000  # of the list of dropped clips; report.json has all
STYLE = """body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { border-bottom: 1px solid #ccc; padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
.bar { background: #4477aa; height: .7rem; min-width: 1px; }
summary { cursor: pointer; margin: .5rem 0; }
code { white-space: pre-wrap; word-break: break-all; }"""


def render_report(report: Mapping[str, Any], reasons: Mapping[str, str]) -> str:
    """The page.

    Args:
        report (Mapping): Content of ``report.json``.
        reasons (Mapping): Explanation of each reason.
    """
    most = max(report['reasons'].values(), default=1)
    parts = [
        f'<h1>{_text(report["dataset"])}: {report["clips"]} clips</h1>',
        _table(['', 'clips', 'videos', 'identities'],
               [[name, *(report[key].get(kind, '') for kind in ('clips', 'videos', 'identities'))]
                for name, key in (('published metadata', 'published'), ('this metadata', 'wanted'),
                                  ('videos found', 'found'))]),
        '<h2>Splits</h2>',
        _table(['split', 'clips', 'identities', 'frames'],
               [[split, *counts.values()] for split, counts in report['splits'].items()]),
        '<h2>Dropped clips</h2>',
        _table(['reason', 'clips', '', 'meaning'],
               [[reason, count, _Markup(f'<div class="bar" style="width: {round(200 * count / most)}px"></div>'),
                 reasons.get(reason, '')] for reason, count in report['reasons'].items()])
        if report['reasons'] else '<p>None.</p>',
        _dropped(report['dropped']),
        '<h2>Missing videos</h2>',
        f'<p>{len(report["missing"])} videos with {sum(report["missing"].values())} clips.</p>',
        f'<details><summary>Ids</summary><code>{_text(" ".join(report["missing"]))}</code></details>'
        if report['missing'] else '',
        '<h2>Notes</h2>' + ''.join(f'<p>{_text(note)}</p>' for note in report['notes']) if report['notes'] else '',
        '<h2>Settings</h2>',
        _table(['setting', 'value'], [(name, str(value)) for name, value in
                                      (*report['settings'].items(), *report['metadata'].items())]),
    ]
    return ('<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<title>{_text(report["dataset"])}: report of the preparation</title>\n<style>{STYLE}</style>\n</head>\n'
            '<body>\n' + '\n'.join(part for part in parts if part) + '\n</body>\n</html>\n')


class _Markup(str):
    """Text that is HTML already."""


def _dropped(clips: Sequence[Mapping[str, str]]) -> str:
    if not clips:
        return ''
    rest = f'<p>... and {len(clips) - MAX_ROWS} more in report.json</p>' if len(clips) > MAX_ROWS else ''
    rows = [[clip[key] for key in ('clip', 'video', 'reason', 'detail')] for clip in clips[:MAX_ROWS]]
    return (f'<details><summary>Clips</summary>{_table(["clip", "video", "reason", "detail"], rows)}{rest}</details>')


def _table(heads: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    head = ''.join(f'<th>{_text(cell)}</th>' for cell in heads)
    body = ''.join('<tr>' + ''.join(_cell(cell) for cell in row) + '</tr>' for row in rows)
    return f'<table><tr>{head}</tr>{body}</table>'


def _cell(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f'<td class="number">{value:,}</td>'
    return f'<td>{_text(value)}</td>'


def _text(value: Any) -> str:
    return value if isinstance(value, _Markup) else html.escape(str(value))
