"""Analyses of found topics, derived from stored mixtures and vectors: nothing here changes a topic."""
