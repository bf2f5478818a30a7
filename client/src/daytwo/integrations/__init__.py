"""One line for each framework. A module here imports its framework; nothing else of Daytwo does."""
