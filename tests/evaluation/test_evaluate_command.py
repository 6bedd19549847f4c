"""``leokit evaluate`` and ``leokit analyze compare``, in this process."""

import numpy as np
import pytest
from support.calling import run_command

from leokit.evaluation import load_records
from leokit.utils import UserError


@pytest.fixture
def evaluate(video_sets, tmp_path):
    """Evaluate the small sets; returns the records."""
    def run(*arguments, real=video_sets[0], fake=video_sets[1]):
        out = tmp_path / 'results.json'
        run_command('evaluate', '--real', real, '--fake', fake, '--out', out, '--device', 'cpu', '--workers', 1,
                    '--cache-dir', tmp_path / 'cache', *arguments)
        return load_records(out)

    return run


COLORS = ('--extractor', 'ColorStatistics', 'acd=ColorStatistics')


def test_defaults_measure_any_two_folders(evaluate, capsys):
    fvd, kvd = evaluate('--extractor', 'ColorStatistics')
    assert fvd.metric == 'fvd-color_mean_std_histogram16_dt@16x1' and kvd.score.value is not None
    assert (fvd.real.clips, fvd.fake.clips) == (12, 10)
    printed = capsys.readouterr().out
    assert 'protocol quick: 12 real and 10 generated clips of 16 frames' in printed
    assert 'note: ' in printed and 'singular' in printed


def test_model_and_step_are_kept(evaluate):
    record, = evaluate('--metrics', 'acd', *COLORS, '--model', 'ours', '--step', 300)
    assert (record.run.model, record.run.step) == ('ours', 300)


def test_protocol_options_and_extractor_options(evaluate):
    record, = evaluate('--metrics', 'acd', *COLORS, '--protocol-options', 'clips.length=8', 'clips.stride=2',
                       '--extractor-options', 'ColorStatistics.bins=4')
    assert record.metric == 'acd-color_mean_std_histogram4@8x2' and record.protocol['name'] == 'quick*'


def test_a_published_preset_requires_all_its_clips(evaluate):
    with pytest.raises(UserError, match='digan requires 2048 real clips'):
        evaluate('--protocol', 'digan', *COLORS)
    record = evaluate('--protocol', 'digan', *COLORS, '--allow-fewer')[0]
    assert record.protocol['name'] == 'digan' and record.fake.clips == 10
    assert any('fewer than the 2048 of the protocol digan' in sentence for sentence in record.warnings)


def test_float_arrays_need_their_range(evaluate, tmp_path, make):
    floats = tmp_path / 'floats'
    floats.mkdir()
    np.save(floats / 'samples.npy', np.stack([make.video(seed) for seed in range(5)]) / 127.5 - 1)
    with pytest.raises(UserError, match='--float-range'):
        evaluate(*COLORS, fake=floats)
    assert evaluate(*COLORS, '--float-range=-1:1', fake=floats)[0].fake.videos == 5


@pytest.mark.parametrize(('arguments', 'sentence'), [
    (('--protocol', 'nonsense'), 'no protocol nonsense'),
    (('--extractor', 'A', 'B'), 'names two extractors for the video distances'),
    (('--extractor-options', 'I3D=3'), 'not of the form TYPE.KEY=VALUE'),
    (('--metrics', 'fdv'), "no metric 'fdv'"), (('--device', 'foo'), "device 'foo' is unknown"),
    (('--metrics', 'acd', '--extractor', 'ColorStatistics'), 'as in --extractor acd=ColorStatistics'),
    (('--protocol-options', 'clips.length=abc', *COLORS), 'options clips.length has the wrong type'),
    (('--real-filters', 'segment=0.5', *COLORS), 'segment must be two fractions'),
    (('--real-filters', 'spilt=test', *COLORS), "unknown key 'spilt' in filters")])
def test_wrong_arguments_end_in_one_sentence(evaluate, arguments, sentence):
    with pytest.raises(UserError, match=sentence) as caught:
        evaluate(*arguments)
    assert '\n' not in str(caught.value)


def test_missing_i3d_weights_say_where_to_get_them_and_what_else_to_take(evaluate, monkeypatch, tmp_path):
    monkeypatch.setenv('LEOKIT_WEIGHTS', str(tmp_path / 'none'))
    with pytest.raises(UserError, match=r'i3d_pretrained_400.*--extractor fvd=TYPE'):
        evaluate()


def test_results_become_a_table_and_a_plot(evaluate, tmp_path, capsys):
    files = []
    for step in (100, 200):
        evaluate('--metrics', 'acd', *COLORS, '--model', 'ours', '--step', step)
        files.append(tmp_path / f'{step}.json')
        (tmp_path / 'results.json').rename(files[-1])
    capsys.readouterr()
    run_command('analyze compare', *files, '--plot-steps', tmp_path / 'p.png')
    assert capsys.readouterr().out.startswith('| model | acd-color')
    assert (tmp_path / 'p.png').stat().st_size > 1000
    run_command('analyze compare', files[0], '--format', 'latex', '--out', tmp_path / 't.tex')
    assert (tmp_path / 't.tex').read_text().startswith(r'\begin{tabular}')
