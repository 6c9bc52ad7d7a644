"""context2vec (Melamud et al. 2016): a word's surroundings as a vector, by two LSTMs or as the mean of a window."""
