"""Topics: what a collection is about, found from stored passage vectors and a sparse bag of words."""
