"""ELMo (Peters et al. 2018): words read as characters by two language models, one from each side."""
