# LEO on SyntheticFaces: the trained models, the strategy for long videos and the benchmark (minutes on a GPU).
_base_ = ['../_base_/benchmarks/leo.py']
default_scope = 'leokit'
data_root = 'data/synthetic_faces'
animator = dict(config='configs/lia/lia_synthetic_64.py', checkpoint='work_dirs/lia_synthetic_64')
motion_diffusion = dict(config='configs/leo/lmdm_synthetic.py', checkpoint='work_dirs/lmdm_synthetic')
start_code = dict(config='configs/leo/start_code_synthetic.py', checkpoint='work_dirs/start_code_synthetic')
start_frame = dict(config='configs/leo/start_frame_synthetic.py', checkpoint='work_dirs/start_frame_synthetic')
start_frame_sr = None
long_video = dict(type='Overlap')

num_videos = 256
num_frames = 32
long_videos = 128
long_frames = 512
trials = 4
test_filters = dict(split='test')
video_extractor = dict(_delete_=True, type='EfficientNetLite0Features')
test_batch_size = 64
test_chunk_size = 512
protocol = 'synthetic'
long_protocol = 'synthetic'
clip_format = 'npy'
