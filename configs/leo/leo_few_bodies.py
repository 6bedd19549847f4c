# LEO on few bodies at 128x128: the trained models, and a benchmark of 64 short and 16 long unconditional videos: colors
# (ACD) and motion. There are no distances (FVD), since nearly all clips are LEO's samples; lmdm_few_bodies.py tests
# conditional videos.
_base_ = './leo_synthetic.py'
data_root = 'data/bodies'
animator = dict(
    config='configs/lia/lia_few_bodies_128_inpaint.py', checkpoint='work_dirs/lia_few_bodies_128_inpaint')
motion_diffusion = dict(config='configs/leo/lmdm_few_bodies.py', checkpoint='work_dirs/lmdm_few_bodies')
start_code = dict(config='configs/leo/start_code_few_bodies.py', checkpoint='work_dirs/start_code_few_bodies')
start_frame = dict(config='configs/leo/start_frame_few_bodies.py', checkpoint='work_dirs/start_frame_few_bodies')

num_videos = 64
long_videos = 16
held_out = []
# all clips of the training identities, whose motion that of the videos is compared with
test_filters = dict(_delete_=True, exclude_identities='$held_out')
test_cfg = dict(
    scenarios=dict(
        unconditional=dict(metrics=['acd'], sampling=dict(split=None)),
        conditional=None,
        long=dict(metrics=['acd', 'acd_over_time'], sampling=dict(split=None))))
