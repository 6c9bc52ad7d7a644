"""The Universal Sentence Encoder, English lite: a small transformer with an 8,000-piece vocabulary."""
