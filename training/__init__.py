"""How the demonstration metric is made: pictures, distortions, training, the held-out check. Unused at run time."""
