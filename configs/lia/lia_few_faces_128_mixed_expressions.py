# The second phase on real faces and SyntheticFaces: lia_few_faces_128_expressions.py with the data of
# lia_few_faces_128_mixed.py, from its animator.
_base_ = './lia_few_faces_128_expressions.py'
data_root = 'data/mixed_faces.json'
load_from = 'work_dirs/lia_few_faces_128_mixed'
category_shares = dict(synthetic=0.5)
val_filters = dict(category='real')
test_filters = dict(category='real')

train_dataloader = dict(dataset=dict(category_shares='$category_shares'))
