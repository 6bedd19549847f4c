# Stage 2 on SyntheticFaces with the backbone of this example; everything else as in the recipe of the package.
_base_ = ['../../../configs/leo/lmdm_synthetic.py']
custom_imports = dict(imports=['projects.example_motion_backbone.dilated_backbone'], allow_failed_imports=False)

model = dict(backbone=dict(_delete_=True, type='DilatedBackbone', dim=256, depth=8))
