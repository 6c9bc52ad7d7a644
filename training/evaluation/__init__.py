"""How well an encoder finds what it should, measured without labels on the user's own documents."""
