# Stage 2 on SyntheticFaces with the example's backbone; everything else is the package's recipe.
_base_ = ['../../../configs/leo/lmdm_synthetic.py']
custom_imports = dict(imports=['projects.example_motion_backbone.dilated_backbone'], allow_failed_imports=False)

model = dict(backbone=dict(_delete_=True, type='DilatedBackbone', dim=256, depth=8))
