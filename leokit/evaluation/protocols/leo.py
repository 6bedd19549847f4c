# FVD, KVD and ACD of LEO (Wang et al., arXiv 2305.03989), at 256x256. The paper names metrics, datasets and baselines,
# but no evaluation code exists; everything it leaves open follows DIGAN, whose values are in the same tables.
protocol = dict(
    name='leo',
    source='LEO, arXiv 2305.03989, section 4; the details it leaves open as in DIGAN',
    note='Reconstructed: clip sampling, number of clips and trials are not stated in full by the paper.',
    clips=dict(length=16, stride=1),
    frames=dict(resolution=256, aspect='center_crop', resize='bilinear_antialias'),
    sampling=dict(num_clips=2048, trials=10, split='train', real='tiles', fake='first'),
    arithmetic=dict(covariance='unbiased', kernel='full'))
