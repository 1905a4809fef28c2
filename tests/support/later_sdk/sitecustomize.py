"""Makes this Python's Pulumi SDK one to come: LATER_SDK_HIDES names local variables that its provider process has renamed."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType

HIDDEN = os.environ.get("LATER_SDK_HIDES", "").split()
MODULES = ("pulumi.dynamic.__main__", "concurrent.futures.thread", "grpc._server")


class _Renaming(SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType:
        """Compile the source with other names, and keep no trace of it on disk."""
        path = self.get_filename(fullname)
        text = self.get_data(path).decode()
        for name in HIDDEN:
            text = re.sub(rf"\b{name}\b", f"{name}_of_a_later_sdk", text)
        return compile(text, path, "exec")


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find the modules that hold the names."""
        if fullname not in MODULES:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.origin is not None:
            spec.loader = _Renaming(fullname, spec.origin)
        return spec


sys.meta_path.insert(0, _Finder())
