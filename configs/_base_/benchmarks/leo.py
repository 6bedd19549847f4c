# The evaluation of the LEO paper (arXiv 2305.03989, section 4), for a config that names its checkpoints: short
# unconditional and conditional videos (tables 1 and 2) and long videos (table 3). `leokit test CONFIG` runs all;
# --cfg-options test_cfg.scenarios.long=None skips one.
num_videos = 2048
num_frames = 16
protocol = 'leo'
long_videos = 2048
long_frames = 512
long_protocol = 'leo_long'
# repetitions of each measurement, with other clips of the real videos
trials = 10
# selects the real videos of a manifest with splits; without a filter the protocol's split is used
test_filters = dict()
video_extractor = dict(type='I3D')
# FaceIdentity for faces
content_extractor = dict(type='ColorStatistics')
test_batch_size = 16
# frames per forward pass of the animator
test_chunk_size = 64
# 'mp4' is small and H.264 like the real videos; 'npy' and 'frames' are lossless and large
clip_format = 'mp4'
# bfloat16 autocast for the animator and the starting frames
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
