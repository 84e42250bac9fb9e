"""Fit the model of NIQE to undistorted photographs and write it where ``anew`` finds it.

    python -m benchmarks.fit_niqe

The photographs are the 400 of ``photos/bsds400``. Of each the patches are taken whose local deviation passes three
quarters of the sharpest patch's, as in the paper; the model is the mean and the covariance of their 36 features.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from anew.metrics.no_reference.niqe import MODEL, SHARP_SHARE, patch_features
from benchmarks.data import find_data

PROVENANCE = "400 photographs of BSDS500 (train and test), 481 x 321; terms: non-commercial research"


def main() -> None:
    """Fit and write."""
    chosen = []
    files = sorted(find_data("photos", "bsds400").glob("*.jpg"))
    for path in files:
        with Image.open(path) as photo:
            pixels = np.asarray(photo.convert("RGB"))
        features, sharpness = patch_features(pixels, data_range=255)
        chosen.append(features[sharpness > SHARP_SHARE * sharpness.max()])
    features = np.concatenate(chosen)
    covariance = np.cov(features, rowvar=False)
    np.savez(MODEL, mean=features.mean(axis=0), covariance=covariance, provenance=np.array(PROVENANCE))
    print(f"{MODEL.name}: {len(features)} patches of {len(files)} photographs, {MODEL.stat().st_size} bytes")


if __name__ == "__main__":
    main()
