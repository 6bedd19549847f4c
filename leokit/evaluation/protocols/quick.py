# A small protocol for validation during training and for small sets. It ranks checkpoints of one run; its scores do not
# compare with published ones. It follows no published protocol, so metric keys include the clip length and stride.
protocol = dict(
    name='quick',
    note='For ranking checkpoints of one run. With so few clips the Fréchet distance is strongly biased upwards.',
    clips=dict(length=16, stride=1),
    frames=dict(resolution=128, aspect='center_crop', resize='bilinear_antialias'),
    sampling=dict(num_clips=256, trials=1, real='tiles', fake='first', fewer='both'),
    arithmetic=dict(covariance='population', kernel='full'))
