"""A small BERT trained on the user's own text as a masked language model (Devlin et al. 2019)."""
