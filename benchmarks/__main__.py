"""`python -m benchmarks [--quick]`: measure, and print a table."""

import argparse
import platform
from importlib.metadata import version

from benchmarks.guard import Result
from benchmarks.guard import cases
from benchmarks.guard import measure


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="What a protected request costs.")
    parser.add_argument("--quick", action="store_true", help="a few rounds, for a first impression")
    quick = parser.parse_args().quick
    with cases(calls=2_000 if quick else 20_000) as ways:
        measure(ways, rounds=1)  # caches of the interpreter and of the file system fill
        results = measure(ways, rounds=5 if quick else 15)
    print(table(results))


def table(results: list[Result]) -> str:
    bare, *others = results
    lines = [
        ", ".join(
            [
                f"Python {platform.python_version()}",
                f"{platform.system()} {platform.machine()}",
                *(f"{name} {version(name)}" for name in ("Authlib", "oauthlib", "Flask")),
            ]
        ),
        "",
        f"{bare.name}: {bare.median:.2f} µs. Beyond that, in µs a request:",
        "",
        "| | median | lowest | highest |",
        "|---|---:|---:|---:|",
        *(f"| {way.name} | {way.median:.2f} | {way.lowest:.2f} | {way.highest:.2f} |" for way in others),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
