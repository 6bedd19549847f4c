# A small protocol for validation during training and for small sets. It ranks checkpoints of one run; its scores do not
# compare with published ones. It has no source, so every key has its clip length and stride.
protocol = dict(
    name='quick',
    note='For ranking checkpoints of one run. With this few clips a Fréchet distance is far too large.',
    clips=dict(length=16, stride=1),
    frames=dict(resolution=128, aspect='center_crop', resize='bilinear_antialias'),
    sampling=dict(num_clips=256, trials=1, real='tiles', fake='first', fewer='both'),
    arithmetic=dict(covariance='population', kernel='full'))
