"""Reads flattened device trees (Devicetree Specification 0.4, chapter 5)."""

import struct


class Node:
    """A node: its properties as bytes, its children by name."""

    def __init__(self, name):
        self.name, self.properties, self.children = name, {}, {}

    def __getitem__(self, path):
        node = self
        for name in path.strip("/").split("/"):
            node = node.children[name] if name else node
        return node

    def __iter__(self):
        yield self
        for child in self.children.values():
            yield from child

    def strings(self, name):
        """A list of strings."""
        value = self.properties[name]
        assert value.endswith(b"\0"), name
        return [part.decode() for part in value[:-1].split(b"\0")]

    def cells(self, name):
        """A list of 32-bit numbers."""
        value = self.properties[name]
        return list(struct.unpack(f">{len(value) // 4}I", value))


def read(path):
    """The root of a tree in a file."""
    with open(path, "rb") as file:
        blob = file.read()
    magic, _, structure, strings = struct.unpack_from(">4I", blob)
    assert magic == 0xD00DFEED, path
    offset, stack, root = structure, [], None

    def text(start):
        end = blob.index(0, start)
        return blob[start:end].decode(), end + 1

    while True:
        (token,) = struct.unpack_from(">I", blob, offset)
        offset += 4
        if token == 1:  # A node begins.
            name, end = text(offset)
            offset = (end + 3) & ~3
            node = Node(name)
            if stack:
                stack[-1].children[name] = node
            else:
                root = node
            stack.append(node)
        elif token == 2:  # It ends.
            stack.pop()
        elif token == 3:  # A property.
            length, name = struct.unpack_from(">2I", blob, offset)
            stack[-1].properties[text(strings + name)[0]] = blob[offset + 8 : offset + 8 + length]
            offset = (offset + 8 + length + 3) & ~3
        elif token == 9:
            return root
        else:
            assert token == 4, f"token {token} at {offset}"
