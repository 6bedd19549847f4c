import numpy as np
import pytest
import torch

from leokit.metrics import l1_distance
from leokit.registry import METRICS
from leokit.utils import UserError


def build(**options):
    return METRICS.build(dict(type='ReconstructionMetric', lpips=False, **options))


def pairs(number=8, seed=0):
    """Pairs whose driving frame moves away from the source more and more; the reconstruction halves the error."""
    generator = torch.Generator().manual_seed(seed)
    source = torch.rand(number, 3, 16, 16, generator=generator) - 0.5
    change = (torch.rand(number, 3, 16, 16, generator=generator) - 0.5) * torch.linspace(
        0.1, 0.8, number).view(-1, 1, 1, 1)
    driving = source + change
    return [dict(source=s, driving=d, reconstruction=r, name=f'v{i}', identity=f'id{i % 2}')
            for i, (s, d, r) in enumerate(zip(source, driving, source + change / 2))]


def run(metric, samples, batch=3):
    for start in range(0, len(samples), batch):
        metric.process(None, samples[start:start + batch])
    return metric.evaluate(len(samples))


def test_halving_the_error_of_copying_is_a_ratio_of_two():
    result = run(build(), pairs())
    assert result['reconstruction/ratio_l1'] == pytest.approx(2, rel=1e-5)
    assert result['reconstruction/copy_l1'] == pytest.approx(2 * result['reconstruction/l1'], rel=1e-5)
    gain = result['reconstruction/psnr'] - result['reconstruction/copy_psnr']
    assert gain == pytest.approx(20 * np.log10(2), rel=1e-4)
    assert result['reconstruction/ssim'] > result['reconstruction/copy_ssim']
    assert result['reconstruction/pairs'] == 8


def test_moving_half_are_the_pairs_that_move_most():
    samples = pairs()
    result = run(build(), samples)
    expected = np.mean([float(l1_distance(s['reconstruction'][None], s['driving'][None])) for s in samples[4:]])
    assert result['reconstruction/moving_l1'] == pytest.approx(expected, rel=1e-6)
    assert result['reconstruction/moving_copy_l1'] > result['reconstruction/copy_l1']


def test_worst_tenth_are_the_pairs_with_the_largest_error():
    # twenty pairs: constant images with the errors 0.01, 0.02, ... 0.2 of [-1, 1], the source a constant 0.5 off
    samples = [dict(source=torch.full((3, 16, 16), 0.5), driving=torch.zeros(3, 16, 16),
                    reconstruction=torch.full((3, 16, 16), 0.01 * (1 + number * 7 % 20))) for number in range(20)]
    result = run(build(), samples)
    unit = result['reconstruction/copy_l1'] / 0.5
    assert result['reconstruction/worst_l1'] == pytest.approx(0.195 * unit, rel=1e-5)  # the mean of 0.2 and 0.19
    assert result['reconstruction/worst_ratio_l1'] == pytest.approx(0.5 / 0.195, rel=1e-5)


def test_perceptual_distance_is_labeled():
    result = run(build(perceptual=dict(type='TinyImageFeatures')), pairs())
    assert result['reconstruction/ratio_perceptual-tiny'] > 1
    assert 0 < result['reconstruction/perceptual-tiny'] < result['reconstruction/copy_perceptual-tiny']


def test_groups_are_reported_separately():
    result = run(build(group_key='identity'), pairs())
    assert result['reconstruction/id0/pairs'] == result['reconstruction/id1/pairs'] == 4
    mean = (result['reconstruction/id0/l1'] + result['reconstruction/id1/l1']) / 2
    assert mean == pytest.approx(result['reconstruction/l1'])


def test_batches_do_not_change_the_values():
    assert run(build(), pairs(), batch=1) == pytest.approx(run(build(), pairs(), batch=8), rel=1e-9)


def test_equal_images_keep_the_mean_finite():
    samples = pairs(2)
    samples[0]['reconstruction'] = samples[0]['driving']
    assert np.isfinite(run(build(), samples)['reconstruction/psnr'])


def test_unknown_choice_is_refused():
    with pytest.raises(UserError, match="'auto', True or False"):
        METRICS.build(dict(type='ReconstructionMetric', lpips='yes'))
