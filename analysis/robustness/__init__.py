"""Robustness of metrics from tables of scores."""
