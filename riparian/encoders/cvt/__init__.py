"""Cross-View Training (Clark et al. 2018): a sequence model learns from few labels and much text without any."""
