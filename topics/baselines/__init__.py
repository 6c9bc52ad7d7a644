"""Well-known ways to find topics, to choose and to compare with: by words alone, or by meaning alone."""
