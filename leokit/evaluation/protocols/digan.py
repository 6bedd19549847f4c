# FVD and KVD of DIGAN (Yu et al., ICLR 2022; sihyun-yu/digan, src/scripts/compute_fvd_kvd.py): 2,048 videos, ten
# trials, mean and standard deviation.
protocol = dict(
    name='digan',
    source='DIGAN, ICLR 2022, openreview Czsdv-S4-w9; github.com/sihyun-yu/digan, src/scripts/compute_fvd_kvd.py',
    note='The reference generates new videos for every trial; here clips are sampled from a folder, so provide more '
         'than 2,048. For UCF-101 the reference takes any window of train and test together '
         '(sampling.split=None sampling.real=windows); TaichiHD has its own preset, digan_taichi.',
    clips=dict(length=16, stride=1),
    frames=dict(resolution=128, aspect='center_crop', resize='bilinear'),
    sampling=dict(num_clips=2048, trials=10, split='test', real='tiles', fake='first', seed=42),
    arithmetic=dict(covariance='unbiased', kernel='full'))
