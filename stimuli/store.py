"""The folder of a stimulus set: one writer at a time, nothing half written, nothing computed twice.

    DIR/manifest.json      written last, in one rename
    DIR/media/<name>.mp4   delivered files under opaque names (.webm where the profile says so)
    DIR/.work/             records of what is finished, the salt of the names, a lock; not served, not imported

A record is stored under the hash of everything that the result depends on, after its file is in place. A later run
trusts a record only when the file beside it has the recorded bytes.
"""

import contextlib
import errno
import hashlib
import hmac
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from stimuli.errors import DiskFull, SetConflict, StimuliError
from stimuli.padding import LEAST_PADDING, padding_header
from stimuli.writing import locked, sync_folder, write_whole

__all__ = ["SetFolder", "fingerprint", "hash_of_file", "writing_errors"]

_CHUNK = 1 << 20


class SetFolder:
    """An output folder, locked while open. Use `SetFolder.open`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.media = path / "media"
        self.temporary = path / ".work" / "tmp"
        self._records = path / ".work" / "records"
        self._salt = b""

    @classmethod
    @contextlib.contextmanager
    def open(cls, path: Path, identity: dict) -> Iterator["SetFolder"]:
        """Lock the folder, making it where it is missing.

        `identity` is what all runs on one folder must share.
        Raises: SetConflict where another run is at work, the folder holds other files, or another set.
        """
        folder = cls(path)
        folder._check_is_ours()
        for part in (folder.media, folder._records):
            part.mkdir(parents=True, exist_ok=True)
        with locked(path):
            shutil.rmtree(folder.temporary, ignore_errors=True)
            folder.temporary.mkdir()
            folder._check_identity(identity)
            folder._salt = folder._load_salt()
            try:
                yield folder
            finally:
                shutil.rmtree(folder.temporary, ignore_errors=True)

    def name_for(self, key: str, suffix: str) -> str:
        """Path in the set of the file of `key`: nothing about it can be read from the name without the salt."""
        return f"media/{hmac.new(self._salt, key.encode(), hashlib.sha256).hexdigest()[:24]}{suffix}"

    def load(self, key: str) -> dict | None:
        """The record of `key`, where it and its file are whole."""
        try:
            record = json.loads((self._records / f"{key}.json").read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        if "file" in record:
            file = self.path / record["file"]
            size = record["bytes_encoded"]
            if not file.is_file() or file.stat().st_size < size or hash_of_file(file, size) != record["encoded_sha256"]:
                return None
        return record

    def commit(self, key: str, record: dict, file: Path | None = None) -> dict:
        """Keep a finished result: its file (moved from `temporary`), then its record. Returns the record."""
        if file is not None:
            with open(file, "rb") as handle:
                os.fsync(handle.fileno())
            name = self.name_for(key, file.suffix)
            record = {
                **record,
                "file": name,
                "bytes_encoded": file.stat().st_size,
                "encoded_sha256": hash_of_file(file),
            }
            os.replace(file, self.path / name)
            sync_folder(self.media)
        write_whole(self._records / f"{key}.json", json.dumps(record).encode())
        return record

    def pad(self, records: list[dict]) -> list[dict]:
        """Bring the files of `records` to one size with bytes at their end that players skip, so that a participant
        cannot tell them apart by their bytes. Returns the records with `bytes` and `sha256` of the padded files.
        """
        size = max(record["bytes_encoded"] for record in records) + LEAST_PADDING
        padded = []
        for record in records:
            file = self.path / record["file"]
            if file.stat().st_size != size:
                # The old manifest describes other bytes from here on.
                (self.path / "manifest.json").unlink(missing_ok=True)
                self._pad(file, record["bytes_encoded"], size)
            padded.append({**record, "bytes": size, "sha256": hash_of_file(file)})
        return padded

    def read_document(self) -> dict | None:
        """The manifest of the last finished run."""
        try:
            return json.loads((self.path / "manifest.json").read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None

    def finish(self, document: dict) -> None:
        """Write the manifest, then remove media files that it does not name."""
        write_whole(self.path / "manifest.json", (json.dumps(document, indent=2, allow_nan=False) + "\n").encode())
        named = {item["file"] for item in (*document["stimuli"], *document["verification"])}
        for file in self.media.iterdir():
            if f"media/{file.name}" not in named:
                file.unlink()

    def _pad(self, file: Path, encoded: int, size: int) -> None:
        temporary = self.temporary / file.name
        with open(file, "rb") as source, open(temporary, "wb") as target:
            left = encoded
            while left:
                block = source.read(min(left, _CHUNK))
                target.write(block)
                left -= len(block)
            header = padding_header(file.suffix, size - encoded)
            target.write(header)
            target.write(bytes(size - encoded - len(header)))
            target.flush()
            os.fsync(target.fileno())
        os.replace(temporary, file)
        sync_folder(self.media)

    def _check_is_ours(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise SetConflict(f"{self.path} is a file; give --out a folder.")
        if self.path.is_dir() and any(self.path.iterdir()) and not (self.path / ".work").is_dir():
            raise SetConflict(f"{self.path} is not empty and was not begun by generate_stimuli; choose another --out.")

    def _check_identity(self, identity: dict) -> None:
        path = self.path / ".work" / "set.json"
        try:
            held = json.loads(path.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            held = None
        # A run that stopped before its first file, at a bad source say, binds nobody to its settings.
        if held is None or not any(self.media.iterdir()):
            write_whole(path, json.dumps(identity, indent=2).encode())
            return
        for name, value in identity.items():
            if held.get(name) != value:
                raise SetConflict(
                    f"{self.path} holds another set, made with {name} {held.get(name)} instead of {value}; "
                    f"choose another --out."
                )

    def _load_salt(self) -> bytes:
        path = self.path / ".work" / "salt"
        with contextlib.suppress(FileNotFoundError):
            return path.read_bytes()
        write_whole(path, secrets.token_bytes(32))
        return path.read_bytes()


@contextlib.contextmanager
def writing_errors(path: Path) -> Iterator[None]:
    """Turn what the operating system says about writing under `path` into one sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(
                f"The disk that holds {path} is full; what was finished is kept: free some space and run it again."
            ) from error
        raise StimuliError(
            f"{error.filename or path} cannot be written: {error.strerror or error}; choose another --out."
        ) from error


def fingerprint(inputs: dict) -> str:
    """Hexadecimal SHA-256 of a JSON document, the same for the same content in any order."""
    return hashlib.sha256(json.dumps(inputs, sort_keys=True, allow_nan=False).encode()).hexdigest()


def hash_of_file(path: Path, size: int | None = None) -> str:
    """Hexadecimal SHA-256 of a file, or of its first `size` bytes."""
    digest = hashlib.sha256()
    left = path.stat().st_size if size is None else size
    with open(path, "rb") as file:
        while left and (block := file.read(min(left, _CHUNK))):
            digest.update(block)
            left -= len(block)
    return digest.hexdigest()
