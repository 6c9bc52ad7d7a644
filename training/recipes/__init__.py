"""How an encoder is fine-tuned: one module a recipe."""
