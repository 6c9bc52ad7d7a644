"""What is learnt on top of an encoder: classes, spans, tags."""
