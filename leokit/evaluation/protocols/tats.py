# FVD and KVD of TATS (Ge et al., ECCV 2022; songweige/TATS, scripts/sample_vqgan_transformer_short_videos.py).
# Tai-chi is evaluated with every fourth frame: --protocol-options clips.stride=4 (issue 5 of the repository).
protocol = dict(
    name='tats',
    source='TATS, arXiv 2204.03638; github.com/songweige/TATS, scripts/sample_vqgan_transformer_short_videos.py',
    note='The reference truncates resized pixels to bytes before the network; here they stay float. It runs once per '
         'set of samples.',
    clips=dict(length=16, stride=1),
    frames=dict(resolution=128, aspect='center_crop', resize='bilinear'),
    sampling=dict(num_clips=2048, trials=1, split='train', real='windows', fake='first'),
    arithmetic=dict(covariance='unbiased', kernel='full'))
