"""Mirror-BERT (Liu et al. 2021): a transformer made a sentence encoder by text alone, each string its own pair."""
