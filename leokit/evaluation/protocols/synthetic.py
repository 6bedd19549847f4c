# For SyntheticFaces: clips of 32 of their 48 frames, 256 of each set, of identities of the test split. It compares
# models of this dataset with each other only, so it has no source, and every key has its clip length and stride.
protocol = dict(
    name='synthetic',
    note='A Fréchet distance of 256 clips is too large; compare it with distances of the same number of clips.',
    clips=dict(length=32, stride=1),
    frames=dict(resolution=128, aspect='center_crop', resize='bilinear_antialias'),
    sampling=dict(num_clips=256, trials=4, split='test', real='windows', fake='first'),
    arithmetic=dict(covariance='unbiased', kernel='full'))
