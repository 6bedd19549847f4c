# lia_few_faces_128.py with half of every batch from SyntheticFaces on average: real faces show what people look like,
# thousands of drawn identities that mouths and eyes move alike in all of them. The manifest is that of
#   leokit synthetic-faces --out data/synthetic_faces_128 --num-identities 3000 --clips-per-identity 1 --size 128
#   leokit data merge data/faces data/synthetic_faces_128 --out data/mixed_faces.json --categories real synthetic
# Validation and test use the real faces.
_base_ = './lia_few_faces_128.py'
data_root = 'data/mixed_faces.json'
category_shares = dict(synthetic=0.5)
val_filters = dict(category='real')
test_filters = dict(category='real')

train_dataloader = dict(dataset=dict(category_shares='$category_shares'))
