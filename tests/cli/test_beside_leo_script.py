"""``tools/analysis_tools/beside_leo.sh`` calls leokit with options that exist, in the right order."""

import pytest
from support.calling import TOOLS
from support.script_calls import recorded_calls

from leokit.cli.commands import build_parser


@pytest.fixture
def calls(tmp_path):
    return lambda *arguments: recorded_calls(TOOLS / 'analysis_tools' / 'beside_leo.sh', tmp_path, *arguments)


@pytest.mark.parametrize('part, extractor', [('faces', 'FaceIdentity'), ('bodies', 'ColorStatistics')])
def test_all_commands_parse_and_every_set_is_selected(calls, tmp_path, part, extractor):
    out = tmp_path / 'out'
    clips = tmp_path / 'continuations'
    clips.mkdir()
    (clips / 'manifest.json').touch()
    done, commands = calls(part, 'all.json', out, clips)
    assert done.returncode == 0 and all(command[:2] == ['-m', 'leokit'] for command in commands)
    *selections, analyze = [build_parser().parse_args(command[2:]) for command in commands]
    selected = {str(selection.out) for selection in selections}
    folders = [str(folder) for _, folder in analyze.sets]
    assert set(folders) == selected | {str(clips)}
    assert folders[0] == str(out / f'{part}_given.json')  # pairs are compared with the first set
    assert (analyze.content, analyze.section) == (extractor, part)


def test_without_continuations_leokit_has_no_row(calls, tmp_path):
    done, commands = calls('faces', 'all.json', tmp_path / 'out')
    assert done.returncode == 0 and not any('leokit,' in word for command in commands for word in command)
    for arguments in (['faces', 'all.json'], ['faces', 'all.json', tmp_path / 'out', tmp_path / 'none'],
                      ['hands', 'a', 'b']):
        done, commands = calls(*arguments)
        assert done.returncode == 2 and not commands and done.stderr
