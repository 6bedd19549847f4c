"""The data of two runs, compared by the hashes that checkpoints and result files record."""

from pathlib import Path
from typing import Any

from leokit.engine.checkpoint_files import newest_checkpoint
from leokit.evaluation.records import load_records
from leokit.utils import UserError
from leokit.utils.checkpoints import load_checkpoint
from leokit.utils.errors import format_list

PARTS = ('train', 'val', 'test')


def run_data(path: str | Path) -> dict[str, dict[str, Any]]:
    """The data that a run used, by part: ``hash``, ``path``, and more where it is known.

    Args:
        path (str | Path): A checkpoint or a work dir (parts ``train``, ``val``, ``test``), or a file of results that
            ``leokit evaluate --out`` wrote (part ``real videos``).
    """
    path = Path(path)
    if path.suffix.lower() == '.json':
        real = {record.real.manifest_hash: record.real.path for record in load_records(path) if record.real}
        if len(real) > 1:
            raise UserError(f'the scores in {path} are of {len(real)} different real sets; pass files of one')
        parts = [dict(hash=digest, path=folder) for digest, folder in real.items()]
        return {'real videos': parts[0]} if parts else {}
    found = newest_checkpoint(path, print) if path.is_dir() else (path, load_checkpoint(path))
    if found is None:
        raise UserError(f'{path} holds no checkpoint; pass a work dir, a checkpoint or a file of results')
    data = (found[1].get('meta') or {}).get('data') or {}
    parts = {part: data[part] for part in PARTS if isinstance(data.get(part), dict)}
    if any('manifest_hash' not in part for part in parts.values()) or not parts:
        raise UserError(f'{found[0]} does not record the hash of its data, as checkpoints of older versions do not; '
                        'compare the datasets themselves with leokit data check --same-as')
    return {name: dict(hash=part['manifest_hash'], path=part['data_root'], segment=part['segment'],
                       identities=part['identities']) for name, part in parts.items()}


def compare_runs(first: str | Path, second: str | Path) -> list[str]:
    """Differences of the data of two runs, one sentence each; empty if they used the same."""
    one, two = run_data(first), run_data(second)
    if not one.keys() & two.keys():
        raise UserError(f'{first} records {" and ".join(one) or "no data"}, {second} {" and ".join(two) or "no data"}; '
                        'pass two runs of one kind')
    return [sentence for part in one if part in two for sentence in _compare(part, one[part], two[part])]


def _compare(name: str, one: dict[str, Any], two: dict[str, Any]) -> list[str]:
    sentences = []
    if one['hash'] != two['hash']:
        first, second = (set(part.get('identities', ())) for part in (one, two))
        only = [sorted(first - second), sorted(second - first)]
        people = [f'{len(names)} identities are in the {which} only ({format_list(names)})'
                  for which, names in zip(('first', 'second'), only) if names]
        sentences.append(f'{name}: other data ({one["hash"][:8]} of {one["path"]}, {two["hash"][:8]} of {two["path"]})'
                         + ''.join(f'; {text}' for text in people))
    if one.get('segment') != two.get('segment'):
        sentences.append(f'{name}: other parts of the videos ({one["segment"]} and {two["segment"]})')
    return sentences
