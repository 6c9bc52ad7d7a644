"""The default topic model: smoothed vectors, a start without a seed, words that correct it (docs/topic-model.md)."""
