"""How to tell what is wrong: one estimator per damage."""
