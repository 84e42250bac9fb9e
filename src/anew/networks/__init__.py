"""Networks in torch, one file per architecture; needs the extra ``train``."""
