"""Builds the wheel: maturin's, with the typed face of the library put in.

maturin builds the library and has the Python side of it generated. What the generated code lacks for strict type checkers and for
readers is written by `python-face`, from what the library says of itself; see bindings/src/bin/python-face.rs.
"""

import base64
import hashlib
import os
import shlex
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import maturin

get_requires_for_build_wheel = maturin.get_requires_for_build_wheel
prepare_metadata_for_build_wheel = maturin.prepare_metadata_for_build_wheel

_REPOSITORY = Path(__file__).resolve().parents[3]
_NATIVE = "seatport/_native/"

_Settings = Mapping[str, Any] | None


def build_wheel(wheel_directory: str, config_settings: _Settings = None, metadata_directory: str | None = None) -> str:
    """Builds the wheel into the directory; answers its name."""
    with tempfile.TemporaryDirectory() as scratch:
        _put_cargo(Path(scratch, "bin"))
        name: str = maturin.build_wheel(wheel_directory, config_settings, metadata_directory)
        wheel = Path(wheel_directory, name)
        faced = Path(scratch, name)
        _put_face(wheel, faced, Path(scratch))
        wheel.write_bytes(faced.read_bytes())
    return name


def build_sdist(sdist_directory: str, config_settings: _Settings = None) -> str:
    """Refuses: the package is a part of its repository."""
    raise RuntimeError("seatport has no source distribution; install it from a checkout: pip install ./bindings/python")


def _cargo() -> str:
    return os.environ.get("CARGO") or shutil.which("cargo") or "cargo"


def _put_cargo(directory: Path) -> None:
    """Has maturin find the generator: it looks among the workspace's default members, which leave it out, for it builds long."""
    real = shlex.quote(_cargo())
    directory.mkdir()
    cargo = directory / "cargo"
    cargo.write_text(
        f"""#!/bin/sh
case "$1 $2 $3" in
"run --bin uniffi-bindgen") shift && exec {real} run --locked --quiet --package seatport-bindings "$@" ;;
*) exec {real} "$@" ;;
esac
"""
    )
    cargo.chmod(0o755)
    os.environ["PATH"] = os.pathsep.join([str(directory), os.environ.get("PATH", os.defpath)])


def _put_face(wheel: Path, faced: Path, scratch: Path) -> None:
    """Copies the wheel with the face in it, and with its record of contents brought up to date."""
    with zipfile.ZipFile(wheel) as before, zipfile.ZipFile(faced, "w", zipfile.ZIP_DEFLATED) as after:
        contents = {entry.filename: before.read(entry) for entry in before.infolist() if not entry.is_dir()}
        library = next(name for name in contents if name.startswith(_NATIVE) and name.endswith((".so", ".dylib", ".dll")))
        lying = scratch / Path(library).name
        lying.write_bytes(contents[library])
        face = scratch / "face"
        face.mkdir()
        _run_face(lying, face)
        contents.update({_NATIVE + path.name: path.read_bytes() for path in sorted(face.iterdir())})
        record = next(name for name in contents if name.endswith(".dist-info/RECORD"))
        del contents[record]
        lines: list[str] = []
        for name, content in contents.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            lines.append(f"{name},sha256={digest},{len(content)}\n")
            # Quick, rather than small: the library is most of it.
            after.writestr(_entry(name), content, compresslevel=1)
        lines.append(f"{record},,\n")
        after.writestr(_entry(record), "".join(lines))


def _entry(name: str) -> zipfile.ZipInfo:
    """An entry that does not tell when it was built."""
    entry = zipfile.ZipInfo(name)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = (0o755 if name.endswith((".so", ".dylib", ".dll")) else 0o644) << 16
    return entry


def _run_face(library: Path, directory: Path) -> None:
    run = [_cargo(), "run", "--locked", "--quiet", "--package", "seatport-bindings", "--bin", "python-face", "--"]
    subprocess.run([*run, str(library), str(directory)], cwd=_REPOSITORY, check=True)
