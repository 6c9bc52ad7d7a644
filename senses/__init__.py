"""Word senses: which senses a word has in a collection, found from the contextual vectors of its occurrences."""
