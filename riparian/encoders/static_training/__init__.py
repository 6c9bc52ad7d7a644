"""Training word2vec and GloVe on the user's own text."""
