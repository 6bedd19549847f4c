# The tests of LEO's paper (arXiv 2305.03989, section 4) for a config that names its checkpoints: short videos of drawn
# and of given first frames (tables 1 and 2) and long videos (table 3). `python tools/test.py CONFIG` runs all of them;
# --cfg-options test_cfg.scenarios.long=None leaves one out.
num_videos = 2048
num_frames = 16
protocol = 'leo'
long_videos = 2048
long_frames = 512
long_protocol = 'leo_long'
# how often a measurement is repeated with other clips of the real videos
trials = 10
# of a manifest with splits; without a filter the protocol's split is taken
test_filters = dict()
video_extractor = dict(type='I3D')
# FaceIdentity for faces
content_extractor = dict(type='ColorStatistics')
test_batch_size = 16
# frames per forward pass of the animator
test_chunk_size = 64
# 'mp4' is small and, like the real videos, H.264; 'npy' and 'frames' lose nothing and are large
clip_format = 'mp4'
# bfloat16 for the animator and the starting frames
amp = False
test_seed = 0

test_cfg = dict(
    type='LEOBenchmark',
    real=dict(source='$data_root', filters='$test_filters'),
    extractors=dict(video='$video_extractor', content='$content_extractor'),
    scenarios=dict(
        unconditional=dict(
            first_frames='generated',
            num_videos='$num_videos',
            num_frames='$num_frames',
            protocol='$protocol',
            sampling=dict(num_clips='$num_videos', trials='$trials'),
            metrics=['fvd', 'kvd', 'acd']),
        conditional=dict(
            first_frames='real',
            num_videos='$num_videos',
            num_frames='$num_frames',
            protocol='$protocol',
            sampling=dict(num_clips='$num_videos', trials='$trials'),
            metrics=['fvd', 'kvd', 'acd']),
        long=dict(
            first_frames='generated',
            num_videos='$long_videos',
            num_frames='$long_frames',
            protocol='$long_protocol',
            sampling=dict(num_clips='$long_videos', trials='$trials'),
            metrics=['fvd', 'kvd', 'acd', 'fvd_over_time', 'kvd_over_time', 'acd_over_time'])),
    batch_size='$test_batch_size',
    chunk_size='$test_chunk_size',
    clip_format='$clip_format',
    seed='$test_seed')
