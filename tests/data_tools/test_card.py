"""Data cards state what is known and what is not."""

import json

import pytest
from support.calling import run_command

from leokit.data_tools.integrity import check_data
from leokit.utils import UserError


def test_cards_state_what_is_known_and_what_is_not(data, tmp_path, capsys):
    (data / 'preparation.json').write_text(json.dumps(dict(size=32, crop='center')))
    run_command('data card', '--videos', data, '--out', tmp_path / 'CARD.md', '--title', 'Faces <1>', '--license',
                'CC BY 4.0')
    text = (tmp_path / 'CARD.md').read_text()
    for part in ('# Faces &lt;1>', '| all | 4 | 3 | 100 |', '| train | 2 | 2 | 30 |', 'CC BY 4.0', '| size | 32 |',
                 check_data(data).hash, '1 identities are in several splits', '## Origin\n\nTo be stated.',
                 '![Distributions](CARD.png)'):
        assert part in text, part
    assert (tmp_path / 'CARD.png').exists()
    with pytest.raises(UserError, match='must end in .md'):
        run_command('data card', '--videos', data, '--out', tmp_path / 'card.html')
