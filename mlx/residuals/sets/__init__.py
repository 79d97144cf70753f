"""Prediction sets by split conformal prediction, and which groups of samples they cover worst."""
