"""CoVe (McCann et al. 2017): GloVe vectors put into context by the encoder of a translation model."""
