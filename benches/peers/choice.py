"""What the command lines of these benchmarks share."""

import argparse


def some_of(parts):
    """The type of an option that takes some of the parts, with commas between them."""

    def chosen(text):
        names = text.split(",")
        if unknown := set(names) - set(parts):
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: choose from {', '.join(parts)}")
        return names

    return chosen
