"""A two-direction transformer (not the published Mirror-BERT): one reads left to right, the other right to left."""
