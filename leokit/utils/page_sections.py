"""Parts of Markdown pages that commands write, between the marks ``<!-- NAME -->`` and ``<!-- /NAME -->``."""

from pathlib import Path

from leokit.utils.errors import UserError
from leokit.utils.files import clear_write_errors, write_bytes


def _parts(page: str | Path, name: str) -> tuple[str, str]:
    """The page up to the first mark, and from the second one; both empty but for the marks if there is no page."""
    opening, closing = f'<!-- {name} -->', f'<!-- /{name} -->'
    page = Path(page)
    text = page.read_text(encoding='utf-8') if page.is_file() else f'{opening}\n{closing}\n'
    before, found, rest = text.partition(opening)
    _, closed, after = rest.partition(closing)
    if not (found and closed):
        raise UserError(f'the page {page} has no lines {opening} and {closing}; add them where the tables belong, or '
                        'name other marks')
    return before + opening, closing + after


def check_section(page: str | Path, name: str) -> None:
    """Raise a :class:`UserError` unless the page has both marks or does not exist, before work is spent."""
    _parts(page, name)


def write_section(page: str | Path, name: str, content: str) -> None:
    """Replace what is between the marks; all else stays. A page that does not exist is created."""
    before, after = _parts(page, name)
    with clear_write_errors(page):
        write_bytes(page, f'{before}\n{content.strip()}\n{after}'.encode())
