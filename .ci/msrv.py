"""Every crate that a library crate needs to be built says that it builds with our own rust-version.

Reads `cargo metadata` from standard input. Dev-dependencies and the programs (examples, benches, those that attack) do not count.
"""

import json
import sys

PROGRAMS = {
    "symbolon-benches", "symbolon-ct", "symbolon-examples", "symbolon-fuzz", "symbolon-residue", "symbolon-siege",
}


def version(text):
    return tuple(int(part) for part in text.split("."))[:2]


def main():
    metadata = json.load(sys.stdin)
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    libraries = [i for i in metadata["workspace_members"] if packages[i]["name"] not in PROGRAMS]
    ours = {packages[i]["rust_version"] for i in libraries}
    if len(ours) != 1 or None in ours:
        sys.exit(f"the library crates do not agree on a rust-version: {ours}")
    msrv = ours.pop()

    needed, queue = set(), list(libraries)
    while queue:
        package = queue.pop()
        if package in needed:
            continue
        needed.add(package)
        for dependency in nodes[package]["deps"]:
            if any(kind["kind"] in (None, "build") for kind in dependency["dep_kinds"]):
                queue.append(dependency["pkg"])

    newer, silent = [], []
    for package in sorted(needed, key=lambda i: packages[i]["name"]):
        name, declared = packages[package]["name"], packages[package]["rust_version"]
        if declared is None:
            silent.append(name)
        elif version(declared) > version(msrv):
            newer.append(f"{name} {packages[package]['version']} needs Rust {declared}")
    print(f"{len(needed)} crates for Rust {msrv}; without a rust-version: {', '.join(silent) or 'none'}")
    if len(needed) < 20:
        sys.exit("that is too few to be true")
    if newer:
        sys.exit("\n".join(newer))


main()
