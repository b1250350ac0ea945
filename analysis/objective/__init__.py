"""Objective measures of the stimuli, beside what people saw."""
