"""Speed as a person feels it, beside a floor measured in the same run: `make bench`."""
