"""``python -m plimsoll.cli``: how the commands start each other."""

from plimsoll.cli.main import run

if __name__ == "__main__":
    run()
