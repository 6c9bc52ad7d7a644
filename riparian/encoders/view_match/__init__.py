"""View matching (not the published Cross-View Training): two encoders, one for each view of a document."""
