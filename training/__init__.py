"""Encoders made, tuned, judged and compared on a collection's own text."""
