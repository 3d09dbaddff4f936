"""Pure read models: each folds recorded events into rows, one file per read model."""
