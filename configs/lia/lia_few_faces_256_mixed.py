# lia_few_faces_128_mixed_regions.py at 256x256, from the animator of 128x128 that `leokit grow` has doubled:
#   leokit grow work_dirs/lia_few_faces_128_mixed_regions --config lia_few_faces_256_mixed --share 1 \
#       --out work_dirs/grown_256.pth
# The manifest has SyntheticFaces of 256x256. One GPU, 32 pairs.
_base_ = './lia_few_faces_128_mixed_regions.py'
load_from = 'work_dirs/grown_256.pth'
load_strict = True
size = 256
batch_size = 32
