"""The test rig: a box, networks of phones, and real browsers, driven from Python."""
