"""Copies the library crates, without dev-dependencies, into a workspace of their own, and prints every set of features of each.

    python3 .ci/libraries.py DIRECTORY

A line is a crate and its features, separated by commas. Without dev-dependencies nothing else switches a feature on.
"""

import itertools
import pathlib
import re
import shutil
import sys
import tomllib

DEV = {"symbolon-testkit", "symbolon-ct", "symbolon-fuzz", "symbolon-siege", "symbolon-residue"}


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    copy = pathlib.Path(sys.argv[1])
    shutil.rmtree(copy / "crates", ignore_errors=True)
    members = []
    for manifest in sorted(root.glob("crates/*/Cargo.toml")):
        name = manifest.parent.name
        if name in DEV:
            continue
        members.append(name)
        to = copy / "crates" / name
        shutil.copytree(manifest.parent / "src", to / "src")
        shutil.copy(manifest.parent / "README.md", to)
        text = re.sub(r"^\[(?:dev-dependencies|\[test\])\]\n(?:(?!\[).*\n?)*", "", manifest.read_text(), flags=re.M)
        (to / "Cargo.toml").write_text(text)
        table = tomllib.loads(text)
        if "dev-dependencies" in table:
            sys.exit(f"{name}: dev-dependencies in a form that is not known here")
        features = sorted(set(table.get("features", {})) - {"default"})
        for size in range(len(features) + 1):
            for some in itertools.combinations(features, size):
                print(name, ",".join(some))
    text = (root / "Cargo.toml").read_text()
    text = re.sub(r"^members = .*$", 'members = ["crates/*"]', text, flags=re.M)
    text = re.sub(r"^(?:default-members|exclude) = .*\n", "", text, flags=re.M)
    # of the profiles the one that checks: dependencies are checked alike, once
    text = re.sub(r"^\[profile\.(?!dev\])[^\n]*\n(?:(?!\[).*\n?)*", "", text, flags=re.M)
    (copy / "Cargo.toml").write_text(text)
    # the readme of the workspace is the facade's doc-test
    shutil.copy(root / "README.md", copy)
    if len(members) < 10:
        sys.exit("that is too few to be true")


main()
