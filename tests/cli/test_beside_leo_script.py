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
    done, commands = calls(part, 'all.json', out, 'lmdm', 'motion.pth', 'lia', 'animator.pth')
    assert done.returncode == 0 and all(command[:2] == ['-m', 'leokit'] for command in commands)
    *selections, generate, analyze = [build_parser().parse_args(command[2:]) for command in commands]
    selected = {str(selection.out) for selection in selections}
    assert generate.videos == str(out / f'{part}_given.json') and generate.videos in selected
    assert (generate.config, generate.checkpoint) == ('lmdm', 'motion.pth')
    assert (generate.animator_config, generate.animator_checkpoint) == ('lia', 'animator.pth')
    folders = [str(folder) for _, folder in analyze.sets]
    assert set(folders) == selected | {str(generate.out)}
    assert folders[0] == generate.videos  # pairs are compared with the first set
    assert (analyze.content, analyze.section) == (extractor, part)
    assert generate.num_frames / 30 >= analyze.num_frames / analyze.common_fps


def test_without_models_nothing_is_generated(calls, tmp_path):
    done, commands = calls('faces', 'all.json', tmp_path / 'out')
    assert done.returncode == 0 and not any('generate' in command for command in commands)
    for arguments in (['faces', 'all.json'], ['faces', 'all.json', tmp_path / 'out', 'lmdm'], ['hands', 'a', 'b']):
        done, commands = calls(*arguments)
        assert done.returncode == 2 and not commands and done.stderr
