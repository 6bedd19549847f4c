"""Trained models that come with leokit: one model folder each (:mod:`leokit.utils.model_folder`), found by name."""
