"""Pictures in object stores and other file systems that fsspec reaches, by their URL."""

import contextlib
import glob
import os
import posixpath

from vision.checks import refuse
from vision.errors import (
    ImageError,
    ImageNotFoundError,
    MissingDependencyError,
    VisionError,
)
from vision.file_listing import matches, only_pictures
from vision.headers import EXTENSIONS
from vision.regular_file import check_bytes
from vision.sources import MANIFESTS, Files

# What file systems call that which changes with an object, the surest first.
TAGS = ("etag", "ETag", "version_id", "generation", "md5Hash", "checksum", "uid")
TIMES = ("mtime", "LastModified", "last_modified", "updated", "modified", "created")


class RemoteFiles(Files):
    """Objects of a store, each fetched when it is used.

    Parameters
    ----------
    root : str
        A URL.
    members : list of str
    shown : str
    system : fsspec.AbstractFileSystem
    paths : list of str
        The objects, as `system` calls them.
    states : list
        What `state` gives, as far as it was listed; None where it is asked for on use.
    """

    noun = "object"

    def __init__(self, root, members, shown, system, paths, states):
        super().__init__(root, members, shown)
        self.system, self.paths, self.states = system, paths, states

    def data(self, position, max_pixels):
        path = self.path(position)
        with _named(path):
            state = self.state(position)
            if state is not None:
                check_bytes(state[0], path)
            return self.system.cat_file(self.paths[position])

    def state(self, position):
        """Size, time and tag as they were listed; None if the store tells nothing that changes."""
        if self.states[position] is None:
            try:
                self.states[position] = _state(self.system.info(self.paths[position]))
            except Exception:  # told, with its reason, when it is read
                return None
        return self.states[position] or None

    def take(self, positions):
        lists = (self.members, self.paths, self.states)
        members, paths, states = ([values[i] for i in positions] for values in lists)
        return type(self)(self.root, members, self.shown, self.system, paths, states)


@contextlib.contextmanager
def _named(path):
    """Whatever a store raises becomes an error that names the object."""
    try:
        yield
    except VisionError:
        raise
    except FileNotFoundError as error:
        raise ImageNotFoundError("there is no such object", path) from error
    except Exception as error:  # each store has its own
        reason = f"it cannot be fetched: {type(error).__name__}: {error}"
        raise ImageError(reason, path) from error


def _state(info):
    """Plain values of what a store says of an object; empty if only its size is known."""
    told = [next((str(info[key]) for key in keys if info.get(key)), "") for keys in (TIMES, TAGS)]
    return [info.get("size") or 0, *told] if any(told) else []


def open_url(url):
    """The objects that a URL means: one, those below a folder, or those that match a pattern.

    The rules are those of folders and patterns on a disk, and one listing is asked for.

    Raises
    ------
    MissingDependencyError
        If fsspec, or what it needs for this store, is not installed.
    ParameterError
        If no store is called like this, or the URL is an archive or a manifest.
    ImageNotFoundError
        If there is nothing.
    ImageError
        If the store cannot be reached.
    """
    system, path = _system(url)
    with _named(url):
        kind = _kind(system, path)
        if kind == "directory":
            infos = system.find(path, detail=True)
            return _listed(system, path.rstrip("/"), infos, None, f" in {url}")
        if kind is not None:
            _check_picture(url)
            return _of_paths(system, [path], [_state(system.info(path))])
        if not glob.has_magic(path):
            raise ImageNotFoundError("there is no such object or folder", url)
        parts = path.split("/")
        plain = next(index for index, part in enumerate(parts) if glob.has_magic(part))
        root, rest = "/".join(parts[:plain]), parts[plain:] + ["*"] * (parts[-1] == "**")
        infos = system.find(root, maxdepth=None if "**" in rest else len(rest), detail=True)
        return _listed(system, root, infos, rest, f" matching {url}")


def open_urls(urls):
    """Objects of one store, taken as they are.

    Raises
    ------
    ParameterError
        If they are of several stores; and as `open_url`.
    """
    system, first = _system(urls[0])
    protocols = {url.partition("://")[0] for url in urls}
    if len(protocols) > 1:
        refuse("source", sorted(protocols), "URLs of one store", "Images")
    paths = [first, *(system._strip_protocol(url) for url in urls[1:])]
    return _of_paths(system, paths, [None] * len(paths))


def _of_paths(system, paths, states):
    root = posixpath.commonpath(paths)
    if root in paths:
        root = posixpath.dirname(root)
    members = [path[len(root) :].lstrip("/") for path in paths]
    url = system.unstrip_protocol(root)
    return RemoteFiles(url, members, f" under {url}", system, paths, states)


def _listed(system, root, infos, pattern, shown):
    found = {path[len(root) :].lstrip("/"): path for path in infos}
    if pattern is not None:
        found = {name: path for name, path in found.items() if matches(name.split("/"), pattern)}
    members = only_pictures(found)
    paths = [found[name] for name in members]
    states = [_state(infos[path]) for path in paths]
    return RemoteFiles(system.unstrip_protocol(root), members, shown, system, paths, states)


def _system(url):
    """The file system of a URL, and the path in it."""
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise MissingDependencyError(
            f"{url!r} is read by fsspec, which is not installed: "
            "pip install 'vision-pipelines[remote]'."
        ) from error
    try:
        return url_to_fs(url)
    except ImportError as error:
        raise MissingDependencyError(f"{url!r} cannot be read: {error}.") from error
    except ValueError as error:
        return refuse("source", url, "a URL that fsspec knows", "Images", f"It says: {error}.")


def _kind(system, path):
    try:
        return system.info(path)["type"]
    except FileNotFoundError:
        return None


def _check_picture(url):
    suffix = os.path.splitext(url)[1].lower()  # noqa: PTH122 (of a URL)
    if suffix in MANIFESTS | {".zip", ".tar"} - EXTENSIONS:
        refuse("source", url, "on a disk, being an archive or a list", "Images", "Fetch it first.")
