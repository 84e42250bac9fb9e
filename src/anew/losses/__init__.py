"""Loss functions in torch, one file per family; needs the extra ``train``."""
