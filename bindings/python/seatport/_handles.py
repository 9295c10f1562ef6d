"""Numbers for objects that the library holds."""

import itertools
from typing import Generic, TypeVar

T = TypeVar("T")


class Handles(Generic[T]):
    """Gives each object a number: odd ones, as the library knows those of a host by.

    The generated map has a lock. Whatever Python tidies up while a thread has it may let the library give an object back on the
    same thread, which then waits for itself. Every step here is one that Python does as a whole.
    """

    def __init__(self) -> None:
        self._numbers = itertools.count(1, 2)
        self._objects: dict[int, T] = {}

    def insert(self, given: T) -> int:
        """Takes an object in; answers its number."""
        handle = next(self._numbers)
        self._objects[handle] = given
        return handle

    def get(self, handle: int) -> T:
        """The object with this number."""
        return self._objects[handle]

    def clone(self, handle: int) -> int:
        """Another number for the same object."""
        return self.insert(self._objects[handle])

    def remove(self, handle: int) -> T:
        """Lets the object with this number go, and answers it."""
        return self._objects.pop(handle)

    def all(self) -> list[T]:
        """All objects."""
        return list(self._objects.values())

    def __len__(self) -> int:
        return len(self._objects)
