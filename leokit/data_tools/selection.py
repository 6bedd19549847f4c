"""Select videos of a manifest by any of its keys, not only by those that datasets filter on."""

import math
import re
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple, Sequence

from leokit.data_tools.data_items import read_items
from leokit.utils import UserError
from leokit.utils.errors import format_list

PATTERN = re.compile(r'(?P<key>[^=!<>]+?)(?P<operator>!=|>=|<=|=)(?P<value>.*)', re.DOTALL)


class Condition(NamedTuple):
    """One condition on the entry of a video; a key may be a path into nested entries, as in ``source.fps``."""

    key: str
    operator: str  # =, !=, >= or <=
    value: str  # '' stands for a missing key

    @classmethod
    def parse(cls, text: str) -> 'Condition':
        """From ``KEY=VALUE``, ``KEY!=VALUE``, ``KEY>=NUMBER`` or ``KEY<=NUMBER``.

        Raises:
            ValueError: If the text has another form.
        """
        match = PATTERN.fullmatch(text)
        if match is None:
            raise ValueError(f'{text!r} is not of the form KEY=VALUE, KEY!=VALUE, KEY>=NUMBER or KEY<=NUMBER')
        if match['operator'] in ('>=', '<='):
            try:
                number = float(match['value'])
            except ValueError:
                number = math.nan
            if math.isnan(number):  # 'nan', too: no number is at least or at most that
                raise ValueError(f'{text!r} compares with {match["value"]!r}, which is not a number')
        return cls(match['key'].strip(), match['operator'], match['value'].strip())

    def holds(self, row: dict[str, Any]) -> bool:
        """Whether an entry meets the condition; without the key, or a number there, >= and <= do not hold."""
        found = lookup(row, self.key)
        if self.operator in ('=', '!='):
            return (('' if found is None else str(found)) == self.value) == (self.operator == '=')
        try:
            number = float(found)
        except (TypeError, ValueError):
            return False
        return number >= float(self.value) if self.operator == '>=' else number <= float(self.value)


def lookup(row: dict[str, Any], key: str) -> Any:
    """The value of a key, or of a path ``a.b`` into nested entries; None if there is none."""
    if key in row:
        return row[key]
    first, _, rest = key.partition('.')
    inner = row.get(first)
    return lookup(inner, rest) if rest and isinstance(inner, dict) else None


def select_data(source: str | Path, folder: str | Path, conditions: Sequence[Condition] = (), *,
                per_identity: int | None = None, fps_key: str | None = None) -> list[dict[str, Any]]:
    """Videos that meet all conditions, in the order of the manifest; all keys are kept.

    Args:
        source (str | Path): A manifest, or a folder of videos.
        folder (str | Path): Folder of the new manifest, which paths are relative to.
        conditions (Sequence[Condition]): All must hold.
        per_identity (int, optional): At most this many videos of each identity, the first ones.
        fps_key (str, optional): The key whose number becomes ``fps``, for files that play at another rate than the
            recording.

    Returns:
        list[dict]: Rows for :func:`~leokit.video.manifest.write_manifest`.

    Raises:
        UserError: If no video remains, or one has no rate at ``fps_key``.
    """
    rows = [item.manifest_row(folder) for item in read_items(source)]
    kept = rows
    for condition in conditions:
        if not any(lookup(row, condition.key) is not None for row in rows):
            raise UserError(f'no video of {source} has the key {condition.key!r}; check its spelling')
        kept = [row for row in kept if condition.holds(row)]
    if not kept:
        raise UserError(f'none of the {len(rows)} videos of {source} meets all conditions; loosen --where')
    if per_identity is not None:
        kept = _first_of_each(kept, per_identity)
    if fps_key is not None:
        unknown = [row['name'] for row in kept if not isinstance(lookup(row, fps_key), (int, float))]
        if unknown:
            raise UserError(f'{len(unknown)} videos have no rate at {fps_key} ({format_list(unknown)}); leave them out '
                            f'with --where "{fps_key}!="')
        kept = [{**row, 'fps': lookup(row, fps_key)} for row in kept]
    return kept


def _first_of_each(rows: Sequence[dict[str, Any]], number: int) -> list[dict[str, Any]]:
    seen: Counter[str] = Counter()
    kept = []
    for row in rows:
        identity = row.get('identity') or row['name']
        seen[identity] += 1
        if seen[identity] <= number:
            kept.append(row)
    return kept
